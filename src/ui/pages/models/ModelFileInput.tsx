// A base model that a person has already: one file of weights, or a folder in diffusers' layout, chosen or dropped.
import { useRef, useState, type DragEvent } from 'react';
import type { App } from '../../../state/app';
import { importModel } from '../../../state/library';
import type { GivenFile } from '../../../state/library-state';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { Field } from '../../components/Field';
import { readDroppedFiles } from '../../hooks/dropped-files';
import p from '../page.module.css';
import s from './ModelFileInput.module.css';

function bring(app: App, files: readonly GivenFile[]): void {
  const name = files[0]?.path.split('/')[0];
  if (name !== undefined) void importModel(app, name, files);
}

/** The file input "Model file or folder", with a button for folders, which file inputs take only when told so. */
export function ModelFileInput() {
  const app = useApp();
  const folder = useRef<HTMLInputElement>(null);
  const take = (input: HTMLInputElement) => {
    const files = [...(input.files ?? [])].map((file) => ({
      path: file.webkitRelativePath || file.name,
      file,
    }));
    input.value = ''; // so that the same file can be chosen again
    bring(app, files);
  };
  const [isOver, setOver] = useState(false);
  const over = (event: DragEvent) => {
    event.preventDefault(); // else the browser opens the file
    setOver(true);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void readDroppedFiles(event.dataTransfer).then((files) => bring(app, files));
  };
  return (
    <div
      className={`${p['column']} ${s['drop']}`}
      data-over={isOver}
      onDragOver={over}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <Field
        label="Model file or folder"
        hint="Choose or drop a Stable Diffusion 1.x or 2.x: one .safetensors or .ckpt file, or a folder in diffusers’ layout. It is copied into this browser and goes nowhere else; one file alone needs CLIP’s vocabulary too, 1.6 MB from huggingface.co, once."
      >
        {(props) => (
          <input {...props} type="file" accept=".safetensors,.ckpt" onChange={({ target }) => take(target)} />
        )}
      </Field>
      <div className={p['row']}>
        <Button look="quiet" onPress={() => folder.current?.click()}>
          Choose a folder…
        </Button>
        <input
          ref={(element) => {
            folder.current = element;
            if (element) element.webkitdirectory = true;
          }}
          type="file"
          aria-label="Model folder"
          hidden
          onChange={({ target }) => take(target)}
        />
      </div>
    </div>
  );
}
