// Image-to-image: the picture to start from, how far to leave it, and where.
import { useEffect } from 'react';
import { useStore } from 'zustand';
import { chooseStart, editForm, startFrom } from '../../../state/drawing';
import { leastStrength } from '../../../state/drawing-state';
import { modelOf } from '../../../state/engine-state';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { RangeInput } from '../../components/RangeInput';
import { looksLikePicture, readDropped } from '../../hooks/dropped-files';
import p from '../page.module.css';
import { MaskPainter } from './MaskPainter';
import s from './StartPicture.module.css';

/** The file input "Start picture", which also takes drops and pastes; with a picture, its settings. */
export function StartPicture() {
  const app = useApp();
  const picture = useStore(app.start, ({ painted }) => painted?.picture);
  const strength = useStore(app.form, (form) => form.strength);
  const resolution = useStore(app.engine, (engine) => modelOf(engine)?.resolution ?? 1);
  const aspect = useStore(app.form, ({ width, height }) => (width ?? resolution) / (height ?? resolution));
  const take = (files: Iterable<File>) => {
    const all = [...files];
    const file = all.find(looksLikePicture) ?? all[0];
    if (file) void chooseStart(app, file); // also one that is no picture, so that it is said
  };
  useEffect(() => {
    const paste = ({ clipboardData }: ClipboardEvent) => {
      const found = [...(clipboardData?.files ?? [])].find(looksLikePicture);
      if (found) void chooseStart(app, found);
    };
    addEventListener('paste', paste);
    return () => removeEventListener('paste', paste);
  }, [app]);
  return (
    <section
      className={s['start']}
      aria-label="Start from a picture"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        void readDropped(event.dataTransfer).then(({ files }) => take(files));
      }}
    >
      <div className={s['drop']}>
        <strong>Start picture</strong>
        <span className={p['soft']}>
          {picture ? 'Drop another one' : 'Drop, paste or choose one; or none'}
        </span>
        <input
          className={s['input']}
          type="file"
          accept="image/*,.heic,.heif"
          aria-label="Start picture"
          onChange={({ target }) => {
            take(target.files ?? []);
            target.value = ''; // the same file may be chosen again
          }}
        />
      </div>
      {picture && (
        <>
          <MaskPainter key={keyOf(picture)} picture={picture} aspect={aspect} />
          <RangeInput
            label="Denoising strength"
            lowest={leastStrength}
            highest={1}
            step={0.05}
            value={Math.max(leastStrength, strength)}
            onChange={(next) => editForm(app, { strength: next })}
          />
          <Button look="quiet" onPress={() => startFrom(app, undefined)}>
            Remove start picture
          </Button>
        </>
      )}
    </section>
  );
}

const keys = new WeakMap<Blob, number>();
let lastKey = 0;

/** Another picture is another painter. */
function keyOf(picture: Blob): number {
  const key = keys.get(picture) ?? ++lastKey;
  keys.set(picture, key);
  return key;
}
