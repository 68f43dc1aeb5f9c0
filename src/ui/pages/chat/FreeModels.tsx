// The free models with what they can do, how they do, and what came and went.
import { useStore } from 'zustand';
import { editChatSettings } from '../../../state/chat';
import { readModels } from '../../../state/free-models';
import type { ModelStatus, RouterStatus } from '../../../state/free-models-state';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { formatDuration, formatSeconds } from '../../format';
import { useNow } from '../../hooks/use-now';
import p from '../page.module.css';
import { attemptWords } from './answer-failures';
import s from './Chat.module.css';
import { badgesOf } from './model-words';

/** How long a change is news, in ms. */
const newsMs = 7 * 24 * 60 * 60_000;

/** The list "Free models". */
export function FreeModels() {
  const app = useApp();
  const { status, isReading } = useStore(app.free);
  const chosen = useStore(app.chatSettings, ({ model }) => model);
  const isCooling = status?.models.some(({ coolDown }) => coolDown !== undefined) === true;
  const now = useNow(isCooling ? 1000 : 60_000);
  const gone = status?.changes.filter(({ kind, at }) => kind === 'gone' && now - at < newsMs) ?? [];
  return (
    <section className={s['models']} aria-labelledby="free-title">
      <div className={p['panelHead']}>
        <h2 id="free-title">Free models</h2>
        <p className={p['soft']}>{isReading ? 'Reading the list…' : countWords(status)}</p>
      </div>
      {status?.listFailure !== undefined && (
        <div className={p['tip']}>
          <p>The list could not be read: {status.listFailure}</p>
          <Button look="quiet" onPress={() => void readModels(app, true)}>
            Read it again
          </Button>
        </div>
      )}
      <ul aria-label="Free models" className={s['modelList']}>
        {status?.models.map((model) => (
          <ModelItem
            key={model.id}
            model={model}
            now={now}
            news={newsOf(status, model, now)}
            isChosen={model.id === chosen}
          />
        ))}
        {gone
          .filter(({ id }) => !status?.models.some((model) => model.id === id))
          .map(({ id }) => (
            <li key={`gone ${id}`} className={s['model']}>
              <p className={s['modelName']}>
                <s>{id}</s> <span className={p['chip']}>gone</span>
              </p>
            </li>
          ))}
      </ul>
    </section>
  );
}

function countWords(status: RouterStatus | undefined): string {
  return status?.listedAt === undefined ? 'Not read yet' : `${status.models.length} now`;
}

function newsOf({ changes }: RouterStatus, { id }: ModelStatus, now: number): string | undefined {
  const change = changes.find(
    (one) => one.id === id && (one.kind === 'expiring' || (one.kind === 'new' && now - one.at < newsMs)),
  );
  if (change?.kind !== 'expiring') return change?.kind;
  return `until ${new Date(change.at).toLocaleDateString(undefined, { month: 'short', day: 'numeric' })}`;
}

type ModelItemProps = {
  readonly model: ModelStatus;
  readonly now: number;
  readonly news: string | undefined;
  readonly isChosen: boolean;
};

function ModelItem({ model, now, news, isChosen }: ModelItemProps) {
  const app = useApp();
  const { id, name, coolDown } = model;
  const cooling = coolDown && coolDown.until > now ? coolDown : undefined;
  return (
    <li className={s['model']} data-cooling={cooling !== undefined}>
      <p className={s['modelName']} title={id}>
        {name.replace(/ \(free\)$/i, '')}
      </p>
      <p className={s['badges']}>
        {badgesOf(model).map((badge) => (
          <span key={badge} className={p['chip']}>
            {badge}
          </span>
        ))}
        {news !== undefined && (
          <span className={p['chip']} data-tone="accent">
            {news}
          </span>
        )}
      </p>
      <p className={p['soft']}>
        {cooling
          ? `Set aside, ${attemptWords[cooling.cause] ?? cooling.cause}: back in ${formatDuration((cooling.until - now) / 1000)}`
          : healthWords(model)}
      </p>
      {isChosen ? (
        <span className={s['chosen']}>Chosen</span>
      ) : (
        <Button look="quiet" aria-label={`Use ${id}`} onPress={() => editChatSettings(app, { model: id })}>
          Use
        </Button>
      )}
    </li>
  );
}

function healthWords({ success, firstTokenMs, tokensPerSecond, waitMs }: ModelStatus): string {
  const parts = [
    `${Math.round(success * 100)} % answer`,
    firstTokenMs === undefined
      ? `about ${formatSeconds(waitMs / 1000)} to wait`
      : `first word after ${formatSeconds(firstTokenMs / 1000)}`,
    ...(tokensPerSecond === undefined ? [] : [`${Math.round(tokensPerSecond)} tokens/s`]),
  ];
  return parts.join(' · ');
}
