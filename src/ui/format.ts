// Numbers as a person reads them.

/** Bytes in the unit that fits: 940 kB, 2.3 MB. */
export function formatBytes(bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`;
  if (bytes < 999_500) return `${Math.round(bytes / 1e3)} kB`;
  if (bytes < 999.5e6) return `${trim(bytes / 1e6)} MB`;
  return `${trim(bytes / 1e9)} GB`;
}

const trim = (value: number): string => (value < 10 ? value.toFixed(1) : String(Math.round(value)));

/** A duration, rounded as far as it is certain: 40 s, 3 min, 1 h 20 min. */
export function formatDuration(seconds: number): string {
  if (seconds < 1) return 'under 1 s';
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return rest === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${rest} min`;
}

/** Seconds of one step: 0.31 s, 12 s. */
export function formatSeconds(seconds: number): string {
  return `${seconds < 10 ? seconds.toPrecision(2) : Math.round(seconds)} s`;
}

/** A loss with three significant digits. */
export function formatLoss(loss: number): string {
  return loss.toPrecision(3);
}

/** "1 photo", "3 photos". */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** A date as people of this place write it, with the time. */
export function formatDate(ms: number): string {
  return new Date(ms).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}
