// Frames of the drawing under way, straight to a canvas.
import { useEffect, useRef } from 'react';
import { useApp } from '../app-context';

/** A canvas that shows the newest frame. */
export function LiveCanvas() {
  const { frames } = useApp();
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(
    () =>
      frames.subscribe((bitmap) => {
        const element = canvas.current;
        if (!element) return;
        element.width = bitmap.width;
        element.height = bitmap.height;
        element.getContext('2d')?.drawImage(bitmap, 0, 0);
      }),
    [frames],
  );
  return <canvas ref={canvas} width={64} height={64} aria-hidden="true" />;
}
