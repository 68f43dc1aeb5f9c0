// How many free requests are left today, as a range, and when the count starts anew.
import { useStore } from 'zustand';
import type { QuotaStatus as Quota, Stop } from '../../../state/free-models-state';
import { useApp } from '../../app-context';
import { formatDuration } from '../../format';
import { useNow } from '../../hooks/use-now';
import s from './Chat.module.css';

/** The status "Free requests left". */
export function QuotaStatus() {
  const status = useStore(useApp().free, (free) => free.status);
  const hasKey = useStore(useApp().key, ({ facts }) => facts !== undefined);
  const minute = status?.stops.find(({ kind }) => kind === 'minute');
  const now = useNow(minute ? 1000 : 15_000);
  const stop = status?.stops.find(({ kind, until }) => kind !== 'minute' && (until ?? Infinity) > now);
  return (
    <p role="status" aria-label="Free requests left" aria-live="off" className={s['quota']}>
      {!hasKey || !status ? (
        'No key yet: only /imagine works.'
      ) : (
        <>
          {words(status.quota, stop)} · starts anew {formatReset(status.quota.resetAt, now)}
          {minute?.until !== undefined && minute.until > now && (
            <> · the minute is full for {formatDuration((minute.until - now) / 1000)}</>
          )}
        </>
      )}
    </p>
  );
}

function words({ limit, usedAtLeast, usedAtMost }: Quota, stop: Stop | undefined): string {
  if (stop?.kind === 'day') return `0 of ${limit} free requests left today`;
  const [least, most] = [Math.max(0, limit - usedAtMost), Math.max(0, limit - usedAtLeast)];
  const range = least === most ? String(least) : `${least}–${most}`;
  const stopped = stop ? ' · stopped, see the conversation' : '';
  return `${range} of ${limit} free requests left today${stopped}`;
}

/** "at 01:00, in 3 h 12 min". */
export function formatReset(at: number, now: number): string {
  const clock = new Date(at).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
  return `at ${clock}, in ${formatDuration(Math.max(0, at - now) / 1000)}`;
}
