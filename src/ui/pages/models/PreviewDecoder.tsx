// The decoder of live previews: got, and removed, as a model is.
import { useEffect } from 'react';
import { useStore } from 'zustand';
import { refreshLibrary } from '../../../state/library';
import { previewDecoderRow } from '../../../state/library-state';
import { useApp } from '../../app-context';
import p from '../page.module.css';
import { HubModel } from './HubModel';

/** The list "Preview decoder", of one line. */
export function PreviewDecoder() {
  const app = useApp();
  const library = useStore(app.library);
  const isDrawing = useStore(app.drawing, ({ phase }) => phase === 'running');
  useEffect(() => void refreshLibrary(app), [app]);
  return (
    <ul aria-label="Preview decoder" className={p['items']}>
      <HubModel row={previewDecoderRow(library)} isUsed={false} isBusy={isDrawing} isDecoder />
    </ul>
  );
}
