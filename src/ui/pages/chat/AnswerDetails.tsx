// What stands around an answer: the model, how fast it was, what was tried before, what it thought.
import { Disclosure, DisclosurePanel } from 'react-aria-components/Disclosure';
import type { Attempt, ChatAnswer } from '../../../state/chat-state';
import { Button } from '../../components/Button';
import { countOf, formatSeconds } from '../../format';
import p from '../page.module.css';
import { attemptWords } from './answer-failures';
import s from './Chat.module.css';

/** "google/gemma:free · 42 tokens/s · 2 attempts". */
export function AnswerFacts({ answer }: { readonly answer: ChatAnswer }) {
  const { model, tokensPerSecond, attempts, leftOut, end } = answer;
  const facts = [
    model,
    tokensPerSecond !== null && `${Math.round(tokensPerSecond)} tokens/s`,
    attempts.length > 1 && countOf(attempts.length, 'attempt'),
    leftOut > 0 && `${countOf(leftOut, 'older message')} left out`,
    end === 'length' && 'cut at its longest',
    end === 'filtered' && 'cut by a filter',
    end === 'stopped' && 'stopped',
  ].filter((fact): fact is string => typeof fact === 'string');
  return facts.length === 0 ? null : <p className={s['facts']}>{facts.join(' · ')}</p>;
}

/** The disclosure "Attempts". */
export function Attempts({ attempts }: { readonly attempts: readonly Attempt[] }) {
  if (attempts.length === 0) return null;
  return (
    <Disclosure className={s['disclosure']!}>
      <Button slot="trigger" look="quiet" icon="menu">
        Attempts
      </Button>
      <DisclosurePanel>
        <ol className={s['attempts']} aria-label="Attempts">
          {attempts.map((attempt, i) => (
            <li key={i}>
              <AttemptLine attempt={attempt} />
            </li>
          ))}
        </ol>
      </DisclosurePanel>
    </Disclosure>
  );
}

/** One attempt in words. */
export function AttemptLine({ attempt }: { readonly attempt: Attempt }) {
  const { model, durationMs, failure, message } = attempt;
  const outcome = failure === null ? 'answered' : (attemptWords[failure] ?? failure);
  return (
    <span title={message ?? undefined}>
      <span className="numbers">{model}</span>{' '}
      <span className={failure === null ? s['good'] : p['soft']}>{outcome}</span>{' '}
      <span className={p['soft']}>{formatSeconds(durationMs / 1000)}</span>
    </span>
  );
}

/** The disclosure "Reasoning"; open while there is nothing else to read. */
export function Reasoning({ text, isOpen = false }: { readonly text: string; readonly isOpen?: boolean }) {
  if (text.trim() === '') return null;
  return (
    <Disclosure className={s['disclosure']!} defaultExpanded={isOpen}>
      <Button slot="trigger" look="quiet" icon="menu">
        Reasoning
      </Button>
      <DisclosurePanel>
        <p className={s['reasoning']}>{text.trim()}</p>
      </DisclosurePanel>
    </Disclosure>
  );
}
