// Who answers, and what the answer may draw.
import { useStore } from 'zustand';
import { chooseChatSubject, editChatSettings } from '../../../state/chat';
import { canDo, virtualNames, type ModelStatus } from '../../../state/free-models-state';
import { drawable } from '../../../state/subjects-state';
import { useApp } from '../../app-context';
import { SelectInput } from '../../components/SelectInput';
import { SwitchInput } from '../../components/SwitchInput';
import s from './Chat.module.css';
import { badgesOf, virtualHints } from './model-words';

const noModels: readonly ModelStatus[] = [];

/** The comboboxes "Chat model" and "Subject", and whether the model may draw. */
export function ChatOptions() {
  const app = useApp();
  const { model, drawsItself } = useStore(app.chatSettings);
  const models = useStore(app.free, ({ status }) => status?.models ?? noModels);
  const subjectId = useStore(app.chat, (chat) => chat.subjectId);
  const subjects = useStore(app.subjects);
  const canCallTools = canDo(model, models, 'tools');
  return (
    <div className={s['options']}>
      <SelectInput
        label="Chat model"
        value={model}
        options={modelOptions(models, model)}
        onChange={(name) => editChatSettings(app, { model: name })}
      />
      <SelectInput
        label="Subject"
        value={subjectId ?? ''}
        options={[['', 'None'], ...drawable(subjects).map((subject) => [subject.id, subject.name] as const)]}
        onChange={(id) => chooseChatSubject(app, id === '' ? undefined : id)}
      />
      <SwitchInput
        label="Let the model draw"
        value={drawsItself && canCallTools}
        isDisabled={!canCallTools}
        onChange={(isOn) => editChatSettings(app, { drawsItself: isOn })}
      />
    </div>
  );
}

/** Virtual names under their own names, models with what they can do and how they are. */
function modelOptions(
  models: readonly ModelStatus[],
  chosen: string,
): readonly (readonly [string, string])[] {
  const isKnown = virtualNames.includes(chosen) || models.some(({ id }) => id === chosen);
  return [
    ...virtualNames.map((name) => [name, `${name}: ${virtualHints[name] ?? ''}`] as const),
    ...models.map((model) => [model.id, `${model.id} (${describe(model)})`] as const),
    ...(isKnown ? [] : [[chosen, `${chosen} (not in the list)`] as const]),
  ];
}

function describe(model: ModelStatus): string {
  const health = model.coolDown === undefined ? [] : ['set aside for now'];
  return [...badgesOf(model), ...health].join(', ');
}
