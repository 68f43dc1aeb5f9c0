// Chat, key and endpoint of the shipped build against a mock of OpenRouter, by the names that stay.
import { expect, type Locator, type Page } from '@playwright/test';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { errorCases } from '../src/router/testing/openrouter-mock/error-cases';
import type { OpenAI as OpenAIClient } from 'openai-6';
import { canary, test } from './openrouter';
import { goTo } from './page';

const log = (page: Page): Locator => page.getByRole('log', { name: 'Conversation' });
const answers = (page: Page): Locator => log(page).getByRole('article', { name: 'Likeness' });
const quota = (page: Page): Locator => page.getByRole('status', { name: 'Free requests left' });

/** Puts the key in by Settings and goes to Chat, once the list of models is there. */
async function openChat(page: Page, place = 'This tab'): Promise<void> {
  await page.goto('./#/settings');
  await page.getByRole('radio', { name: place }).check({ force: true });
  await page.getByRole('textbox', { name: 'OpenRouter key' }).fill(canary);
  await page.keyboard.press('Enter');
  await expect(page.getByText('…0001')).toBeVisible();
  await goTo(page, 'Chat');
  await expect(page.getByRole('list', { name: 'Free models' }).getByRole('listitem')).toHaveCount(11);
}

async function send(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
}

/** Sends the first message, which is asked about once. */
async function sendFirst(page: Page, text: string): Promise<void> {
  await send(page, text);
  await page.getByRole('button', { name: 'Understood, send' }).click();
}

const choose = (page: Page, model: string) =>
  page.getByRole('combobox', { name: 'Chat model' }).selectOption(model);

test('a message is asked about once, streamed as Markdown, kept, and says which model answered', async ({
  page,
  openRouter,
}) => {
  const content =
    '**Hello** <b>there</b>\n\n![x](https://evil.test/x.png)\n\n[a](javascript:alert(1))\n\n```js\n1 + 1\n```';
  openRouter.script.always({ kind: 'answer', answer: { content }, delivery: { tokenMs: 40 } });
  const foreign: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes('evil.test')) foreign.push(request.url());
  });
  await openChat(page);
  await expect(quota(page)).toContainText('50 of 50 free requests left today');
  await send(page, 'hi');
  await expect(page.getByRole('dialog')).toContainText('train on it');
  expect(openRouter.calls).toEqual([]);
  await page.getByRole('button', { name: 'Not now' }).click();
  expect(openRouter.calls).toEqual([]);
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByRole('button', { name: 'Understood, send' }).click();

  const answer = answers(page);
  await expect(answer.getByText('Hello', { exact: true })).toBeVisible();
  await expect(answer).toContainText(openRouter.calls[0]!.model);
  await expect(answer.locator('strong')).toHaveText('Hello');
  await expect(answer).toContainText('<b>there</b>');
  await expect(answer.locator('img')).toHaveCount(0);
  await expect(answer.locator('a')).toHaveAttribute('rel', 'noopener noreferrer nofollow');
  await expect(answer.locator('a')).toHaveCount(1);
  await expect(answer.getByRole('button', { name: 'Copy code' })).toBeVisible();
  for (const name of ['Copy', 'Regenerate', 'Edit', 'Attempts'])
    await expect(answer.getByRole('button', { name, exact: true })).toBeVisible();
  await expect(quota(page)).toContainText('49 of 50');

  await send(page, 'again'); // no question any more
  await expect(answers(page)).toHaveCount(2);
  const { messages } = openRouter.calls[1]!.body as { messages: readonly { role: string }[] };
  expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
  expect(openRouter.calls[1]!.model).toBe(openRouter.calls[0]!.model); // a conversation keeps its model
  expect(foreign).toEqual([]);

  await page.reload();
  await expect(answers(page)).toHaveCount(2);
});

test('a busy pool is left for another model, and the attempts say so', async ({ page, openRouter }) => {
  openRouter.script.next(errorCases['E20-pool']);
  await openChat(page);
  await sendFirst(page, 'hi');
  const answer = answers(page);
  await expect(answer).toContainText('2 attempts');
  await answer.getByRole('button', { name: 'Attempts' }).click();
  const attempts = answer.getByRole('list', { name: 'Attempts' }).getByRole('listitem');
  await expect(attempts.nth(0)).toContainText(`${openRouter.calls[0]!.model} busy`);
  await expect(attempts.nth(1)).toContainText(`${openRouter.calls[1]!.model} answered`);
  const list = page.getByRole('list', { name: 'Free models' });
  await expect(list.getByRole('listitem').filter({ hasText: 'back in' })).toHaveCount(1);
});

test('reasoning is live, an edited message replaces what followed, another answer comes of another model', async ({
  page,
  openRouter,
}) => {
  const answer = { reasoning: 'Let me think about this.', content: 'Yes.' };
  openRouter.script.always({ kind: 'answer', answer, delivery: { tokenMs: 200 } });
  await openChat(page);
  await sendFirst(page, 'Is it?');
  const live = log(page).getByRole('article', { name: 'Answer under way' });
  await expect(live).toContainText('Let me think');
  await expect(answers(page)).toContainText('Yes.');
  await answers(page).getByRole('button', { name: 'Edit' }).click();
  await page.getByRole('textbox', { name: 'Your message' }).fill('Is it really?');
  await page.getByRole('button', { name: 'Send again' }).click();
  await expect.poll(() => openRouter.calls.length).toBe(2);
  await expect(answers(page)).toHaveCount(1);
  await expect(log(page)).not.toContainText('Is it?');
  expect(openRouter.calls[1]!.body['messages']).toEqual([{ role: 'user', content: 'Is it really?' }]);
  await answers(page).getByRole('button', { name: 'Regenerate' }).click();
  await expect.poll(() => openRouter.calls.length).toBe(3);
  await expect(answers(page)).toHaveCount(1);
});

test('a spent day stops with its clock, is told once, and is asked again by a press', async ({
  page,
  openRouter,
}) => {
  openRouter.script.always(errorCases['E17-day']);
  await openChat(page);
  await sendFirst(page, 'hi');
  await expect(log(page)).toContainText('Today’s free requests are used up');
  await expect(log(page)).toContainText(/It starts anew at .*, in /);
  await expect(quota(page)).toContainText('0 of 50 free requests left today · starts anew at');
  expect(openRouter.calls).toHaveLength(1);
  await send(page, 'still?');
  await expect(answers(page)).toHaveCount(2);
  expect(openRouter.calls).toHaveLength(1); // answered by the page itself
  openRouter.script.always({ kind: 'answer', answer: { content: 'Good morning.' } });
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(log(page)).toContainText('Good morning.');
  expect(openRouter.calls).toHaveLength(2);
});

test('an account whose privacy settings leave no model gets one card with the way out', async ({
  page,
  openRouter,
}) => {
  openRouter.script.always(errorCases['E10-training']);
  await openChat(page);
  await sendFirst(page, 'hi');
  await expect(log(page)).toContainText('privacy settings leave no free model');
  await expect(page.getByRole('link', { name: 'Open privacy settings' })).toHaveAttribute(
    'href',
    'https://openrouter.ai/settings/privacy',
  );
  expect(openRouter.calls.length).toBeLessThanOrEqual(2);
});

test('Stop and Esc close the upstream and keep what has arrived', async ({ page, openRouter }) => {
  const content = Array.from({ length: 400 }, (_, i) => `word${i}`).join(' ');
  openRouter.script.always({ kind: 'answer', answer: { content }, delivery: { tokenMs: 50 } });
  await openChat(page);
  await sendFirst(page, 'count');
  await expect(log(page)).toContainText('word3');
  await page.getByRole('button', { name: 'Stop' }).click();
  await expect.poll(() => openRouter.calls[0]!.end).toBe('aborted');
  await expect(answers(page)).toContainText('word3');
  await expect(answers(page)).toContainText('stopped');
  await send(page, 'count again');
  await expect(log(page).getByRole('article', { name: 'Answer under way' })).toContainText('word3');
  await page.keyboard.press('Escape');
  await expect.poll(() => openRouter.calls[1]!.end).toBe('aborted');
  await expect(page.getByRole('button', { name: 'Send' })).toBeVisible();
});

test('a growing answer is followed until the person scrolls up', async ({ page, openRouter }) => {
  const content = Array.from({ length: 200 }, (_, i) => `line ${i}`).join('\n\n');
  openRouter.script.always({ kind: 'answer', answer: { content }, delivery: { tokenMs: 20 } });
  await openChat(page);
  await sendFirst(page, 'count');
  const top = () => log(page).evaluate((element) => element.scrollTop);
  await expect.poll(top).toBeGreaterThan(300);
  await expect(page.getByRole('button', { name: 'To the end' })).toBeHidden();
  await log(page).hover();
  await page.mouse.wheel(0, -250);
  await expect(page.getByRole('button', { name: 'To the end' })).toBeVisible();
  const left = await top();
  await expect(log(page)).toContainText('line 120');
  expect(await top()).toBe(left);
  await page.getByRole('button', { name: 'To the end' }).click();
  await expect.poll(top).toBeGreaterThan(left + 250);
  await page.getByRole('button', { name: 'Stop' }).click();
});

test('a model that asks for money is told of and not used again', async ({ page, openRouter }) => {
  openRouter.script.next({ kind: 'answer', answer: { content: 'Pay me.', cost: 0.01 } });
  await openChat(page);
  await sendFirst(page, 'hi');
  const notice = page.getByRole('alert').filter({ hasText: 'asked for money' });
  await expect(notice).toBeVisible();
  await expect(notice).toContainText(openRouter.calls[0]!.model);
  const list = page.getByRole('list', { name: 'Free models' }).getByRole('listitem');
  await expect(list).toHaveCount(10);
  await expect(page.getByRole('combobox', { name: 'Chat model' }).locator('option')).toHaveCount(16);
});

test('signing in opens OpenRouter in another tab and brings a key of the person’s own', async ({
  page,
  context,
  baseURL,
  openRouter,
}) => {
  await page.goto(new URL('/#/settings', baseURL!.replace('127.0.0.1', 'localhost')).href);
  const opened = context.waitForEvent('page');
  await page.getByRole('button', { name: 'Sign in with OpenRouter' }).click();
  const other = await opened;
  await expect(other.getByRole('status')).toContainText('Go back to the tab where you began');
  await expect(page.getByRole('button', { name: 'Forget key' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Revoke it at OpenRouter' })).toHaveAttribute(
    'href',
    /^https:\/\/openrouter\.ai\/keys\/[0-9a-f]{64}$/,
  );
  expect(new URL(other.url()).search).toBe('');
  expect(openRouter.requests.some(({ path }) => path === '/auth/keys')).toBe(true);
});

test('a picture goes to a model that looks at pictures', async ({ page, openRouter }) => {
  await openChat(page);
  await choose(page, 'acme/plain-8b:free');
  await expect(page.getByRole('button', { name: /^Add pictures/ })).toBeDisabled();
  await choose(page, 'free:vision');
  await page
    .getByLabel('Pictures to send')
    .setInputFiles(new URL('./fixtures/orientation1.jpg', import.meta.url).pathname);
  await expect(page.getByRole('list', { name: 'Pictures to send' }).getByRole('img')).toHaveCount(1);
  await sendFirst(page, 'What is it?');
  await expect(answers(page)).toHaveCount(1);
  expect(['acme/eye-12b:free', 'delta/everything:free']).toContain(openRouter.calls[0]!.model);
  expect(openRouter.calls[0]!.text).toContain('data:image/jpeg;base64,');
});

test('a model with tools draws in the conversation and has the last word', async ({ page, openRouter }) => {
  const call = { id: 'call_1', name: 'draw_image', arguments: '{"prompt":"a red toy"}' };
  openRouter.script.next(
    { kind: 'answer', answer: { content: null, toolCalls: [call] } },
    { kind: 'answer', answer: { content: 'There it is.' } },
  );
  await openChat(page);
  await choose(page, 'free:tools');
  await page.getByRole('checkbox', { name: 'Let the model draw' }).check();
  await expect(page.getByRole('status', { name: 'Engine' })).toContainText('Likeness 64', {
    timeout: 60_000,
  });
  await sendFirst(page, 'Draw a red toy');
  await expect(log(page).getByRole('img', { name: 'a red toy' })).toBeVisible({ timeout: 120_000 });
  await expect(log(page)).toContainText('There it is.');
  expect(openRouter.calls[0]!.text).toContain('draw_image');
  const { messages } = openRouter.calls[1]!.body as { messages: readonly Record<string, unknown>[] };
  expect(messages.at(-1)).toEqual({
    role: 'tool',
    tool_call_id: 'call_1',
    content: '{"shown":true,"prompt":"a red toy"}',
  });
});

type ClientWindow = Window & { readonly openaiClient: { readonly OpenAI: typeof OpenAIClient } };

/** The unmodified client as one script for the page. */
async function bundleClient(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'openai-client-'));
  const entry = new URL('./openai-client.ts', import.meta.url).pathname;
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      outDir: folder,
      lib: { entry, name: 'openaiClient', formats: ['iife'], fileName: () => 'client.js' },
    },
  });
  const script = await readFile(join(folder, 'client.js'), 'utf8');
  await rm(folder, { recursive: true });
  return `${script}; window.openaiClient = openaiClient;`;
}

test('the openai client in the page streams by Base URL and Token of Settings', async ({
  page,
  openRouter,
}) => {
  openRouter.script.always({ kind: 'answer', answer: { content: 'One two three.' } });
  await openChat(page);
  await goTo(page, 'Settings');
  const base = page.getByRole('textbox', { name: 'Base URL' });
  await expect(base).toHaveValue(/\/v1$/);
  const options = {
    baseURL: await base.inputValue(),
    apiKey: await page.getByRole('textbox', { name: 'Token' }).inputValue(),
    dangerouslyAllowBrowser: true,
  };
  await page.evaluate(await bundleClient());
  const text = await page.evaluate(async (settings) => {
    const { OpenAI } = (window as unknown as ClientWindow).openaiClient;
    const stream = await new OpenAI(settings).chat.completions.create({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: 'count' }],
      stream: true,
    });
    let whole = '';
    for await (const chunk of stream) whole += chunk.choices[0]?.delta.content ?? '';
    return whole;
  }, options);
  expect(text).toBe('One two three.');
  expect(openRouter.calls[0]!.headers['authorization']).toBe(`Bearer ${canary}`);
  expect(openRouter.calls[0]!.model).toMatch(/:free$/);

  await expect(page.getByRole('status', { name: 'Engine' })).toContainText('Likeness 64', {
    timeout: 60_000,
  });
  const picture = await page.evaluate(async (settings) => {
    const { OpenAI } = (window as unknown as ClientWindow).openaiClient;
    const { data } = await new OpenAI(settings).images.generate({
      model: 'likeness/base',
      prompt: 'a red toy',
    });
    return atob(data![0]!.b64_json!);
  }, options);
  expect(picture.slice(1, 4)).toBe('PNG');
  expect(picture).toContain('a red toy'); // its parameters, as text
});

test('the key is where the person put it and nowhere else', async ({ page }) => {
  const messages: string[] = [];
  page.on('console', (message) => messages.push(message.text()));
  await openChat(page);
  await sendFirst(page, 'hi');
  await expect(answers(page)).toHaveCount(1);
  const everywhere = () =>
    page.evaluate(async () => {
      const databases = await indexedDB.databases();
      const records: unknown[] = [];
      for (const { name } of databases) {
        const database = await new Promise<IDBDatabase>((resolve, reject) => {
          const request = indexedDB.open(name!);
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error!);
        });
        for (const store of database.objectStoreNames) {
          const request = database.transaction(store).objectStore(store).getAll();
          await new Promise((resolve) => (request.onsuccess = resolve));
          records.push(request.result);
        }
        database.close();
      }
      const inputs = [...document.querySelectorAll('input, textarea')].map(
        (field) => (field as HTMLInputElement).value,
      );
      return {
        page: document.documentElement.outerHTML + inputs.join(),
        address: location.href,
        records: JSON.stringify(records),
        session: JSON.stringify(sessionStorage),
        local: JSON.stringify(localStorage),
        caches: (await caches.keys()).join(),
      };
    });
  const tab = await everywhere();
  expect(Object.values(tab).join()).not.toContain('canarycanary');
  await goTo(page, 'Settings');
  await page.getByRole('radio', { name: 'This session' }).check({ force: true });
  await expect.poll(async () => (await everywhere()).session).toContain(canary);
  const elsewhere = { ...(await everywhere()), session: '' };
  expect(Object.values(elsewhere).join()).not.toContain('canarycanary');
  await page.reload();
  await expect(page.getByText('…0001')).toBeVisible();
  await page.getByRole('button', { name: 'Forget key' }).click();
  await expect.poll(async () => Object.values(await everywhere()).join()).not.toContain('canarycanary');
  expect(messages.join('\n')).not.toContain('canarycanary');
});
