// Where photos come in: a file input as large as its zone, drops of files, folders and pictures of other pages, and paste.
import { useEffect, useRef, useState, type DragEvent } from 'react';
import { addPhotoFromUrl, addPhotos } from '../../../state/photos';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { Icon } from '../../components/Icon';
import { looksLikePicture, readDropped } from '../../hooks/dropped-files';
import p from '../page.module.css';
import s from './Train.module.css';

function useDropped() {
  const app = useApp();
  const add = (files: readonly File[]) =>
    void addPhotos(
      app,
      files.map((file) => ({ name: file.name, file })),
    );
  const take = (transfer: DataTransfer) =>
    void readDropped(transfer).then(({ files, url }) => {
      if (url !== undefined) void addPhotoFromUrl(app, url);
      else add(files);
    });
  return { add, take };
}

/** The file input "Subject photos" in its zone. */
export function PhotoDrop({ isSmall = false }: { readonly isSmall?: boolean }) {
  const { add, take } = useDropped();
  const [isOver, setOver] = useState(false);
  usePaste(take);
  const over = (event: DragEvent) => {
    event.preventDefault();
    setOver(true);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer);
  };
  return (
    <div style={{ minWidth: 0 }}>
      <div
        className={s['drop']}
        data-small={isSmall}
        data-over={isOver}
        onDragOver={over}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <Icon name={isSmall ? 'add' : 'photo'} size={isSmall ? 22 : 34} />
        {isSmall ? (
          <span>Add photos</span>
        ) : (
          <>
            <strong>Drop 3 to 20 photos of one thing</strong>
            <span className={p['soft']}>
              A pet, a toy, a face, a product: from several sides, on different backgrounds. They stay on this
              machine.
            </span>
          </>
        )}
        <input
          className={s['dropInput']}
          type="file"
          multiple
          accept="image/*,.heic,.heif"
          aria-label="Subject photos"
          onChange={({ target }) => {
            add([...(target.files ?? [])]);
            target.value = ''; // the same file may be chosen again
          }}
        />
      </div>
      <FolderButton onFiles={add} isSmall={isSmall} />
    </div>
  );
}

function FolderButton({ onFiles, isSmall }: { onFiles: (files: File[]) => void; isSmall: boolean }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button look="quiet" onPress={() => input.current?.click()}>
        {isSmall ? 'Folder…' : 'Or choose a folder…'}
      </Button>
      <input
        ref={(element) => {
          input.current = element;
          if (element) element.webkitdirectory = true;
        }}
        type="file"
        hidden
        aria-label="Folder of photos"
        onChange={({ target }) => onFiles([...(target.files ?? [])].filter(looksLikePicture))}
      />
    </>
  );
}

/** Pictures pasted anywhere on the page. Pasted text is left to the field it goes to. */
function usePaste(take: (transfer: DataTransfer) => void): void {
  const latest = useRef(take);
  useEffect(() => {
    latest.current = take;
  });
  useEffect(() => {
    const paste = ({ clipboardData }: ClipboardEvent) => {
      if (clipboardData && clipboardData.files.length > 0) latest.current(clipboardData);
    };
    addEventListener('paste', paste);
    return () => removeEventListener('paste', paste);
  }, []);
}
