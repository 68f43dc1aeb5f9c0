// How far something is; without a value it only says that it goes on.
import s from './controls.module.css';

type ProgressBarProps = {
  readonly label: string;
  readonly value: number | undefined; // 0 to 1
  readonly words?: string | undefined; // what a screen reader says instead of per cent
};

/** A progress bar. */
export function ProgressBar({ label, value, words }: ProgressBarProps) {
  const percent = value === undefined ? undefined : Math.round(Math.min(1, Math.max(0, value)) * 100);
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      aria-valuetext={words}
      className={s['bar']}
    >
      {percent === undefined ? (
        <div className={`${s['barFill']} ${s['barWaiting']}`} />
      ) : (
        <div className={s['barFill']} style={{ width: `${percent}%` }} />
      )}
    </div>
  );
}
