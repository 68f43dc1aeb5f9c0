// Keys that work everywhere, unless a person is typing.
import { useEffect } from 'react';
import { stopAnswer } from '../../state/chat';
import { useApp } from '../app-context';
import { goTo, places } from '../hooks/use-route';

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** `?` opens the list of keys, 1 to 5 are the places, Esc stops a picture or an answer. */
export function useShortcuts(openKeys: () => void): void {
  const app = useApp();
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing)
        return;
      if (event.key === 'Escape') return stopAnswer(app);
      if (isTyping(event.target)) return;
      const place = places[Number(event.key) - 1];
      if (event.key === '?') openKeys();
      else if (place) goTo(place);
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [app, openKeys]);
}
