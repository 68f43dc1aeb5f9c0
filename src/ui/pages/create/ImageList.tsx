// The pictures, newest first.
import { memo } from 'react';
import { useStore } from 'zustand';
import { startFrom } from '../../../state/drawing';
import { deletePicture, restorePicture } from '../../../state/gallery';
import type { Picture as GalleryPicture } from '../../../state/gallery';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { Icon } from '../../components/Icon';
import { Picture } from '../../components/Picture';
import { saveFile } from '../../hooks/save-file';
import s from './Create.module.css';

/** The list "Images". */
export function ImageList() {
  const images = useStore(useApp().gallery);
  return (
    <>
      {images.length === 0 && (
        <div className={s['empty']}>
          <Icon name="photo" size={34} />
          <p>What you draw appears here and stays, also after a reload.</p>
        </div>
      )}
      <ul className={s['images']} aria-label="Images">
        {images.map((image) => (
          <ImageItem key={image.id} image={image} />
        ))}
      </ul>
    </>
  );
}

const ImageItem = memo(function ImageItem({ image }: { readonly image: GalleryPicture }) {
  const app = useApp();
  return (
    <li className={s['image']}>
      <Picture blob={image.png} alt={image.prompt} className={s['picture']} />
      <p className={s['words']} title={image.prompt}>
        {image.prompt}
      </p>
      <div className={s['actions']}>
        <Button look="quiet" onPress={() => saveFile(fileNameOf(image), image.png)}>
          Download
        </Button>
        <Button look="quiet" onPress={() => restorePicture(app, image)}>
          Use settings
        </Button>
        <Button look="quiet" onPress={() => startFrom(app, image.png)}>
          Start from this image
        </Button>
        <Button look="quiet" onPress={() => void deletePicture(app, image.id)}>
          Delete
        </Button>
      </div>
    </li>
  );
});

/** The prompt's first words, as a file name. */
function fileNameOf({ prompt, createdAt }: GalleryPicture): string {
  const words = prompt
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 48);
  return `${words || 'picture'}-${createdAt}.png`;
}
