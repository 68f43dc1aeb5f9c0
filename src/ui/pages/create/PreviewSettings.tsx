// Whether a picture is shown while it is drawn, and by what.
import { useStore } from 'zustand';
import { editForm } from '../../../state/drawing';
import { modelOf } from '../../../state/engine-state';
import { previewDecoderRow } from '../../../state/library-state';
import { useApp } from '../../app-context';
import { SwitchInput } from '../../components/SwitchInput';
import p from '../page.module.css';
import { PreviewDecoder } from '../models/PreviewDecoder';

/** The switch "Live preview"; for a model whose own decoder is too slow for it, the way to a quick one. */
export function PreviewSettings() {
  const app = useApp();
  const isOn = useStore(app.form, ({ livePreview }) => livePreview);
  const model = useStore(app.engine, modelOf);
  const isThere = useStore(app.library, (library) => previewDecoderRow(library).stored?.isReady === true);
  return (
    <>
      <SwitchInput
        label="Live preview"
        hint="Shows a picture while it is drawn, as often as that delays nothing; of a batch, the first."
        value={isOn}
        onChange={(livePreview) => editForm(app, { livePreview })}
      />
      {isOn && model?.takesPreviewDecoder && !isThere && (
        <>
          <p className={p['tip']}>
            Previews of this model are rough colours. With TAESD of huggingface.co they are sharp.
          </p>
          <PreviewDecoder />
        </>
      )}
    </>
  );
}
