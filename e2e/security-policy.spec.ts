// The page under its Content Security Policy: nothing of its own runs against it, and what it forbids does not happen.
import { expect, test, type Page } from '@playwright/test';
import { goTo, loadSample, openPage } from './page';

/** The directives that something in the page was refused by, as the browser tells its developer tools: console and events lack some. */
async function watchPolicy(page: Page): Promise<Set<string>> {
  const refusals = new Set<string>();
  const session = await page.context().newCDPSession(page);
  session.on('Audits.issueAdded', ({ issue }) => {
    const details = issue.details.contentSecurityPolicyIssueDetails;
    if (details) refusals.add(`${details.violatedDirective} ${details.contentSecurityPolicyViolationType}`);
  });
  await session.send('Audits.enable');
  return refusals;
}

test('every place opens, and the model runs on threads, without a violation', async ({ page }) => {
  const refusals = await watchPolicy(page);
  await openPage(page);
  await loadSample(page);
  for (const place of ['Create', 'Chat', 'Models', 'Settings', 'Train']) await goTo(page, place);
  await expect(page.getByRole('status', { name: 'Engine' })).toContainText('Likeness 64');
  expect([...refusals]).toEqual([]);
});

test('scripts of a string, and connections to strangers, are refused', async ({ page }) => {
  const refusals = await watchPolicy(page);
  await page.goto('./');
  const outcome = await page.evaluate(async () => {
    await new Promise((resolve) => setTimeout(resolve)); // the evaluation itself is exempt
    const tried = (task: () => unknown) =>
      Promise.resolve()
        .then(task)
        .then(
          () => 'done',
          (error: unknown) => (error as Error).name,
        );
    return [await tried(() => eval('1')), await tried(() => fetch('https://example.com/'))];
  });
  expect(outcome).toEqual(['EvalError', 'TypeError']);
  expect([...refusals].sort()).toEqual(['connect-src kURLViolation', 'script-src kEvalViolation']);
});
