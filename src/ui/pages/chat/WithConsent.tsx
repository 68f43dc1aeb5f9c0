// Asks once, before the first message leaves this machine, whatever button sends it.
import { lazy, Suspense, useState, type ReactNode } from 'react';
import { editChatSettings, needsConsent } from '../../../state/chat';
import { useApp } from '../../app-context';

const ConsentDialog = lazy(() => import('./ConsentDialog').then((m) => ({ default: m.ConsentDialog })));

export type Ask = (text: string, send: () => void) => void;

/** Hands `children` a function that sends `text` at once, or after the person was told what that means. */
export function WithConsent({ children }: { readonly children: (ask: Ask) => ReactNode }) {
  const app = useApp();
  const [held, setHeld] = useState<{ readonly send: () => void }>();
  const ask: Ask = (text, send) => {
    if (needsConsent(app, text)) setHeld({ send });
    else send();
  };
  return (
    <>
      {children(ask)}
      <Suspense>
        {held && (
          <ConsentDialog
            onClose={() => setHeld(undefined)}
            onAgree={() => {
              editChatSettings(app, { hasAgreed: true });
              held.send();
            }}
          />
        )}
      </Suspense>
    </>
  );
}
