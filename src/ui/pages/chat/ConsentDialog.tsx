// What sending to a free model means, told once before the first message.
import { Button } from '../../components/Button';
import { Dialog } from '../../components/Dialog';
import p from '../page.module.css';

type ConsentDialogProps = { readonly onAgree: () => void; readonly onClose: () => void };

/** The notice. Closing it sends nothing. */
export function ConsentDialog({ onAgree, onClose }: ConsentDialogProps) {
  return (
    <Dialog title="Before the first message" onClose={onClose}>
      <p>
        Your messages, and pictures that you add, go to OpenRouter and from there to whoever runs the free
        model. Providers of free models may keep what they are sent, train on it and publish it.
      </p>
      <p>Write nothing that must stay private. Your photos and what /imagine draws stay on this machine.</p>
      <p className={p['row']}>
        <Button
          look="primary"
          onPress={() => {
            onAgree();
            onClose();
          }}
        >
          Understood, send
        </Button>
        <Button onPress={onClose}>Not now</Button>
      </p>
    </Dialog>
  );
}
