// The real openai clients, unmodified and with their own retries, in the page itself: through the service worker's /v1, by the Base URL
// and Token that Settings shows.
import { expect, type Page } from '@playwright/test';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { errorCases } from '../src/router/testing/openrouter-mock/error-cases';
import type * as Clients from './openai-clients';
import { canary, test } from './openrouter';

type ClientWindow = Window & { readonly openaiClients: typeof Clients };

/** Both clients and what is done with them, as one script for the page. */
async function bundleClients(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'openai-clients-'));
  const entry = new URL('./openai-clients.ts', import.meta.url).pathname;
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      outDir: folder,
      lib: { entry, name: 'openaiClients', formats: ['iife'], fileName: () => 'clients.js' },
    },
  });
  const script = await readFile(join(folder, 'clients.js'), 'utf8');
  await rm(folder, { recursive: true });
  return `${script}; window.openaiClients = openaiClients;`;
}

/** Opens Settings with the key in it and the clients in the page; answers what a person would copy from there. */
async function openEndpoint(page: Page) {
  await page.goto('./#/settings');
  await page.getByRole('textbox', { name: 'OpenRouter key' }).fill(canary);
  await page.keyboard.press('Enter');
  await expect(page.getByText('…0001')).toBeVisible();
  await expect(page.getByRole('status', { name: 'Engine' })).toContainText('Likeness 64', {
    timeout: 60_000,
  });
  const base = page.getByRole('textbox', { name: 'Base URL' });
  await expect(base).toHaveValue(/\/v1$/);
  await page.evaluate(await bundleClients());
  return {
    baseURL: await base.inputValue(),
    apiKey: await page.getByRole('textbox', { name: 'Token' }).inputValue(),
  };
}

for (const version of [6, 7] as const) {
  test(`openai ${version} in the page`, async ({ page, openRouter }) => {
    const settings = await openEndpoint(page);
    const call = { id: 'call_1', name: 'weather', arguments: '{"city":"Łódź"}' };
    const words = { kind: 'answer' as const, answer: { content: 'Hello there.' } };
    openRouter.script.next(
      words,
      words,
      words,
      { kind: 'answer', answer: { toolCalls: [call] } },
      { kind: 'answer', answer: { content: '{"name":"party","day":3}' } },
    );
    const report = await page.evaluate(
      ([major, given]) => (window as unknown as ClientWindow).openaiClients.runClient(major, given),
      [version, settings] as const,
    );
    expect(report).toMatchObject({
      whole: 'Hello there.',
      streamed: 'Hello there.',
      totalTokens: 14,
      helper: 'Hello there.',
      tool: ['weather', call.arguments],
      parsed: { name: 'party', day: 3 },
      retrieved: 'acme/plain-8b:free',
      embedded: [true, true],
    });
    expect(report.listed).toEqual(expect.arrayContaining(['free', 'free:vision', 'likeness/base']));
    expect(report.listed).not.toContain('openrouter/free');
    expect(Buffer.from(report.picture, 'base64').subarray(1, 4).toString()).toBe('PNG');
    for (const { headers, model } of openRouter.calls) {
      expect(headers['authorization']).toBe(`Bearer ${canary}`); // and never the page's token
      expect(model).toMatch(/:free$/);
    }

    const fail = (model: string) =>
      page.evaluate(
        ([major, given, id]) =>
          (window as unknown as ClientWindow).openaiClients.failClient(major, given, id),
        [version, settings, model] as const,
      );
    expect(await fail('acme/grand-400b')).toEqual({
      kind: 'NotFoundError',
      status: 404,
      code: 'model_not_found',
    });
    const before = openRouter.calls.length;
    openRouter.script.always(errorCases['E21-502']);
    expect(await fail('free')).toEqual({ kind: 'InternalServerError', status: 503, code: 'upstream_error' });
    expect(openRouter.calls.length - before).toBeLessThanOrEqual(4); // the client's retries share the router's attempts
    openRouter.script.always(errorCases['E17-day']);
    expect(await fail('free:fast')).toEqual({
      kind: 'RateLimitError',
      status: 429,
      code: 'insufficient_quota',
    });
  });
}
