// Models: the base models that everything stands on, and LoRA files brought in.
import { useEffect, useRef, useState } from 'react';
import { useStore } from 'zustand';
import { importLoraFile, refreshSubjects } from '../../../state/subjects';
import { useApp } from '../../app-context';
import { SubjectActions } from '../../components/SubjectActions';
import { Field } from '../../components/Field';
import { formatBytes, formatDate } from '../../format';
import p from '../page.module.css';
import { BaseModels } from './BaseModels';
import { HubForm } from './HubForm';
import { ModelFileInput } from './ModelFileInput';
import { PreviewDecoder } from './PreviewDecoder';
import { WeightsPanel } from './WeightsPanel';

/** The place Models. */
export function ModelsPage() {
  const app = useApp();
  useEffect(() => void refreshSubjects(app), [app]);
  return (
    <>
      <div className={p['head']}>
        <h1>Models</h1>
      </div>
      <div className={p['columns']}>
        <section className={p['panel']} aria-labelledby="base-title">
          <h2 id="base-title">Base models</h2>
          <BaseModels />
          <ModelFileInput />
          <HubForm />
        </section>
        <div className={p['column']}>
          <section className={p['panel']} aria-labelledby="lora-title">
            <h2 id="lora-title">LoRA files</h2>
            <LoraInput />
            <LoraList />
          </section>
          <WeightsPanel />
          <section className={p['panel']} aria-labelledby="decoder-title">
            <h2 id="decoder-title">Live previews</h2>
            <PreviewDecoder />
          </section>
        </div>
      </div>
    </>
  );
}

function LoraInput() {
  const app = useApp();
  const isReady = useStore(app.engine, ({ phase }) => phase === 'ready');
  const [words, setWords] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const take = async (files: readonly File[]) => {
    for (const file of files) {
      setWords(`Reading ${file.name}…`);
      const isTaken = await importLoraFile(app, file);
      setWords(isTaken ? `${file.name} joined your subjects.` : `${file.name} was not taken.`);
    }
    if (input.current) input.current.value = '';
  };
  return (
    <>
      <Field
        label="LoRA or embedding file"
        hint="A .safetensors file made for the loaded base model: kohya, PEFT or diffusers."
      >
        {(props) => (
          <input
            {...props}
            ref={input}
            type="file"
            multiple
            accept=".safetensors"
            disabled={!isReady}
            onChange={({ target }) => void take([...(target.files ?? [])])}
          />
        )}
      </Field>
      <p className={p['soft']} role="status" aria-label="Import">
        {words}
      </p>
    </>
  );
}

function LoraList() {
  const subjects = useStore(useApp().subjects);
  const loras = subjects.filter((subject) => subject.kind === 'lora');
  if (loras.length === 0) return null;
  return (
    <ul aria-label="LoRA files" className={p['items']}>
      {loras.map((lora) => (
        <li key={lora.id} className={p['item']}>
          <div className={p['itemMain']}>
            <p>{lora.name}</p>
            <p className={p['soft']}>
              {formatBytes(lora.sizeBytes)} · {formatDate(lora.createdAt)}
            </p>
          </div>
          <SubjectActions subject={lora} />
        </li>
      ))}
    </ul>
  );
}
