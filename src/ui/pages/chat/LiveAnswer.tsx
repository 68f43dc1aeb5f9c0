// The answer under way. Alone in following its store, so that a token touches nothing above it.
import { useDeferredValue } from 'react';
import { useStore } from 'zustand';
import type { LiveAnswer as Live } from '../../../state/chat-state';
import { useApp } from '../../app-context';
import { formatDuration } from '../../format';
import { useNow } from '../../hooks/use-now';
import p from '../page.module.css';
import { AttemptLine, Reasoning } from './AnswerDetails';
import { AnswerText } from './AnswerText';
import s from './Chat.module.css';

/** What is known of the answer so far; nothing while none is made. */
export function LiveAnswer() {
  const live = useStore(useApp().live);
  const text = useDeferredValue(live?.text ?? ''); // Markdown is read as often as there is time for it
  if (!live) return null;
  return (
    <article className={s['message']} data-role="assistant" aria-label="Answer under way" aria-busy>
      {live.attempts.some(({ failure }) => failure !== null) && (
        <ul className={s['attempts']}>
          {live.attempts
            .filter(({ failure }) => failure !== null)
            .map((attempt, i) => (
              <li key={i}>
                <AttemptLine attempt={attempt} />
              </li>
            ))}
        </ul>
      )}
      <Reasoning text={live.reasoning} isOpen />
      {text !== '' && <AnswerText text={text} />}
      <p className={s['facts']}>
        <Phase live={live} />
      </p>
    </article>
  );
}

function Phase({ live }: { readonly live: Live }) {
  const now = useNow(1000);
  const { phase, model, waitingUntil, reasoning } = live;
  switch (phase) {
    case 'waiting':
      return `The account’s minute is full: on in ${formatDuration(Math.max(1000, waitingUntil - now) / 1000)}`;
    case 'asking':
      if (model === undefined) return 'Choosing a model…';
      return (
        <>
          {reasoning === '' ? 'Asking' : 'Thinking:'} <span className={p['soft']}>{model}</span>…
        </>
      );
    case 'drawing':
      return 'Drawing for the model…';
    case 'answering':
      return model;
  }
}
