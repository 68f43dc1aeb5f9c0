// Why there is no answer, with the buttons that help.
import { useStore } from 'zustand';
import { retryStopped } from '../../../state/chat';
import type { AnswerFailure, Message } from '../../../state/chat-state';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import controls from '../../components/controls.module.css';
import { goTo } from '../../hooks/use-route';
import { useNow } from '../../hooks/use-now';
import { describeAnswerFailure, type AnswerRemedy } from './answer-failures';
import { formatReset } from './QuotaStatus';
import s from './Chat.module.css';

type FailureCardProps = {
  readonly message: Message;
  readonly failure: AnswerFailure;
  readonly isLast: boolean; // only the newest can be tried again from here
};

/** The card. */
export function FailureCard({ message, failure, isLast }: FailureCardProps) {
  const app = useApp();
  const { title, text, remedies } = describeAnswerFailure(failure);
  const stops = useStore(app.free, ({ status }) => status?.stops);
  const now = useNow(30_000);
  const until = stops?.find(({ kind }) => kind === 'day')?.until;
  const isDay = failure.code === 'insufficient_quota' && failure.status === 429;
  return (
    <div className={s['failure']} role="group" aria-label={title}>
      <p className={controls['noteTitle']}>{title}</p>
      {text !== '' && <p>{text}</p>}
      {isDay && until !== undefined && <p>It starts anew {formatReset(until, now)}.</p>}
      {isLast && (
        <div className={controls['noteActions']}>
          {remedies.map((remedy) => (
            <RemedyButton key={remedy} remedy={remedy} message={message} />
          ))}
        </div>
      )}
    </div>
  );
}

const links: Readonly<
  Record<Extract<AnswerRemedy, 'privacy' | 'credits'>, { readonly url: string; readonly label: string }>
> = {
  privacy: { url: 'https://openrouter.ai/settings/privacy', label: 'Open privacy settings' },
  credits: { url: 'https://openrouter.ai/settings/credits', label: 'Open the account' },
};

function RemedyButton({ remedy, message }: { readonly remedy: AnswerRemedy; readonly message: Message }) {
  const app = useApp();
  if (remedy === 'again') {
    return <Button onPress={() => void retryStopped(app, message.id)}>Try again</Button>;
  }
  if (remedy === 'key') return <Button onPress={() => goTo('settings')}>Add a key</Button>;
  const { url, label } = links[remedy];
  return (
    <a className={controls['button']} href={url} target="_blank" rel="noopener noreferrer">
      {label}
    </a>
  );
}
