// A failure in words, with the button that helps and the technical part behind a disclosure.
import { chooseEngine, restartEngine } from '../../state/engine';
import type { App } from '../../state/app';
import type { Failure } from '../../state/failure';
import { resumeTraining } from '../../state/training';
import { useApp } from '../app-context';
import { describeFailure, type Remedy } from '../describe-error';
import { goTo } from '../hooks/use-route';
import { Button } from './Button';
import s from './controls.module.css';

const remedies: Readonly<Record<Remedy, { readonly label: string; readonly run: (app: App) => void }>> = {
  'restart-engine': { label: 'Start the engine again', run: (app) => void restartEngine(app) },
  resume: { label: 'Resume', run: (app) => void resumeTraining(app) },
  'free-storage': { label: 'See what is stored', run: () => goTo('settings') },
  'see-models': { label: 'Go to Models', run: () => goTo('models') },
  'use-wasm': { label: 'Use WebAssembly', run: (app) => void chooseEngine(app, { compute: 'wasm' }) },
};

type FailureNoteProps = { readonly failure: Failure; readonly onDismiss?: () => void };

/** A failure, announced when it appears. */
export function FailureNote({ failure, onDismiss }: FailureNoteProps) {
  const app = useApp();
  const { title, text, remedy } = describeFailure(failure);
  return (
    <div className={s['note']} role="alert">
      <p className={s['noteTitle']}>{title}</p>
      <p>{text}</p>
      <div className={s['noteActions']}>
        {remedy && <Button onPress={() => remedies[remedy].run(app)}>{remedies[remedy].label}</Button>}
        {onDismiss && (
          <Button look="quiet" onPress={onDismiss}>
            Dismiss
          </Button>
        )}
      </div>
      <details>
        <summary>Technical details</summary>
        <pre>{failure.technical}</pre>
      </details>
    </div>
  );
}
