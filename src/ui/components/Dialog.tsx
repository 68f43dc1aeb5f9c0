// Modal dialogs on React Aria: focus stays inside, Esc closes, focus goes back. Loaded when the first one opens.
import { useState, type ReactNode } from 'react';
import { Dialog as AriaDialog } from 'react-aria-components/Dialog';
import { Heading } from 'react-aria-components/Heading';
import { Modal, ModalOverlay } from 'react-aria-components/Modal';
import { Button } from './Button';
import s from './Dialog.module.css';
import { Field } from './Field';

type DialogProps = { readonly title: string; readonly onClose: () => void; readonly children: ReactNode };

/** A dialog that is open as long as it is rendered. */
export function Dialog({ title, onClose, children }: DialogProps) {
  return (
    <ModalOverlay isOpen isDismissable onOpenChange={onClose} className={s['overlay']!}>
      <Modal className={s['modal']!}>
        <AriaDialog className={s['dialog']!}>
          <Heading slot="title" level={2}>
            {title}
          </Heading>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

type ConfirmDialogProps = DialogProps & { readonly action: string; readonly onConfirm: () => void };

/** Asks before something that cannot be undone. */
export function ConfirmDialog({ action, onConfirm, onClose, children, title }: ConfirmDialogProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{children}</p>
      <div className={s['actions']}>
        <Button onPress={onClose}>Cancel</Button>
        <Button
          look="danger"
          onPress={() => {
            onConfirm();
            onClose();
          }}
        >
          {action}
        </Button>
      </div>
    </Dialog>
  );
}

type NameDialogProps = {
  readonly name: string;
  readonly onRename: (name: string) => void;
  readonly onClose: () => void;
};

/** Asks for another name. */
export function NameDialog({ name, onRename, onClose }: NameDialogProps) {
  const [text, setText] = useState(name);
  return (
    <Dialog title={`Rename ${name}`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onRename(text);
          onClose();
        }}
      >
        <Field label="Name">
          {(props) => (
            <input {...props} autoFocus value={text} onChange={({ target }) => setText(target.value)} />
          )}
        </Field>
        <p className={s['actions']} style={{ marginTop: 'var(--space-4)' }}>
          <Button onPress={onClose}>Cancel</Button>
          <Button look="primary" type="submit" isDisabled={text.trim() === ''}>
            Rename
          </Button>
        </p>
      </form>
    </Dialog>
  );
}

const keys = [
  ['1 – 5', 'Go to Train, Create, Chat, Models, Settings'],
  ['Ctrl or ⌘ + Enter', 'Generate, in Create'],
  ['Enter', 'Send, in Chat (Shift + Enter breaks the line)'],
  ['Esc', 'Stop drawing or answering'],
  ['?', 'This list'],
] as const;

/** The list of keys. */
export function KeysDialog({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl className={s['keys']}>
        {keys.map(([key, what]) => (
          <div key={key} style={{ display: 'contents' }}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <div className={s['actions']}>
        <Button onPress={onClose}>Close</Button>
      </div>
    </Dialog>
  );
}
