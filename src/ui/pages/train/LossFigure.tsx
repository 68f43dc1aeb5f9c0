// The loss of every step, its running mean, and the loss on the fixed set: drawn outside React whenever a point comes.
import { useEffect, useRef } from 'react';
import { useApp } from '../../app-context';
import { EvaluationTable } from './EvaluationTable';
import s from './Train.module.css';

/** The figure "Loss". */
export function LossFigure() {
  const { losses } = useApp();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    let remove: (() => void) | undefined;
    let isGone = false;
    void import('./loss-chart').then(({ mountLossChart }) => {
      if (!isGone) remove = mountLossChart(element, losses);
    });
    return () => {
      isGone = true;
      remove?.();
    };
  }, [losses]);
  return (
    <>
      <figure aria-label="Loss">
        <div ref={place} className={s['chart']} />
        <figcaption className={s['legend']}>
          <span>Loss of each step</span>
          <span data-line="mean">Running mean</span>
          <span data-line="evaluation">Same photos and noise every time</span>
        </figcaption>
      </figure>
      <EvaluationTable />
    </>
  );
}
