import { expect, test } from 'vitest';
import { openEndpoint } from './endpoint';
import { createTestApp } from './testing/test-app';

const never = () => Promise.reject(new Error('the router was asked'));

test('a browser without service workers, or one that refuses, says why', async () => {
  const { app } = createTestApp();
  expect(app.endpoint.getState()).toEqual({ phase: 'opening' });
  await openEndpoint(app, never);
  expect(app.endpoint.getState()).toMatchObject({ phase: 'failed', failure: { code: 'endpoint-failed' } });

  const refusing = { register: () => Promise.reject(new DOMException('a private window', 'SecurityError')) };
  const { app: other } = createTestApp({
    serviceWorkers: refusing as Partial<ServiceWorkerContainer> as ServiceWorkerContainer,
  });
  await openEndpoint(other, never);
  expect(other.endpoint.getState()).toMatchObject({ failure: { details: { reason: 'a private window' } } });
});
