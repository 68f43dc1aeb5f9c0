// The place of the page, from the address: #/train, #/create, …
import { useSyncExternalStore } from 'react';

export const places = ['train', 'create', 'chat', 'models', 'settings'] as const;
export type Place = (typeof places)[number];

const subscribe = (listener: () => void) => {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
};

const read = (): Place => places.find((place) => location.hash === `#/${place}`) ?? 'train';

/** The present place; Train where the address names none. */
export function useRoute(): Place {
  return useSyncExternalStore(subscribe, read);
}

/** Goes to a place. */
export function goTo(place: Place): void {
  location.hash = `#/${place}`;
}
