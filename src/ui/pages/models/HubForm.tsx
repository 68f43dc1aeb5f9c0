// A model of the hub by its name, and the person's token for models that are not open to all.
import { useState } from 'react';
import { useStore } from 'zustand';
import { inspectModel, setHubToken } from '../../../state/library';
import { parseHubAddress } from '../../../state/library-state';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { Field } from '../../components/Field';
import { SwitchInput } from '../../components/SwitchInput';
import p from '../page.module.css';

/** Asks for a model; it joins the list with its size before anything is downloaded. */
export function HubForm() {
  const app = useApp();
  const [text, setText] = useState('');
  const [hasTried, setTried] = useState(false);
  const address = parseHubAddress(text);
  const isWrong = hasTried && !address && text.trim() !== '';
  return (
    <form
      className={p['column']}
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (!address) return;
        void inspectModel(app, address);
        setText('');
        setTried(false);
      }}
    >
      <Field
        label="Hugging Face model id"
        hint="Stable Diffusion 1.x or 2.x in diffusers’ layout. The page asks huggingface.co for it, which sees your address; nothing else leaves this browser."
        error={
          isWrong ? 'Write it as owner/name, owner/name@revision, or paste the page’s address.' : undefined
        }
      >
        {(props) => (
          <input
            {...props}
            value={text}
            placeholder="owner/name"
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            onChange={({ target }) => setText(target.value)}
          />
        )}
      </Field>
      <div className={p['row']}>
        <Button type="submit" isDisabled={text.trim() === ''}>
          Look up
        </Button>
      </div>
      <HubToken />
    </form>
  );
}

function HubToken() {
  const app = useApp();
  const { token, isTokenKept } = useStore(app.library);
  return (
    <details>
      <summary>Token for gated and private models</summary>
      <div className={p['column']} style={{ marginTop: 'var(--space-3)' }}>
        <Field
          label="Hugging Face token"
          hint="Read access is enough. It is sent to huggingface.co alone, and forgotten with this tab unless kept."
        >
          {(props) => (
            <input
              {...props}
              type="password"
              value={token}
              autoComplete="off"
              onChange={({ target }) => setHubToken(app, target.value, isTokenKept)}
            />
          )}
        </Field>
        <SwitchInput
          label="Keep the token in this browser"
          value={isTokenKept}
          onChange={(isKept) => setHubToken(app, token, isKept)}
        />
      </div>
    </details>
  );
}
