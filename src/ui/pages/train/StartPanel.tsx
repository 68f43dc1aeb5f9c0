// Before a run: what it will cost, advice, what is missing, and the button.
import { useStore } from 'zustand';
import { adviceOf, obstacleOf, type Advice } from '../../../state/obstacle';
import { startTraining } from '../../../state/training';
import type { Obstacle } from '../../../state/workspace-state';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { formatBytes } from '../../format';
import p from '../page.module.css';
import { Preflight } from './Preflight';
import s from './Train.module.css';

/** The panel beside a draft. */
export function StartPanel() {
  const app = useApp();
  const workspace = useStore(app.workspace);
  const engine = useStore(app.engine);
  const obstacle = obstacleOf(workspace, engine);
  const isSaid = obstacle && (workspace.hasTriedToStart || obstacle === 'does-not-fit');
  return (
    <section className={p['panel']} aria-labelledby="start-title">
      <h2 id="start-title">Before you start</h2>
      <Preflight />
      {adviceOf(workspace).map((advice) => (
        <p key={advice.kind} className={p['tip']}>
          {describeAdvice(advice)}
        </p>
      ))}
      <div role="alert" className={s['status']}>
        {workspace.startsWhenLoaded && (
          <p>The model is still loading. Training starts by itself as soon as it is there.</p>
        )}
        {isSaid && !workspace.startsWhenLoaded && (
          <p className={p['error']}>{describeObstacle(obstacle, workspace.estimate)}</p>
        )}
      </div>
      <Button look="primary" isDisabled={workspace.readingPhotos > 0} onPress={() => void startTraining(app)}>
        Start training
      </Button>
    </section>
  );
}

type Estimate = ReturnType<ReturnType<typeof useApp>['workspace']['getState']>['estimate'];

function describeObstacle(obstacle: Obstacle, estimate: Estimate): string {
  switch (obstacle) {
    case 'no-photos':
      return 'Add at least one photo of your subject first.';
    case 'no-word':
      return 'The subject word is empty: give your subject a word, such as sks.';
    case 'no-class':
      return 'The class is empty: say what kind of thing your subject is, for example dog.';
    case 'no-model':
      return 'The model could not be loaded: what is wrong is said in the note about the engine.';
    case 'bad-setting':
      return 'A setting is outside its range: see Steps and All settings.';
    case 'does-not-fit': {
      if (estimate.phase !== 'known') return '';
      const { memoryBytes, memoryLimitBytes, tensorBytes, tensorLimitBytes } = estimate.estimate;
      if (memoryBytes <= memoryLimitBytes)
        return `This run has a table of ${formatBytes(tensorBytes)}, and this GPU takes ${formatBytes(tensorLimitBytes)} at once. A batch of 1 needs less.`;
      return `This run needs ${formatBytes(memoryBytes)} of memory, and this device gives ${formatBytes(memoryLimitBytes)}. A batch of 1, a lower rank, attention layers only or the tight memory setting need less.`;
    }
  }
}

function describeAdvice(advice: Advice): string {
  switch (advice.kind) {
    case 'one-photo':
      return 'One photo works, but the model will learn its background and pose along with the subject. Three to six from different sides do much better.';
    case 'few-photos':
      return `${advice.count} photos are a start; four to six from different sides do better.`;
    case 'many-photos':
      return `${advice.count} photos are many: each is seen less often, so give it more steps. Twenty good ones are usually enough.`;
    case 'captions-without-word':
      return `${advice.count === 1 ? 'One caption does' : `${advice.count} captions do`} not say “${advice.word}”, so the word learns nothing from ${advice.count === 1 ? 'it' : 'them'}.`;
  }
}
