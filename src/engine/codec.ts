// Photo work behind its contract, in a worker of its own.
import type { CodecApi } from './contract';
import { checkPicture, preparePhoto } from './decode-photo';

export const createCodec = (): CodecApi => ({
  preparePhoto: async ({ file, name }, _emit, signal) => {
    const photo = await preparePhoto(file, name);
    signal.throwIfAborted();
    return photo;
  },
  checkPicture: ({ file, name }) => checkPicture(file, name),
});
