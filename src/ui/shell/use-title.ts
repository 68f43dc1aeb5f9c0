// The document's title tells how far the work is, so that a tab in the background can be read.
import { useEffect } from 'react';
import { drawnPart } from '../../state/drawing-state';
import { isTraining } from '../../state/training-state';
import { useApp } from '../app-context';

const name = 'Likeness';

/** Keeps document.title up to date, outside React's rendering. */
export function useTitle(): void {
  const app = useApp();
  useEffect(() => {
    const update = () => {
      document.title = titleOf();
    };
    const titleOf = (): string => {
      const progress = app.progress.getState();
      const drawing = app.drawing.getState();
      if (isTraining(app.training.getState()) && progress) {
        if (progress.stage !== 'train') return `Preparing · ${name}`;
        return `${Math.floor((100 * progress.step) / Math.max(1, progress.steps))}% training · ${name}`;
      }
      if (drawing.phase === 'running') return `${Math.floor(100 * drawnPart(drawing))}% drawing · ${name}`;
      return name;
    };
    const leave = [
      app.progress.subscribe(update),
      app.training.subscribe(update),
      app.drawing.subscribe(update),
    ];
    update();
    return () => {
      for (const unsubscribe of leave) unsubscribe();
    };
  }, [app]);
}
