// Words for an answer that did not come, by the codes of the router's errors: what happened, and what to do.
import type { AnswerFailure } from '../../../state/chat-state';

export type AnswerRemedy = 'again' | 'key' | 'privacy' | 'credits';

type Words = {
  readonly title: string;
  readonly text: string;
  readonly remedies: readonly AnswerRemedy[];
};

const byCode: Readonly<Record<string, (failure: AnswerFailure) => Words>> = {
  no_key: () => ({ title: 'There is no key yet', text: '', remedies: ['key'] }),
  invalid_api_key: () => ({
    title: 'OpenRouter does not take the key',
    text: 'It was revoked or is incomplete. Put in another one, or sign in again.',
    remedies: ['key', 'again'],
  }),
  insufficient_quota: ({ status, message }) =>
    status === 429
      ? {
          title: 'Today’s free requests are used up',
          text: 'Nothing is sent until the count starts anew. It belongs to the account: another key of it would not help.',
          remedies: ['again'],
        }
      : {
          title: 'OpenRouter refuses the account',
          text: `Free models are closed to an account in debt and to a key at its limit. OpenRouter says: ${message}`,
          remedies: ['credits', 'again'],
        },
  rate_limit_exceeded: ({ message }) => ({
    title: 'Too many requests right now',
    text: `${message} Another model may answer at once.`,
    remedies: ['again'],
  }),
  data_policy: () => ({
    title: 'The account’s privacy settings leave no free model',
    text: 'Most free models may train on what they are sent, and your OpenRouter account forbids that. Allow “free endpoints that may train on inputs” (and “publish prompts”, if you like) there, then try again.',
    remedies: ['privacy', 'again'],
  }),
  content_policy_violation: ({ message }) => ({
    title: 'The provider refused the message',
    text: message,
    remedies: [],
  }),
  context_length_exceeded: ({ message }) => ({
    title: 'The conversation is too long for the model',
    text: `${message} Choose free:long, or clear the conversation.`,
    remedies: ['again'],
  }),
  model_not_found: () => ({
    title: 'This model is no longer free',
    text: 'Free models come and go. Choose another one, or free for any of them.',
    remedies: ['again'],
  }),
  no_free_model: ({ message }) => ({
    title: 'No free model fits',
    text: message,
    remedies: ['again'],
  }),
  timeout: () => ({
    title: 'No free model answered in time',
    text: 'The ones that were asked are set aside for a while; others may answer.',
    remedies: ['again'],
  }),
  broken_off: ({ message }) => ({
    title: 'The answer broke off',
    text: `${message} What arrived is kept.`,
    remedies: ['again'],
  }),
};

/** The words of a failure; one without a code of its own is the models' trouble. */
export function describeAnswerFailure(failure: AnswerFailure): Words {
  const describe = Object.hasOwn(byCode, failure.code) ? byCode[failure.code] : undefined;
  return describe
    ? describe(failure)
    : { title: 'No free model answered', text: failure.message, remedies: ['again'] };
}

/** What happened in one attempt, by the router's kinds of failure. */
export const attemptWords: Readonly<Record<string, string>> = {
  pool: 'busy: its shared pool was empty',
  provider: 'its provider failed',
  server: 'OpenRouter failed',
  timeout: 'no answer in time',
  empty: 'an empty answer',
  'cut-off': 'the answer was cut off',
  network: 'the connection failed',
  gone: 'no longer there',
  'paid-now': 'no longer free',
  'bad-model-id': 'no longer there',
  'data-policy': 'kept out by the account’s privacy settings',
  'no-tools': 'does not take tools',
  'no-parameters': 'does not take these settings',
  context: 'too small for the conversation',
  minute: 'the account’s minute was full',
  'in-flight': 'too many requests at once',
  day: 'today’s requests are used up',
  schema: 'an answer of another form',
  moderation: 'refused by moderation',
  guardrail: 'refused by a guardrail',
};
