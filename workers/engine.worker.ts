// Owns ONNX Runtime and the GPU device. Models lie one folder above this script, in the build as in development.
import '../src/base/strict-parsing';
import { expose } from 'comlink';
import '../src/base/wire';
import { createEngine } from '../src/engine/engine';

expose(createEngine(new URL('..', self.location.href)));
