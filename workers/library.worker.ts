// Brings models from the hub into this browser's storage.
import { expose } from 'comlink';
import '../src/base/wire';
import { createLibrary } from '../src/engine/model-library';

expose(createLibrary());
