// The gradient of every op, or the word that it has none: an op without a row does not compile.
import type { OpName } from '../../onnx/ops/ops';
import { elementwiseRules } from './elementwise';
import { linalgRules } from './linalg';
import { movementRules } from './movement';
import { reductionRules } from './reduction';
import type { GradRule, NoGradient } from './rule';

export const rules: { readonly [Name in OpName]: GradRule<Name> | NoGradient } = {
  ...elementwiseRules,
  ...linalgRules,
  ...movementRules,
  ...reductionRules,
};
