// Keeps the end of a growing box in sight until the person scrolls up, and again when they are back at the end.
import { useCallback, useEffect, useRef, useState, type RefCallback } from 'react';

/** How near the end counts as the end, in pixels. */
const nearEnd = 48;

type FollowEnd = {
  /** For the box that scrolls. Its first child grows. */
  readonly box: RefCallback<HTMLElement>;
  readonly isFollowing: boolean;
  readonly goToEnd: () => void;
};

/** Follows the end of a box. */
export function useFollowEnd(): FollowEnd {
  const [element, setElement] = useState<HTMLElement | null>(null);
  const [isFollowing, setFollowing] = useState(true);
  const follows = useRef(true);
  const goToEnd = useCallback(() => {
    follows.current = true;
    setFollowing(true);
    element?.scrollTo({ top: element.scrollHeight });
  }, [element]);
  useEffect(() => {
    if (!element) return;
    let lastTop = element.scrollTop;
    // Only a scroll upwards is the person's leaving: what grew since our own scroll puts the end out of sight as well.
    const look = () => {
      const isUp = element.scrollTop < lastTop;
      const isNear = element.scrollHeight - element.scrollTop - element.clientHeight < nearEnd;
      lastTop = element.scrollTop;
      if (isNear || isUp) follows.current = isNear;
      setFollowing(follows.current);
    };
    const grown = new ResizeObserver(() => {
      if (follows.current) element.scrollTo({ top: element.scrollHeight });
    });
    grown.observe(element);
    if (element.firstElementChild) grown.observe(element.firstElementChild);
    element.addEventListener('scroll', look, { passive: true });
    return () => {
      grown.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, [element]);
  return { box: setElement, isFollowing, goToEnd };
}
