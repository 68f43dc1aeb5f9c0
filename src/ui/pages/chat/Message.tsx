// One message of the conversation, with its pictures and what can be done with an answer.
import { memo, useState } from 'react';
import { useStore } from 'zustand';
import { editMessage, regenerate } from '../../../state/chat';
import type { Message as ChatMessage } from '../../../state/chat-state';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { CopyButton } from '../../components/CopyButton';
import { Field } from '../../components/Field';
import { Picture } from '../../components/Picture';
import p from '../page.module.css';
import { AnswerFacts, Attempts, Reasoning } from './AnswerDetails';
import { AnswerText } from './AnswerText';
import s from './Chat.module.css';
import { FailureCard } from './FailureCard';
import { WithConsent, type Ask } from './WithConsent';

type MessageProps = {
  readonly message: ChatMessage;
  readonly questionId: string | undefined; // the person's message that led to this one
  readonly isLast: boolean;
  readonly isEdited: boolean;
  readonly onEdit: (id: string | undefined) => void;
};

/** A message. An answer can be copied and made again, and the message that led to it changed. */
export const Message = memo(function Message(props: MessageProps) {
  const { message, questionId, isLast, isEdited, onEdit } = props;
  const { role, text, imageIds, attachments, answer } = message;
  if (isEdited) {
    const close = () => onEdit(undefined);
    return <WithConsent>{(ask) => <Editor message={message} ask={ask} onClose={close} />}</WithConsent>;
  }
  return (
    <article className={s['message']} data-role={role} aria-label={role === 'user' ? 'You' : 'Likeness'}>
      {answer && <Reasoning text={answer.reasoning} />}
      {attachments.length > 0 && (
        <div className={s['attached']}>
          {attachments.map((picture, i) => (
            <Picture key={i} blob={picture} alt={`Picture ${i + 1}`} />
          ))}
        </div>
      )}
      {answer !== null && text !== '' && <AnswerText text={text} />}
      {imageIds.map((imageId) => (
        <MessagePicture key={imageId} id={imageId} />
      ))}
      {answer === null && <p className={imageIds.length > 0 ? p['soft'] : s['text']}>{text}</p>}
      {answer?.failure && <FailureCard message={message} failure={answer.failure} isLast={isLast} />}
      {answer && <AnswerFacts answer={answer} />}
      {role === 'assistant' && <Tools message={message} onEdit={() => onEdit(questionId)} />}
    </article>
  );
});

function Tools({ message, onEdit }: { readonly message: ChatMessage; readonly onEdit: () => void }) {
  const app = useApp();
  const isBusy = useStore(app.live, (live) => live !== undefined);
  const isDrawing = useStore(app.drawing, ({ phase }) => phase === 'running');
  const { id, answer, text, imageIds } = message;
  const questionText = answer === null ? '/imagine' : ''; // what was drawn here leaves nothing
  const isEmpty = text === '' && imageIds.length === 0;
  return (
    <div className={s['tools']}>
      {!isEmpty && <CopyButton copy={() => copyMessage(app.gallery.getState(), message)} />}
      {!isBusy && !isDrawing && (
        <>
          <WithConsent>
            {(ask) => (
              <Button
                look="quiet"
                icon="restore"
                onPress={() => ask(questionText, () => void regenerate(app, id))}
              >
                Regenerate
              </Button>
            )}
          </WithConsent>
          <Button look="quiet" icon="rename" onPress={onEdit}>
            Edit
          </Button>
        </>
      )}
      {answer && <Attempts attempts={answer.attempts} />}
    </div>
  );
}

/** Copies the picture where there is one and the browser can, else the words. */
async function copyMessage(
  gallery: readonly { readonly id: string; readonly png: Blob }[],
  { imageIds, text }: ChatMessage,
): Promise<void> {
  const image = gallery.find(({ id }) => imageIds.includes(id));
  if (image) await navigator.clipboard.write([new ClipboardItem({ 'image/png': image.png })]);
  else await navigator.clipboard.writeText(text);
}

function MessagePicture({ id }: { readonly id: string }) {
  const image = useStore(useApp().gallery, (images) => images.find((one) => one.id === id));
  if (!image) return <p className={p['tip']}>This picture was deleted.</p>;
  return <Picture blob={image.png} alt={image.prompt} className={s['picture']} />;
}

type EditorProps = { readonly message: ChatMessage; readonly ask: Ask; readonly onClose: () => void };

function Editor({ message, ask, onClose }: EditorProps) {
  const app = useApp();
  const [text, setText] = useState(message.text);
  const send = () => {
    onClose();
    void editMessage(app, message.id, text);
  };
  return (
    <form
      className={s['editor']}
      onSubmit={(event) => {
        event.preventDefault();
        ask(text, send);
      }}
    >
      <Field label="Your message" hint="What came after it is replaced.">
        {(props) => (
          <textarea {...props} autoFocus value={text} onChange={({ target }) => setText(target.value)} />
        )}
      </Field>
      <p className={p['row']}>
        <Button look="primary" type="submit" isDisabled={text.trim() === ''}>
          Send again
        </Button>
        <Button onPress={onClose}>Cancel</Button>
      </p>
    </form>
  );
}
