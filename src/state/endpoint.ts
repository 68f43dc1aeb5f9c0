// The OpenAI-compatible endpoint of this page: same-origin <base>/v1, through the service worker to the router that runs here.
import { AppError } from '../base/errors';
import { everyInterval } from '../router/relay/messages';
import { registerRelay } from '../router/relay/register';
import { base64Url } from '../router/sign-in';
import type { App } from './app';
import { toFailure } from './failure';

/** Opens the endpoint; `answer` is the router's fetch. A failure stands in the store: the page works without. */
export async function openEndpoint(app: App, answer: (request: Request) => Promise<Response>): Promise<void> {
  const { serviceWorkers, pageUrl, randomBytes } = app.services;
  try {
    if (serviceWorkers === undefined) throw new Error('none outside secure contexts');
    const { baseUrl, token } = await registerRelay({
      container: serviceWorkers,
      baseUri: pageUrl(),
      answer,
      newSecret: () => base64Url(randomBytes(32)),
      every: everyInterval,
    });
    app.endpoint.setState({ phase: 'open', baseUrl, token }, true);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown';
    app.endpoint.setState(
      { phase: 'failed', failure: toFailure(new AppError('endpoint-failed', { reason }, error)) },
      true,
    );
  }
}
