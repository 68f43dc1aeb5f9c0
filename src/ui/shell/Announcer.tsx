// One polite live region that tells stages, ends and finished answers, never single steps or tokens.
import { useEffect, useState } from 'react';
import type { App } from '../../state/app';
import { isTraining } from '../../state/training-state';
import { useApp } from '../app-context';
import { stageNames } from '../stage-names';

/** The region; empty to the eye. */
export function Announcer() {
  const app = useApp();
  const [words, setWords] = useState('');
  useEffect(() => announce(app, setWords), [app]);
  return (
    <p className="visually-hidden" aria-live="polite">
      {words}
    </p>
  );
}

function announce(app: App, say: (words: string) => void): () => void {
  const leave = [
    app.progress.subscribe((now, before) => {
      if (now && now.stage !== before?.stage) say(`${stageNames[now.stage]}.`);
    }),
    app.training.subscribe((now, before) => {
      if (!isTraining(before) || isTraining(now)) return;
      const { run } = app.workspace.getState();
      if (now.phase === 'failed') say('Training failed.');
      else
        say(run.state === 'paused' ? `Paused at step ${run.step}.` : `Training ended at step ${run.step}.`);
    }),
    app.drawing.subscribe((now, before) => {
      if (now.phase === before.phase) return;
      if (now.phase === 'running') say('Drawing.');
      else if (now.phase === 'idle') say('Drawing ended.');
    }),
    app.chat.subscribe((now, before) => {
      const last = now.messages.at(-1);
      const isNew = now.messages.length > before.messages.length && last?.role === 'assistant';
      if (isNew && app.live.getState()) say(last.text === '' ? 'No answer came.' : last.text);
    }),
    app.engine.subscribe((now, before) => {
      if (now.phase === 'ready' && before.phase !== 'ready') say('The model is ready.');
    }),
  ];
  return () => {
    for (const unsubscribe of leave) unsubscribe();
  };
}
