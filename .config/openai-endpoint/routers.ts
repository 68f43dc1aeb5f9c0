// The routers of a server, one for each key that it is asked with.
import { setTimeout } from 'node:timers/promises';
import { createRouter, type Router, type RouterOptions } from '../../src/router/router';

/** Keys of one machine's programs; more than this is a mistake, and the oldest makes room. */
const maxRouters = 16;

/**
 * Hands out the router of a key. Their records lie in memory, for as long as the server runs: what must outlive it, the requests used
 * today and a spent day, OpenRouter tells again at the first request, and a file would need locks between servers.
 */
export function createRouters(upstream: string): (key: string) => Router {
  const routers = new Map<string, Router>();
  const store = createMemoryStore();
  return (key) => {
    const known = routers.get(key);
    if (known) return known;
    const router = createRouter({
      fetch: (...request) => fetch(...request),
      upstream,
      apiKey: () => key,
      now: () => Date.now(),
      random: () => Math.random(),
      sleep: (milliseconds, signal) => setTimeout(milliseconds, undefined, { signal }),
      store,
      title: 'Likeness',
    });
    const [oldest] = routers.keys();
    if (routers.size >= maxRouters && oldest !== undefined) routers.delete(oldest);
    routers.set(key, router);
    return router;
  };
}

function createMemoryStore(): RouterOptions['store'] {
  const values = new Map<string, unknown>();
  return {
    get: async (key) => values.get(key),
    update: async (key, change) => {
      const value = change(values.get(key));
      values.set(key, value);
      return value;
    },
  };
}
