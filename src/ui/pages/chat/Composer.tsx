// Where a message is written and sent, with what answers it: which model, which subject it may draw.
import { useRef, useState, type ClipboardEvent, type DragEvent, type KeyboardEvent } from 'react';
import { useStore } from 'zustand';
import { prepareAttachment, sendMessage, stopAnswer } from '../../../state/chat';
import { canDo } from '../../../state/free-models-state';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { Field } from '../../components/Field';
import { Picture } from '../../components/Picture';
import { looksLikePicture } from '../../hooks/dropped-files';
import { ChatOptions } from './ChatOptions';
import s from './Chat.module.css';
import { QuotaStatus } from './QuotaStatus';
import { WithConsent, type Ask } from './WithConsent';

/** The textbox "Message" with Send and Stop. Enter sends, Shift+Enter breaks the line, a composition is left alone. */
export function Composer() {
  return <WithConsent>{(ask) => <Form ask={ask} />}</WithConsent>;
}

function Form({ ask }: { readonly ask: Ask }) {
  const app = useApp();
  const [text, setText] = useState('');
  const { pictures, addPictures, removePicture, clearPictures, canSee } = useAttachments();
  const isDrawing = useStore(app.drawing, ({ phase }) => phase === 'running');
  const isBusy = useStore(app.live, (live) => live !== undefined) || isDrawing;
  const send = () => {
    if (isBusy || text.trim() === '') return;
    ask(text, () => {
      void sendMessage(app, text, pictures);
      setText('');
      clearPictures();
    });
  };
  const press = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  const paste = (event: ClipboardEvent) => {
    if (event.clipboardData.files.length === 0) return;
    event.preventDefault();
    addPictures([...event.clipboardData.files]);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    addPictures([...event.dataTransfer.files]);
  };
  return (
    <div className={s['composer']} onDragOver={(event) => event.preventDefault()} onDrop={drop}>
      {pictures.length > 0 && (
        <ul className={s['attached']} aria-label="Pictures to send">
          {pictures.map((picture, i) => (
            <li key={i}>
              <Picture blob={picture} alt={`Picture ${i + 1}`} />
              <Button look="quiet" icon="close" aria-label="Remove" onPress={() => removePicture(picture)} />
            </li>
          ))}
        </ul>
      )}
      <div className={s['composerRow']}>
        <Field label="Message">
          {(props) => (
            <textarea
              {...props}
              rows={1}
              placeholder="Ask, or /imagine a toy in the snow"
              value={text}
              onChange={({ target }) => setText(target.value)}
              onKeyDown={press}
              onPaste={paste}
            />
          )}
        </Field>
        <AttachButton isDisabled={!canSee} onFiles={addPictures} />
        {isBusy ? (
          <Button onPress={() => stopAnswer(app)}>Stop</Button>
        ) : (
          <Button look="primary" isDisabled={text.trim() === ''} onPress={send}>
            Send
          </Button>
        )}
      </div>
      <ChatOptions />
      <QuotaStatus />
    </div>
  );
}

/** The pictures that go with the next message, as far as the chosen model looks at pictures. */
function useAttachments() {
  const app = useApp();
  const [pictures, setPictures] = useState<readonly Blob[]>([]);
  const model = useStore(app.chatSettings, (settings) => settings.model);
  const canSee = useStore(app.free, ({ status }) => canDo(model, status?.models ?? [], 'vision'));
  const addPictures = (files: readonly File[]) => {
    if (!canSee) return;
    for (const file of files.filter(looksLikePicture)) {
      void prepareAttachment(app, file).then((picture) => {
        if (picture) setPictures((before) => [...before, picture]);
      });
    }
  };
  return {
    pictures: canSee ? pictures : [],
    addPictures,
    removePicture: (picture: Blob) => setPictures((before) => before.filter((one) => one !== picture)),
    clearPictures: () => setPictures([]),
    canSee,
  };
}

type AttachButtonProps = {
  readonly isDisabled: boolean;
  readonly onFiles: (files: readonly File[]) => void;
};

function AttachButton({ isDisabled, onFiles }: AttachButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        accept="image/*"
        multiple
        hidden
        aria-label="Pictures to send"
        onChange={({ target }) => {
          onFiles([...(target.files ?? [])]);
          target.value = ''; // the same file may come again
        }}
      />
      <Button
        icon="photo"
        aria-label={isDisabled ? 'Add pictures: the chosen model does not look at pictures' : 'Add pictures'}
        isDisabled={isDisabled}
        onPress={() => input.current?.click()}
      />
    </>
  );
}
