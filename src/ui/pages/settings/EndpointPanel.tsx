// Where programs reach the router: those of this page at its own /v1, those of the machine at the server's.
import { useStore } from 'zustand';
import { useApp } from '../../app-context';
import { CopyButton } from '../../components/CopyButton';
import { Field } from '../../components/Field';
import { FailureNote } from '../../components/FailureNote';
import p from '../page.module.css';
import s from './Settings.module.css';

/** The panel "API endpoint". */
export function EndpointPanel() {
  const endpoint = useStore(useApp().endpoint);
  const isOpen = endpoint.phase === 'open';
  return (
    <section className={p['panel']} aria-labelledby="endpoint-title">
      <h2 id="endpoint-title">API endpoint</h2>
      <p className={p['soft']}>
        The free models as an OpenAI-compatible endpoint: chat, tools, JSON schemas, models, and pictures by{' '}
        <span className="numbers">likeness/base</span> or one of your subjects. For scripts in this page and
        in other tabs of it, as long as this tab is open.
      </p>
      {endpoint.phase === 'failed' ? (
        <FailureNote failure={endpoint.failure} />
      ) : (
        <>
          <CopyField label="Base URL" value={isOpen ? endpoint.baseUrl : ''} />
          <CopyField
            label="Token"
            value={isOpen ? endpoint.token : ''}
            hint="The apiKey of the client. It opens this tab’s endpoint and nothing else, and changes with each load."
          />
        </>
      )}
      <h2>From Python, Go, curl</h2>
      <p className={p['soft']}>
        A browser lets no other program in. The server that <span className="numbers">npm start</span> or{' '}
        <span className="numbers">npm run dev</span> runs does: at its address with{' '}
        <span className="numbers">/v1</span>, with your own key as the bearer, or with{' '}
        <span className="numbers">OPENROUTER_API_KEY</span> set and the bearer that it prints at start.
      </p>
      <pre className={s['example']} tabIndex={0}>
        {example(new URL(document.baseURI).origin)}
      </pre>
    </section>
  );
}

const example = (origin: string): string => `curl ${origin}/v1/chat/completions \\
  -H "Authorization: Bearer $OPENROUTER_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "free", "messages": [{"role": "user", "content": "Hello"}]}'`;

type CopyFieldProps = { readonly label: string; readonly value: string; readonly hint?: string };

function CopyField({ label, value, hint }: CopyFieldProps) {
  return (
    <div className={s['copyRow']}>
      <Field label={label} hint={hint}>
        {(props) => (
          <input
            {...props}
            className={`${props.className} numbers`}
            readOnly
            placeholder="Opening…"
            value={value}
            onFocus={({ target }) => target.select()}
          />
        )}
      </Field>
      <CopyButton label={`Copy ${label}`} copy={() => navigator.clipboard.writeText(value)} />
    </div>
  );
}
