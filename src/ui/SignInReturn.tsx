// The tab in which OpenRouter comes back: nothing but a word on what to do. The page itself does not start here, for the tab that
// began may be training.
import { useEffect, useState } from 'react';

const words = {
  waiting: 'Handing the sign-in over to the tab that began it…',
  taken: 'Done. Go back to the tab where you began; this one can be closed.',
  alone: 'The tab that began this sign-in is closed or was reloaded. Open Settings and sign in again.',
};

/** `isTaken` resolves to whether the tab that began took the code. */
export function SignInReturn({ isTaken }: { readonly isTaken: Promise<boolean> }) {
  const [outcome, setOutcome] = useState<keyof typeof words>('waiting');
  useEffect(() => {
    void isTaken.then((taken) => setOutcome(taken ? 'taken' : 'alone'));
  }, [isTaken]);
  return (
    <main>
      <p role="status">{words[outcome]}</p>
      {outcome === 'alone' && <a href="./#/settings">Open Likeness</a>}
    </main>
  );
}
