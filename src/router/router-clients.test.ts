// The real `openai` clients with the router's fetch given to them.
import { describeClients } from './testing/client-suite';
import type { Draw } from './draw';
import { openLab } from './testing/router-lab';

const png = Uint8Array.from(
  atob('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='),
  (character) => character.charCodeAt(0),
);

const draw: Draw = {
  subjects: async () => [{ id: 'toy', createdAt: 0 }],
  draw: async ({ count, prompt }) =>
    Array.from({ length: count }, () => ({ bytes: png, parameters: `${prompt}, 20 steps` })),
};

describeClients('the injected fetch', () => {
  const { mock, router } = openLab({ router: { draw } });
  return {
    mock,
    baseURL: 'https://router.invalid/v1',
    apiKey: 'anything',
    fetch: (input, init) => router.fetch(input, init),
    draws: true,
  };
});
