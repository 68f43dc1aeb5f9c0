// Words, recipe and steps of the draft; every other setting behind a disclosure.
import { useId } from 'react';
import { Disclosure, DisclosurePanel } from 'react-aria-components/Disclosure';
import { useStore } from 'zustand';
import { modelOf } from '../../../state/engine-state';
import { obstacleOf } from '../../../state/obstacle';
import { recipeLabels, recipeOf } from '../../../state/training-settings';
import { chooseRecipe, setSetting, setWords } from '../../../state/workspace';
import { instancePrompt } from '../../../state/workspace-state';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { Field } from '../../components/Field';
import { NumberInput } from '../../components/NumberInput';
import { RadioCards } from '../../components/RadioCards';
import p from '../page.module.css';
import { AllSettings } from './AllSettings';
import s from './Train.module.css';

/** What a person says about the subject and how long to train. */
export function SetupPanel() {
  return (
    <section className={p['panel']} aria-labelledby="setup-title">
      <h2 id="setup-title">What it is, and how long to train</h2>
      <Words />
      <Recipe />
      <Disclosure className={s['disclosure']!}>
        <Button slot="trigger" look="quiet" icon="settings">
          All settings
        </Button>
        <DisclosurePanel>
          <AllSettings />
        </DisclosurePanel>
      </Disclosure>
    </section>
  );
}

const classes = ['dog', 'cat', 'toy', 'person', 'backpack', 'car', 'cup', 'shoe', 'chair', 'plant', 'bird'];

function Words() {
  const app = useApp();
  const list = useId();
  const { subjectWord, className } = useStore(app.workspace, ({ run }) => run);
  const engine = useStore(app.engine);
  const workspace = useStore(app.workspace);
  const obstacle = workspace.hasTriedToStart ? obstacleOf(workspace, engine) : undefined;
  return (
    <>
      <div className={p['fields']}>
        <Field
          label="Subject word"
          hint="A rare word that will mean yours."
          error={obstacle === 'no-word' ? 'Give your subject a word, such as sks.' : undefined}
        >
          {(props) => (
            <input
              {...props}
              autoComplete="off"
              spellCheck={false}
              value={subjectWord}
              onChange={({ target }) => setWords(app, { subjectWord: target.value })}
            />
          )}
        </Field>
        <Field
          label="Class"
          hint="What kind of thing it is, in a common word."
          error={
            obstacle === 'no-class'
              ? 'Say what kind of thing it is, for example dog: training starts from what the model knows of that.'
              : undefined
          }
        >
          {(props) => (
            <input
              {...props}
              list={list}
              autoComplete="off"
              placeholder="dog, toy, person…"
              value={className}
              onChange={({ target }) => setWords(app, { className: target.value })}
            />
          )}
        </Field>
        <datalist id={list}>
          {classes.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </div>
      <p className={p['soft']}>Afterwards “{instancePrompt(subjectWord, className)}” draws your subject.</p>
    </>
  );
}

function Recipe() {
  const app = useApp();
  const model = useStore(app.engine, modelOf);
  const settings = useStore(app.workspace, ({ run }) => run.settings);
  const cards = (['quick', 'standard', 'thorough'] as const).map((value) => ({
    value,
    label: recipeLabels[value].label,
    hint: model
      ? `${model.recipes[value].steps} steps. ${recipeLabels[value].hint}`
      : recipeLabels[value].hint,
  }));
  const recipe = settings && model && recipeOf(settings, model);
  const [lowest, highest] = model?.settingRanges.steps ?? [1, 20000];
  return (
    <>
      <RadioCards
        label="Recipe"
        cards={cards}
        value={recipe}
        isDisabled={!model}
        onChange={(value) => chooseRecipe(app, value)}
      />
      <div className={p['fields']}>
        <NumberInput
          label="Steps"
          value={settings?.steps}
          lowest={lowest}
          highest={highest}
          hint={settings && model && !recipe ? 'Your own settings: no recipe is chosen.' : undefined}
          onChange={(steps) => setSetting(app, 'steps', steps)}
        />
      </div>
    </>
  );
}
