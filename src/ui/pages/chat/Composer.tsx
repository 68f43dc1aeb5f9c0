// Where a message is written and sent, and whom /imagine draws.
import { useState, type KeyboardEvent } from 'react';
import { useStore } from 'zustand';
import { chooseChatSubject, sendMessage } from '../../../state/chat';
import { stopDrawing } from '../../../state/drawing';
import { drawable } from '../../../state/subjects-state';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { Field } from '../../components/Field';
import { SelectInput } from '../../components/SelectInput';
import s from './Chat.module.css';

/** The textbox "Message" with Send and Stop. Enter sends, Shift+Enter breaks the line, a composition is left alone. */
export function Composer() {
  const app = useApp();
  const [text, setText] = useState('');
  const isBusy = useStore(app.drawing, ({ phase }) => phase === 'running');
  const subjectId = useStore(app.chat, (chat) => chat.subjectId);
  const subjects = useStore(app.subjects);
  const send = () => {
    if (isBusy || text.trim() === '') return;
    void sendMessage(app, text);
    setText('');
  };
  const press = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <div className={s['composer']}>
      <Field label="Message">
        {(props) => (
          <textarea
            {...props}
            rows={1}
            placeholder="/imagine a photo of sks toy in the snow"
            value={text}
            onChange={({ target }) => setText(target.value)}
            onKeyDown={press}
          />
        )}
      </Field>
      <div className={s['composerRow']}>
        <SelectInput
          label="Subject"
          value={subjectId ?? ''}
          options={[
            ['', 'None'],
            ...drawable(subjects).map((subject) => [subject.id, subject.name] as const),
          ]}
          onChange={(id) => chooseChatSubject(app, id === '' ? undefined : id)}
        />
        {isBusy ? (
          <Button onPress={() => stopDrawing(app)}>Stop</Button>
        ) : (
          <Button look="primary" isDisabled={text.trim() === ''} onPress={send}>
            Send
          </Button>
        )}
      </div>
    </div>
  );
}
