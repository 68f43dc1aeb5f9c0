// Decodes and measures photos, so that they never wait for a training step.
import '../src/base/strict-parsing';
import { expose } from 'comlink';
import '../src/base/wire';
import { createCodec } from '../src/engine/codec';

expose(createCodec());
