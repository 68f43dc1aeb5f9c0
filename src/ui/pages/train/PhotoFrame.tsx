// One photo of the contact sheet with its caption.
import { memo } from 'react';
import { removePhoto, setCaption } from '../../../state/photos';
import type { WorkRun } from '../../../state/workspace-state';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { Picture } from '../../components/Picture';
import s from './Train.module.css';

type PhotoFrameProps = { readonly photo: WorkRun['photos'][number]; readonly isDraft: boolean };

/** A frame; in a draft its caption can be written and the photo taken out. */
export const PhotoFrame = memo(function PhotoFrame({ photo, isDraft }: PhotoFrameProps) {
  const app = useApp();
  const { id, name, caption, thumbnail, width, height } = photo;
  return (
    <li className={s['frame']}>
      <div className={s['framePicture']} title={`${name}, ${width} × ${height}`}>
        <Picture blob={thumbnail} alt={name} />
        {isDraft && (
          <div className={s['remove']}>
            <Button look="quiet" icon="close" aria-label="Remove" onPress={() => removePhoto(app, id)} />
          </div>
        )}
      </div>
      {isDraft ? (
        <textarea
          className={s['caption']}
          aria-label="Caption"
          rows={2}
          value={caption}
          onChange={({ target }) => setCaption(app, id, target.value)}
        />
      ) : (
        <p className={s['caption']}>{caption}</p>
      )}
    </li>
  );
});
