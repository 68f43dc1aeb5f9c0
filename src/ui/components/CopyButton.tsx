// A button that copies and says on itself how that went.
import { useState } from 'react';
import { Button } from './Button';

type CopyButtonProps = {
  readonly label?: string; // its name, where "Copy" is not enough
  readonly hasIcon?: boolean;
  readonly copy: () => Promise<void>; // rejects where the browser does not allow it
};

const words = { ready: 'Copy', copied: 'Copied', refused: 'The browser did not allow it' } as const;

/** "Copy", then "Copied". */
export function CopyButton({ label, hasIcon = true, copy }: CopyButtonProps) {
  const [state, setState] = useState<keyof typeof words>('ready');
  const press = () =>
    void copy().then(
      () => setState('copied'),
      () => setState('refused'),
    );
  const name = state === 'ready' ? label : undefined;
  return (
    <Button
      look="quiet"
      {...(hasIcon && { icon: 'copy' })}
      {...(name !== undefined && { 'aria-label': name })}
      onPress={press}
    >
      {words[state]}
    </Button>
  );
}
