// Rename and delete of one saved subject, with their dialogs.
import { Suspense, useState } from 'react';
import { deleteSubject, renameSubject } from '../../state/subjects';
import type { Subject } from '../../state/subjects-state';
import { useApp } from '../app-context';
import { Button } from './Button';
import { ConfirmDialog, NameDialog } from './lazy-dialogs';

/** The two buttons. A run under training is renamed, not deleted. */
export function SubjectActions({ subject }: { readonly subject: Subject }) {
  const app = useApp();
  const [open, setOpen] = useState<'rename' | 'delete'>();
  const close = () => setOpen(undefined);
  const isBusy = subject.kind === 'run' && (subject.activity === 'here' || subject.activity === 'elsewhere');
  return (
    <>
      <Button look="quiet" icon="rename" aria-label="Rename" onPress={() => setOpen('rename')} />
      {!isBusy && <Button look="quiet" icon="remove" aria-label="Delete" onPress={() => setOpen('delete')} />}
      <Suspense>
        {open === 'rename' && (
          <NameDialog
            name={subject.name}
            onRename={(name) => void renameSubject(app, subject, name)}
            onClose={close}
          />
        )}
        {open === 'delete' && (
          <ConfirmDialog
            title={`Delete ${subject.name}?`}
            action="Delete"
            onConfirm={() => void deleteSubject(app, subject)}
            onClose={close}
          >
            {subject.kind === 'run'
              ? 'Its photos, checkpoints and previews are removed from this browser. Pictures drawn with it stay.'
              : 'The file is removed from this browser. Pictures drawn with it stay.'}
          </ConfirmDialog>
        )}
      </Suspense>
    </>
  );
}
