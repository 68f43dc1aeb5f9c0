// The dialogs, loaded when the first one opens.
import { lazy } from 'react';

export const ConfirmDialog = lazy(() => import('./Dialog').then((m) => ({ default: m.ConfirmDialog })));
export const NameDialog = lazy(() => import('./Dialog').then((m) => ({ default: m.NameDialog })));
export const KeysDialog = lazy(() => import('./Dialog').then((m) => ({ default: m.KeysDialog })));
