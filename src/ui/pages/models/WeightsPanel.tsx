// In how many bits the UNet's large weights are kept, what that saves, and what it does to a picture.
import { useState } from 'react';
import { useStore } from 'zustand';
import { chooseEngine } from '../../../state/engine';
import { modelOf } from '../../../state/engine-state';
import { isTraining } from '../../../state/training-state';
import { compareWeights } from '../../../state/weights-comparison';
import {
  weightsChoices,
  weightsLabels,
  type WeightsComparison,
} from '../../../state/weights-comparison-state';
import { useApp } from '../../app-context';
import { FailureNote } from '../../components/FailureNote';
import { Picture } from '../../components/Picture';
import { RadioCards } from '../../components/RadioCards';
import { SwitchInput } from '../../components/SwitchInput';
import { formatBytes } from '../../format';
import p from '../page.module.css';
import s from './WeightsPanel.module.css';

const steps = {
  before: 'Drawing with the present weights…',
  switch: 'Loading the model anew…',
  after: 'Drawing with the new weights…',
} as const;

/** The panel "Weights". */
export function WeightsPanel() {
  const app = useApp();
  const engine = useStore(app.engine);
  const comparison = useStore(app.comparison);
  const isWorking = useStore(app.training, isTraining);
  const isDrawing = useStore(app.drawing, ({ phase }) => phase === 'running');
  const [compares, setCompares] = useState(false);
  const model = modelOf(engine);
  const isLoading = engine.phase === 'opening' || engine.phase === 'loading';
  const isLocked = isWorking || isDrawing || comparison.phase === 'running' || isLoading;
  const choose = (weights: (typeof weightsChoices)[number]) =>
    void (compares && model ? compareWeights(app, weights) : chooseEngine(app, { weights }));
  return (
    <section className={p['panel']} aria-labelledby="weights-title">
      <h2 id="weights-title">Weights</h2>
      <p className={p['soft']}>
        Rounded weights leave memory for larger pictures and for training, of which they stay the frozen part.
        Pictures change: little with 8 bit, visibly with 4 bit.
      </p>
      <RadioCards
        label="Weights"
        cards={weightsChoices.map((value) => ({
          value,
          label: weightsLabels[value],
          hint: model && `${formatBytes(model.unetBytes[value])} for the UNet`,
        }))}
        value={comparison.phase === 'running' ? comparison.to : engine.weights}
        isDisabled={isLocked}
        onChange={choose}
      />
      <SwitchInput
        label="Compare pictures"
        hint="Draws the same picture before and after the switch, in a few steps."
        value={compares}
        isDisabled={isLocked}
        onChange={setCompares}
      />
      {(isWorking || isDrawing) && (
        <p className={p['tip']}>
          {isWorking ? 'Pause training' : 'Stop drawing'} to change this: the model is loaded anew.
        </p>
      )}
      <div role="status" aria-label="Comparison">
        <Comparison comparison={comparison} />
      </div>
    </section>
  );
}

function Comparison({ comparison }: { readonly comparison: WeightsComparison }) {
  if (comparison.phase === 'idle') return null;
  if (comparison.phase === 'running') return <p className={p['soft']}>{steps[comparison.step]}</p>;
  if (comparison.phase === 'failed') return <FailureNote failure={comparison.failure} />;
  const { from, to, before, after, difference } = comparison;
  return (
    <>
      <div className={s['pair']}>
        {[[weightsLabels[from], before] as const, [weightsLabels[to], after] as const].map(
          ([label, picture]) => (
            <figure key={label}>
              <Picture blob={picture} alt={`Drawn with weights ${label.toLowerCase()}`} />
              <figcaption className={p['soft']}>{label}</figcaption>
            </figure>
          ),
        )}
      </div>
      <p>On average {difference.toFixed(2)} of 255 levels apart.</p>
    </>
  );
}
