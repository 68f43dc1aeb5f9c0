// The page's state for components: one value from main.tsx. Components read its stores with zustand's useStore.
import { createContext, useContext } from 'react';
import { assertExists } from '../base/assert';
import type { App } from '../state/app';

export const AppContext = createContext<App | undefined>(undefined);

/** The app around this component. */
export function useApp(): App {
  return assertExists(useContext(AppContext), 'the app around this component');
}
