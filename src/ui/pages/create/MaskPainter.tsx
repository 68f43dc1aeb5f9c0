// Inpainting: a mask painted over the part of the start picture that is drawn from, with a pointer, or with the arrow keys and Space.
import { useEffect, useRef, useState, type KeyboardEvent, type PointerEvent } from 'react';
import { paintMask } from '../../../state/drawing';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { Picture } from '../../components/Picture';
import { RangeInput } from '../../components/RangeInput';
import { SwitchInput } from '../../components/SwitchInput';
import s from './StartPicture.module.css';
import { fillCanvas, invertMask, maskOf, paintLine, type Point } from './mask-canvas';

const arrows: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/** Height of the painter at most, in rem: sides are typed digit by digit. */
const tallest = 24;

/**
 * The picture under its mask, both cut to the drawing's aspect (width / height), and the brush. What is painted is drawn anew; with
 * nothing painted, all of it is.
 */
export function MaskPainter({ picture, aspect }: { readonly picture: Blob; readonly aspect: number }) {
  const app = useApp();
  const canvas = useRef<HTMLCanvasElement>(null);
  const last = useRef<Point | undefined>(undefined); // of the stroke under way
  const [cursor, setCursor] = useState<Point>({ x: 0.5, y: 0.5 });
  const [brush, setBrush] = useState(12); // percent of the picture's width
  const [isErasing, setErasing] = useState(false);

  useEffect(() => {
    const element = canvas.current;
    const stop = new AbortController();
    if (element) void fillCanvas(element, picture, app.start.getState().painted?.mask, stop.signal);
    return () => stop.abort();
  }, [app, picture]);

  const keep = (element: HTMLCanvasElement) => void maskOf(element).then((mask) => paintMask(app, mask));
  const stroke = (element: HTMLCanvasElement, from: Point, to: Point) =>
    paintLine(element, from, to, { size: brush / 100, isErasing, aspect });
  const pointOf = ({ currentTarget, clientX, clientY }: PointerEvent<HTMLCanvasElement>): Point => {
    const { left, top, width, height } = currentTarget.getBoundingClientRect();
    return { x: (clientX - left) / width, y: (clientY - top) / height };
  };
  const down = (event: PointerEvent<HTMLCanvasElement>) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    last.current = pointOf(event);
    stroke(event.currentTarget, last.current, last.current);
  };
  const move = (event: PointerEvent<HTMLCanvasElement>) => {
    if (!last.current) return;
    const point = pointOf(event);
    stroke(event.currentTarget, last.current, point);
    last.current = point;
  };
  const up = (event: PointerEvent<HTMLCanvasElement>) => {
    if (!last.current) return;
    last.current = undefined;
    keep(event.currentTarget);
  };
  const press = (event: KeyboardEvent<HTMLCanvasElement>) => {
    const by = arrows[event.key];
    if (!by && event.key !== ' ') return;
    event.preventDefault();
    const next = by ? { x: clamp(cursor.x + by.x / 20), y: clamp(cursor.y + by.y / 20) } : cursor;
    setCursor(next);
    if (by && !event.shiftKey) return;
    stroke(event.currentTarget, cursor, next);
    keep(event.currentTarget);
  };
  const clear = () => {
    const element = canvas.current;
    element?.getContext('2d')?.clearRect(0, 0, element.width, element.height);
    paintMask(app, undefined);
  };
  const invert = () => {
    if (!canvas.current) return;
    invertMask(canvas.current);
    keep(canvas.current);
  };
  return (
    <>
      <div className={s['easel']} style={{ aspectRatio: aspect, width: `min(100%, ${tallest * aspect}rem)` }}>
        <Picture blob={picture} alt="The start picture" />
        <canvas
          ref={canvas}
          tabIndex={0}
          role="application"
          aria-label="Mask: paint what is to be drawn anew; arrow keys move the brush, Space paints, Shift with arrow keys paints on the way"
          onPointerDown={down}
          onPointerMove={move}
          onPointerUp={up}
          onPointerCancel={up}
          onKeyDown={press}
        />
        <span
          className={s['cursor']}
          style={{ left: `${cursor.x * 100}%`, top: `${cursor.y * 100}%`, width: `${brush}%` }}
        />
      </div>
      <p className={s['hint']}>
        This part is drawn from, as Width and Height have it. Paint what is to change; unpainted, all of it
        may.
      </p>
      <RangeInput label="Brush size" lowest={2} highest={50} step={1} value={brush} onChange={setBrush} />
      <div className={s['row']}>
        <SwitchInput label="Erase" value={isErasing} onChange={setErasing} />
        <Button look="quiet" onPress={invert}>
          Invert mask
        </Button>
        <Button look="quiet" onPress={clear}>
          Clear mask
        </Button>
      </div>
    </>
  );
}

const clamp = (x: number): number => Math.min(1, Math.max(0, x));
