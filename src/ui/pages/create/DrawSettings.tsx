// How to draw: what nobody touched is the model's own advice.
import { useStore } from 'zustand';
import { editForm, randomizeSeed } from '../../../state/drawing';
import { modelOf } from '../../../state/engine-state';
import { samplerLabels, sigmaLabels } from '../../../state/samplers';
import { parseSeedList } from '../../../state/seed-list';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { Field } from '../../components/Field';
import { NumberInput } from '../../components/NumberInput';
import { SelectInput } from '../../components/SelectInput';
import { SwitchInput } from '../../components/SwitchInput';
import s from './Create.module.css';
import { PreviewSettings } from './PreviewSettings';

const [smallestSide, largestSide] = [16, 1024];
const sigmaOptions = Object.entries(sigmaLabels) as [keyof typeof sigmaLabels, string][];

/** Sampler, numbers and the seed. */
export function DrawSettings() {
  const app = useApp();
  const form = useStore(app.form);
  const model = useStore(app.engine, modelOf);
  const sampler = form.sampler ?? model?.sampling.sampler ?? 'ddim';
  const step = model?.sizeStep ?? 8;
  const side = (value: number | undefined, name: 'width' | 'height', label: string) => (
    <NumberInput
      label={label}
      value={value ?? model?.resolution}
      lowest={smallestSide}
      highest={largestSide}
      step={step}
      error={isMultiple(value, step) ? undefined : `A multiple of ${step}.`}
      onChange={(next) => editForm(app, { [name]: next })}
    />
  );
  return (
    <>
      <SelectInput
        label="Sampler"
        value={sampler}
        options={(model?.samplers ?? [sampler]).map((name) => [name, samplerLabels[name]] as const)}
        isDisabled={!model}
        onChange={(next) => editForm(app, { sampler: next })}
      />
      {model?.sigmaSamplers.includes(sampler) && (
        <SelectInput
          label="Noise levels"
          value={form.sigmas}
          options={sigmaOptions}
          onChange={(sigmas) => editForm(app, { sigmas })}
        />
      )}
      <div className={s['numbers']}>
        <NumberInput
          label="Steps"
          value={form.steps ?? model?.sampling.steps}
          lowest={1}
          highest={200}
          onChange={(steps) => editForm(app, { steps })}
        />
        <NumberInput
          label="Guidance"
          value={form.guidance ?? model?.sampling.guidance}
          lowest={0}
          highest={50}
          step="any"
          onChange={(guidance) => editForm(app, { guidance })}
        />
        <NumberInput
          label="Images"
          value={form.images}
          lowest={1}
          highest={100}
          onChange={(images) => editForm(app, { images })}
        />
        <NumberInput
          label="Batch size"
          value={form.batchSize ?? model?.sampling.batchSize}
          lowest={1}
          highest={16}
          onChange={(batchSize) => editForm(app, { batchSize })}
        />
        {side(form.width, 'width', 'Width')}
        {side(form.height, 'height', 'Height')}
        <div className={s['seed']}>
          <NumberInput
            label="Seed"
            value={form.seed}
            lowest={0}
            highest={2 ** 32 - 1}
            onChange={(seed) => editForm(app, { seed })}
          />
          <Button icon="dice" aria-label="Random seed" onPress={() => randomizeSeed(app)} />
        </div>
      </div>
      <Field
        label="Seed list"
        hint="Like 1, 5, 9-12: a picture of each, in place of Seed and Images."
        error={parseSeedList(form.seedList) ? undefined : 'Up to 100 whole numbers, with commas between.'}
      >
        {(props) => (
          <input
            {...props}
            value={form.seedList}
            onChange={({ target }) => editForm(app, { seedList: target.value })}
          />
        )}
      </Field>
      <SwitchInput
        label="Prompt weighting"
        hint="(word:1.2) counts more, [word] less; long prompts are read in parts, and BREAK starts the next."
        value={form.promptSyntax === 'weighted'}
        onChange={(isOn) => editForm(app, { promptSyntax: isOn ? 'weighted' : 'plain' })}
      />
      <PreviewSettings />
    </>
  );
}

const isMultiple = (value: number | undefined, step: number): boolean =>
  value === undefined || value % step === 0;
