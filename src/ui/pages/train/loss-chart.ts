// The loss chart itself, on uPlot: redrawn at most once per frame, however fast points come.
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { LossSeries } from '../../../state/loss-series';

/** Draws `series` in `element` from now on; the returned function ends that. */
export function mountLossChart(element: HTMLElement, series: LossSeries): () => void {
  const scheme = matchMedia('(prefers-color-scheme: dark)');
  let chart = create(element, series);
  let frame = 0;
  const draw = () => {
    frame = 0;
    chart.setData(dataOf(series));
  };
  const schedule = () => {
    frame ||= requestAnimationFrame(draw);
  };
  const leave = series.subscribe(schedule);
  const resize = new ResizeObserver(() => {
    chart.setSize({ width: element.clientWidth, height: element.clientHeight });
  });
  resize.observe(element);
  const recolour = () => {
    chart.destroy();
    chart = create(element, series);
  };
  scheme.addEventListener('change', recolour);
  return () => {
    leave();
    cancelAnimationFrame(frame);
    resize.disconnect();
    scheme.removeEventListener('change', recolour);
    chart.destroy();
  };
}

/** One x axis for all lines: every finished step, and step 0 where it was evaluated. */
function dataOf({ steps, losses, smoothed, evaluations }: LossSeries): uPlot.AlignedData {
  const hasStart = evaluations[0]?.step === 0;
  const x = hasStart ? [0, ...steps] : [...steps];
  const pad = <T>(values: readonly T[]): (T | null)[] => (hasStart ? [null, ...values] : [...values]);
  const byStep = new Map(evaluations.map(({ step, loss }) => [step, loss]));
  return [x, pad(losses), pad(smoothed), x.map((step) => byStep.get(step) ?? null)];
}

function create(element: HTMLElement, series: LossSeries): uPlot {
  const colour = (name: string) => resolved(element, name);
  const axis: uPlot.Axis = {
    stroke: colour('--ink-soft'),
    font: '11px ui-monospace, monospace',
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  const options: uPlot.Options = {
    width: element.clientWidth,
    height: element.clientHeight,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    padding: [8, 8, 0, 0],
    scales: { x: { time: false }, y: { range: (_, low, high) => [0, Math.max(high, low, 1e-6) * 1.08] } },
    axes: [
      { ...axis, size: 28 },
      { ...axis, size: 46 },
    ],
    series: [
      {},
      { stroke: colour('--line-strong'), width: 1, alpha: 0.55, points: { show: false } },
      { stroke: colour('--accent'), width: 2, points: { show: false } },
      {
        stroke: colour('--good'),
        width: 1.5,
        dash: [4, 4],
        spanGaps: true,
        points: { show: true, size: 6, fill: colour('--good') },
      },
    ],
  };
  return new uPlot(options, dataOf(series), element);
}

/** A token's colour as canvas understands it: light-dark() is resolved only in a property. */
function resolved(element: HTMLElement, name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
