// Previews of the run as a strip of film: the same seed and prompt, one per interval.
import { useEffect, useRef } from 'react';
import { useStore } from 'zustand';
import { useApp } from '../../app-context';
import { Picture } from '../../components/Picture';
import p from '../page.module.css';
import s from './Train.module.css';

/** The list "Previews"; nothing before the first. */
export function PreviewStrip() {
  const previews = useStore(useApp().workspace, (workspace) => workspace.previews);
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.scrollTo({ left: list.current.scrollWidth, behavior: 'smooth' }); // the newest in view
  }, [previews.length]);
  if (previews.length === 0) return null;
  return (
    <section className={p['panel']} aria-labelledby="previews-title">
      <div className={p['panelHead']}>
        <h2 id="previews-title">Previews</h2>
        <p className={p['soft']}>Same seed every time</p>
      </div>
      <ul ref={list} aria-label="Previews" className={s['strip']} tabIndex={0}>
        {previews.map(({ step, image }) => (
          <li key={step}>
            <Picture blob={image} alt={`Preview at step ${step}`} />
            <span>{step}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
