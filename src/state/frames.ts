// Live preview frames: from the engine to whatever canvas listens, then freed. Never kept, never in a store.

export type Frames = {
  publish(bitmap: ImageBitmap): void;
  subscribe(listener: (bitmap: ImageBitmap) => void): () => void;
};

/** A channel of frames. A listener draws at once: the frame is closed when all have. */
export function createFrames(): Frames {
  const listeners = new Set<(bitmap: ImageBitmap) => void>();
  return {
    publish: (bitmap) => {
      for (const listener of listeners) listener(bitmap);
      bitmap.close();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
