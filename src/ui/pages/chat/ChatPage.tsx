// Chat: a conversation with free models, in which "/imagine …" draws on this machine.
import { useEffect, useState } from 'react';
import { useStore } from 'zustand';
import { clearChat } from '../../../state/chat';
import type { Message as ChatMessage } from '../../../state/chat-state';
import { drawnPart } from '../../../state/drawing-state';
import { readModels } from '../../../state/free-models';
import { refreshSubjects } from '../../../state/subjects';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { FailureNote } from '../../components/FailureNote';
import { LiveCanvas } from '../../components/LiveCanvas';
import { ProgressBar } from '../../components/ProgressBar';
import { useFollowEnd } from '../../hooks/use-follow-end';
import { goTo } from '../../hooks/use-route';
import p from '../page.module.css';
import s from './Chat.module.css';
import { Composer } from './Composer';
import { FreeModels } from './FreeModels';
import { LiveAnswer } from './LiveAnswer';
import { Message } from './Message';

/** The place Chat. */
export function ChatPage() {
  const app = useApp();
  const [isListOpen, setListOpen] = useState(false); // where there is no room for it beside
  const isEmpty = useStore(app.chat, ({ messages }) => messages.length === 0);
  const isBusy = useStore(app.live, (live) => live !== undefined);
  const isDrawing = useStore(app.drawing, ({ phase }) => phase === 'running');
  const router = useStore(app.router);
  const key = useStore(app.key, ({ facts }) => facts);
  useEffect(() => void refreshSubjects(app), [app]);
  useEffect(() => void readModels(app), [app, router, key]);
  return (
    <div className={s['page']} data-list={isListOpen}>
      <div className={s['talk']}>
        <div className={p['head']}>
          <h1>Chat</h1>
          <div className={p['headEnd']}>
            {!isEmpty && !isBusy && !isDrawing && (
              <Button look="quiet" onPress={() => void clearChat(app)}>
                Clear
              </Button>
            )}
            <div className={s['listToggle']}>
              <Button look="quiet" aria-expanded={isListOpen} onPress={() => setListOpen(!isListOpen)}>
                {isListOpen ? 'Conversation' : 'Models'}
              </Button>
            </div>
          </div>
        </div>
        <Quarantine />
        <Conversation />
        <Composer />
      </div>
      <aside className={s['side']}>
        <FreeModels />
      </aside>
    </div>
  );
}

/** Models that asked for money: told as long as it is fresh. */
function Quarantine() {
  const notices = useStore(useApp().free, ({ status }) => status?.notices);
  return notices?.map(({ model, message }) => (
    <p key={model} role="alert" className={p['warn']}>
      {model} asked for money and is not used any more. {message} Look at your account at OpenRouter.
    </p>
  ));
}

function Conversation() {
  const app = useApp();
  const messages = useStore(app.chat, (chat) => chat.messages);
  const [editedId, setEditedId] = useState<string>();
  const { box, isFollowing, goToEnd } = useFollowEnd();
  const questions = messages.filter(({ role }) => role === 'user').length;
  useEffect(goToEnd, [goToEnd, questions]); // who sends wants to see the answer
  return (
    <div className={s['logFrame']}>
      {/* Finished answers are announced by the page's announcer; a log would read every token. */}
      <div ref={box} role="log" aria-label="Conversation" aria-live="off" tabIndex={0} className={s['log']}>
        <div className={s['logInner']}>
          {messages.length === 0 && <Welcome />}
          {messages.map((message, i) => (
            <Message
              key={message.id}
              message={message}
              questionId={questionOf(messages, i)}
              isLast={i === messages.length - 1}
              isEdited={message.id === editedId}
              onEdit={setEditedId}
            />
          ))}
          <LiveAnswer />
          <LiveDrawing />
        </div>
      </div>
      {!isFollowing && (
        <div className={s['toEnd']}>
          <Button icon="menu" onPress={goToEnd}>
            To the end
          </Button>
        </div>
      )}
    </div>
  );
}

const questionOf = (messages: readonly ChatMessage[], at: number): string | undefined =>
  messages.slice(0, at).findLast(({ role }) => role === 'user')?.id;

/** The picture under way, or why there is none. */
function LiveDrawing() {
  const drawing = useStore(useApp().drawing);
  if (drawing.phase === 'idle' || drawing.place !== 'chat') return null;
  if (drawing.phase === 'failed') return <FailureNote failure={drawing.failure} />;
  return (
    <div className={s['drawing']}>
      <LiveCanvas />
      <ProgressBar label="Drawing" value={drawnPart(drawing)} />
    </div>
  );
}

function Welcome() {
  const hasKey = useStore(useApp().key, ({ facts }) => facts !== undefined);
  return (
    <div className={s['welcome']}>
      <p>
        Talk with OpenRouter’s free models: this tab chooses one that is well, and goes on to the next when it
        is not. It never sends a request that costs money.
      </p>
      {!hasKey && (
        <p>
          <Button look="primary" onPress={() => goTo('settings')}>
            Add your OpenRouter key
          </Button>
        </p>
      )}
      <p className={p['soft']}>
        Or ask for a picture: <span className="numbers">/imagine a photo of sks toy on the moon</span>. It is
        drawn on this machine, with the subject chosen below, and needs no key.
      </p>
    </div>
  );
}
