// The person's OpenRouter key: put in or made by signing in, kept where they choose, forgotten by one press. It is never shown again.
import { useState, type ClipboardEvent, type KeyboardEvent } from 'react';
import { useStore } from 'zustand';
import { forgetKey, moveKey, pasteKey } from '../../../state/openrouter-key';
import { cancelSignIn, finishSignIn, ownKeyPage, startSignIn } from '../../../state/sign-in';
import type { KeyPlace } from '../../../state/key-state';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { Field } from '../../components/Field';
import { RadioCards } from '../../components/RadioCards';
import p from '../page.module.css';
import s from './Settings.module.css';

const places = [
  { value: 'tab', label: 'This tab', hint: 'In memory: gone with the tab, or when it is reloaded.' },
  { value: 'session', label: 'This session', hint: 'Until the tab is closed.' },
  { value: 'browser', label: 'This browser', hint: 'Until you forget it. On a machine of your own.' },
] as const;

/** The panel "OpenRouter". */
export function KeyPanel() {
  const app = useApp();
  const { facts, signIn } = useStore(app.key);
  const [wanted, setWanted] = useState<KeyPlace>('tab'); // while there is no key
  const place = facts?.place ?? wanted;
  return (
    <section className={p['panel']} aria-labelledby="key-title">
      <div className={p['panelHead']}>
        <h2 id="key-title">OpenRouter</h2>
        {facts && (
          <p className={p['soft']}>
            Key <span className="numbers">…{facts.lastFour}</span> is in use
          </p>
        )}
      </div>
      {signIn ? <SignInProgress /> : <KeyField place={place} />}
      <RadioCards
        label="Remember key"
        cards={places}
        value={place}
        onChange={(value) => {
          setWanted(value);
          void moveKey(app, value);
        }}
      />
      {facts && (
        <div className={p['row']}>
          <Button onPress={() => void forgetKey(app)}>Forget key</Button>
          <a href={ownKeyPage(app)} target="_blank" rel="noopener noreferrer">
            Revoke it at OpenRouter
          </a>
        </div>
      )}
      <p className={p['soft']}>
        Chat asks only models that cost nothing, and sets a model aside that does not keep to it. A key with a
        low limit, made for this page alone, can lose nothing even so. Any script of this page could read a
        kept key; it lets none of other servers in.
      </p>
    </section>
  );
}

function KeyField({ place }: { readonly place: KeyPlace }) {
  const app = useApp();
  const [text, setText] = useState('');
  const [isChecking, setChecking] = useState(false);
  const take = (key: string) => {
    if (key.trim() === '' || isChecking) return;
    setText('');
    setChecking(true);
    void pasteKey(app, key, place).finally(() => setChecking(false));
  };
  const paste = (event: ClipboardEvent) => {
    event.preventDefault();
    take(event.clipboardData.getData('text'));
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === 'Enter') take(text);
  };
  return (
    <div className={s['keyRow']}>
      <Field
        label="OpenRouter key"
        hint={
          isChecking
            ? 'Asking OpenRouter about it…'
            : 'Starts with sk-or-. It goes to OpenRouter alone, with the messages that you send.'
        }
      >
        {(props) => (
          // a text box with dots: what is of type password has no role of its own, and browsers offer to keep it
          <input
            {...props}
            className={`${props.className} ${s['masked']}`}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            value={text}
            onChange={({ target }) => setText(target.value)}
            onPaste={paste}
            onKeyDown={press}
            onBlur={() => take(text)}
          />
        )}
      </Field>
      <div className={s['keyButtons']}>
        <Button isDisabled={text.trim() === ''} onPress={() => take(text)}>
          Use key
        </Button>
        <span className={p['soft']}>or</span>
        <Button look="primary" onPress={() => startSignIn(app, place)}>
          Sign in with OpenRouter
        </Button>
      </div>
    </div>
  );
}

function SignInProgress() {
  const app = useApp();
  const [code, setCode] = useState('');
  const signIn = useStore(app.key, (key) => key.signIn);
  if (!signIn) return null;
  const { url, needsCode, phase } = signIn;
  return (
    <div className={p['tip']} role="status">
      <p>
        {phase === 'exchanging'
          ? 'Fetching the key…'
          : 'Sign in in the other tab and allow the key. This tab goes on working meanwhile.'}{' '}
        <a href={url} target="_blank" rel="noopener noreferrer">
          Open it again
        </a>
      </p>
      {needsCode && (
        <form
          className={s['keyRow']}
          onSubmit={(event) => {
            event.preventDefault();
            void finishSignIn(app, code);
          }}
        >
          <Field label="Code" hint="OpenRouter shows it after you signed in.">
            {(props) => (
              <input
                {...props}
                autoComplete="off"
                value={code}
                onChange={({ target }) => setCode(target.value)}
              />
            )}
          </Field>
          <Button type="submit" isDisabled={code.trim() === ''}>
            Finish
          </Button>
        </form>
      )}
      <Button look="quiet" onPress={() => cancelSignIn(app)}>
        Cancel
      </Button>
    </div>
  );
}
