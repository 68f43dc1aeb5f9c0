// Chat: a conversation in which "/imagine …" draws on this machine.
import { useEffect, useRef } from 'react';
import { useStore } from 'zustand';
import { clearChat } from '../../../state/chat';
import { drawnPart } from '../../../state/drawing-state';
import { refreshSubjects } from '../../../state/subjects';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { FailureNote } from '../../components/FailureNote';
import { LiveCanvas } from '../../components/LiveCanvas';
import { ProgressBar } from '../../components/ProgressBar';
import p from '../page.module.css';
import s from './Chat.module.css';
import { Composer } from './Composer';
import { Message } from './Message';

/** The place Chat. */
export function ChatPage() {
  const app = useApp();
  const messages = useStore(app.chat, (chat) => chat.messages);
  const drawing = useStore(app.drawing);
  const isDrawing = drawing.phase === 'running' && drawing.place === 'chat';
  const log = useRef<HTMLDivElement>(null);
  useEffect(() => void refreshSubjects(app), [app]);
  useEffect(() => {
    log.current?.scrollTo({ top: log.current.scrollHeight });
  }, [messages, isDrawing]);
  return (
    <div className={s['page']}>
      <div className={p['head']}>
        <h1>Chat</h1>
        <div className={p['headEnd']}>
          {messages.length > 0 && !isDrawing && (
            <Button look="quiet" onPress={() => void clearChat(app)}>
              Clear
            </Button>
          )}
        </div>
      </div>
      <div ref={log} role="log" aria-label="Conversation" tabIndex={0} className={s['log']}>
        {messages.length === 0 && (
          <p className={p['soft']}>
            Ask for a picture: <span className="numbers">/imagine a photo of sks toy on the moon</span>. It is
            drawn on this machine, with the subject chosen below.
          </p>
        )}
        {messages.map((message) => (
          <Message key={message.id} message={message} />
        ))}
        {isDrawing && (
          <div className={s['drawing']}>
            <LiveCanvas />
            <ProgressBar label="Drawing" value={drawnPart(drawing)} />
          </div>
        )}
        {drawing.phase === 'failed' && drawing.place === 'chat' && <FailureNote failure={drawing.failure} />}
      </div>
      <Composer />
    </div>
  );
}
