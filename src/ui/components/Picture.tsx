// A picture from its bytes. Its object URL lives as long as the picture is shown.
import { useLayoutEffect, useRef } from 'react';

type PictureProps = {
  readonly blob: Blob | undefined;
  readonly alt: string;
  readonly className?: string | undefined;
};

/** An <img> of a blob. */
export function Picture({ blob, alt, className }: PictureProps) {
  const image = useRef<HTMLImageElement>(null);
  useLayoutEffect(() => {
    const element = image.current;
    if (!blob || !element) return;
    const url = URL.createObjectURL(blob);
    element.src = url;
    return () => {
      element.removeAttribute('src');
      URL.revokeObjectURL(url);
    };
  }, [blob]);
  return <img ref={image} className={className} alt={alt} decoding="async" draggable={false} />;
}
