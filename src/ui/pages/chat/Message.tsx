// One message of the conversation, with its pictures and what can be done with an answer.
import { memo, useState } from 'react';
import { useStore } from 'zustand';
import { regenerate, type Message as ChatMessage } from '../../../state/chat';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { Picture } from '../../components/Picture';
import p from '../page.module.css';
import s from './Chat.module.css';

/** A message; an answer can be copied, a drawn one also drawn again. */
export const Message = memo(function Message({ message }: { readonly message: ChatMessage }) {
  const app = useApp();
  const { id, role, text, imageIds } = message;
  const isBusy = useStore(app.drawing, ({ phase }) => phase === 'running');
  return (
    <article className={s['message']} data-role={role} aria-label={role === 'user' ? 'You' : 'Likeness'}>
      {imageIds.map((imageId) => (
        <MessagePicture key={imageId} id={imageId} />
      ))}
      <p className={imageIds.length > 0 ? p['soft'] : s['text']}>{text}</p>
      {role === 'assistant' && (
        <div className={s['tools']}>
          <CopyButton message={message} />
          {imageIds.length > 0 && !isBusy && (
            <Button look="quiet" icon="restore" onPress={() => void regenerate(app, id)}>
              Regenerate
            </Button>
          )}
        </div>
      )}
    </article>
  );
});

function MessagePicture({ id }: { readonly id: string }) {
  const image = useStore(useApp().gallery, (images) => images.find((one) => one.id === id));
  if (!image) return <p className={p['tip']}>This picture was deleted.</p>;
  return <Picture blob={image.png} alt={image.prompt} className={s['picture']} />;
}

/** Copies the picture where there is one and the browser can, else the words. */
function CopyButton({ message }: { readonly message: ChatMessage }) {
  const app = useApp();
  const [words, setWords] = useState('Copy');
  const copy = async () => {
    const image = app.gallery.getState().find(({ id }) => message.imageIds.includes(id));
    try {
      if (image) await navigator.clipboard.write([new ClipboardItem({ 'image/png': image.png })]);
      else await navigator.clipboard.writeText(message.text);
      setWords('Copied');
    } catch {
      setWords('The browser did not allow it'); // a refusal of the clipboard: said on the button itself
    }
  };
  return (
    <Button look="quiet" icon="copy" onPress={() => void copy()}>
      {words}
    </Button>
  );
}
