// A sentence for every failure: what happened, what was kept, what to do. A new code without words does not compile.
import type { ErrorDetails } from '../base/errors';
import type { Failure, FailureCode } from '../state/failure';
import { formatBytes, formatDuration } from './format';

/** What the button under the sentence does, where a button can help. */
export type Remedy = 'restart-engine' | 'resume' | 'free-storage' | 'use-wasm' | 'see-models';

export type Description = {
  readonly title: string;
  readonly text: string;
  readonly remedy?: Remedy;
};

const word = (details: ErrorDetails, key: string): string | undefined => {
  const value = details[key];
  return value === undefined || value === '' ? undefined : String(value);
};

const file = (details: ErrorDetails): string => word(details, 'file') ?? 'the file';

const quoted = (details: ErrorDetails): string => `“${file(details)}”`;

const because = (details: ErrorDetails): string => {
  const reason = word(details, 'reason');
  return reason === undefined ? '' : ` (${reason})`;
};

/** Why a photo cannot be used, by the photo worker's reasons. */
const badImages: Readonly<Record<string, string>> = {
  empty: 'is empty: it holds no bytes. Copy it again from the camera or phone.',
  'not-an-image': 'is not a picture, whatever its name says.',
  undecodable: 'is damaged, or in a form that this browser cannot read. Save it again as JPEG or PNG.',
  heic: 'is a HEIC photo, which this browser cannot read. Export it as JPEG, or use Safari.',
  'too-small': 'is too small: its shorter side needs at least 64 pixels.',
  'too-large': 'is too large for this browser to open. Save a smaller copy, up to 200 megapixels.',
};

const model = (details: ErrorDetails): string => word(details, 'model') ?? 'the model';

/** When the hub will answer again, as far as it said so. */
const later = (details: ErrorDetails): string => {
  const seconds = details['retryAfterSeconds'];
  return typeof seconds === 'number' ? `in ${formatDuration(seconds)}` : 'in a few minutes';
};

/** What is needed and what is there, for a download that was measured first. */
const room = ({ neededBytes, freeBytes }: ErrorDetails): string =>
  typeof neededBytes === 'number' && typeof freeBytes === 'number'
    ? ` ${formatBytes(neededBytes)} more are needed, ${formatBytes(freeBytes)} are free.`
    : '';

/** Why signing in gave no key, by the reasons of router/sign-in. */
const signInFailures: Readonly<Record<string, string>> = {
  code: 'OpenRouter did not accept the code. Each works once, and only in the tab that began. Sign in again.',
  expired: 'The code is older than ten minutes. Sign in again.',
  network: 'OpenRouter could not be reached. Sign in again when the connection is back.',
  answer: 'OpenRouter answered without a key. Sign in again, or make a key there and paste it here.',
};

/** How much was asked for, and of how much. */
function shortage({ neededBytes, limitBytes, tensorBytes, tensorLimitBytes }: ErrorDetails): string {
  if (typeof tensorBytes === 'number' && typeof tensorLimitBytes === 'number')
    return ` (a table of ${formatBytes(tensorBytes)}, of which the GPU takes ${formatBytes(tensorLimitBytes)} at once)`;
  if (typeof neededBytes !== 'number') return '';
  return ` (${formatBytes(neededBytes)}${typeof limitBytes === 'number' ? ` of ${formatBytes(limitBytes)}` : ''})`;
}

const descriptions = {
  'webgpu-missing': () => ({
    title: 'This browser gives no GPU to the page',
    text: 'Nothing is lost. WebAssembly does the same work on the processor, only slower.',
    remedy: 'use-wasm',
  }),
  'engine-failed': () => ({
    title: 'The engine stopped',
    text: 'Photos, settings and the newest checkpoint are kept. Start it again, then go on.',
    remedy: 'restart-engine',
  }),
  'device-lost': () => ({
    title: 'The GPU went away',
    text: 'This happens when a driver restarts or a laptop sleeps. The newest checkpoint is kept: start the engine again, then go on.',
    remedy: 'restart-engine',
  }),
  'out-of-memory': (details) => ({
    title: 'Not enough memory',
    text: `This device could not hold what was asked for${shortage(details)}. Nothing that was kept is lost. A lower rank, a smaller batch, a smaller picture or the tight memory setting need less; so do fewer open tabs.`,
    remedy: 'restart-engine',
  }),
  'storage-full': (details) => ({
    title: 'No room left in this browser’s storage',
    text: `What was stored before is whole; the last change is only in this tab.${room(details)} Remove something or free space on the disk, then try again.`,
    remedy: 'free-storage',
  }),
  'storage-failed': (details) => ({
    title: 'The browser’s storage refused',
    text: `${word(details, 'what') ? `It concerns: ${word(details, 'what')}. ` : ''}What was stored before is kept. Private windows and strict settings do this; otherwise reload the page.`,
  }),
  'download-failed': (details) => ({
    title: 'A file did not come through',
    text: `${quoted(details)} could not be loaded. What has arrived is kept; try again when the connection is back.`,
    remedy: 'restart-engine',
  }),
  'file-missing': (details) => ({
    title: 'The server lacks a file',
    text: `${quoted(details)} is not on the server that this page came from. Nothing of yours is lost; whoever runs the server needs to add it.`,
    remedy: 'restart-engine',
  }),
  'model-missing': (details) => ({
    title: 'The model is not in this browser',
    text: `${model(details)} was not downloaded, not to its end, or was removed. What was made with it is kept. Get it under Models.`,
    remedy: 'see-models',
  }),
  'hub-sign-in': (details) => ({
    title: 'The hub does not show this model',
    text: `${model(details)} is not there, or it is private${
      details['hasToken'] === true
        ? ' and your token was not accepted. Check the name, and that the token is whole and may read it.'
        : '. Check the name; for a private model, give a Hugging Face token that may read it.'
    }`,
  }),
  'hub-gated': (details) => ({
    title: 'The makers of this model give access on request',
    text: `Open huggingface.co/${model(details)}, accept its terms there, ${
      details['hasToken'] === true
        ? 'and check that your token is of that account and may read gated models.'
        : 'then give a Hugging Face token of that account here.'
    } What has arrived is kept.`,
  }),
  'hub-missing': (details) => ({
    title: 'The hub has no such model',
    text: `${model(details)} is not on huggingface.co, or not with this revision. Check the spelling: owner/name. What has arrived is kept.`,
  }),
  'hub-busy': (details) => ({
    title: 'The hub is busy',
    text: `It asked to come back later, several times. What has arrived is kept; go on ${later(details)}.`,
  }),
  'hub-unreachable': () => ({
    title: 'The connection to the hub broke',
    text: 'What has arrived is kept. Go on when the connection is back. Some company networks and ad blockers keep pages from huggingface.co.',
  }),
  'hub-wrong-file': (details) => ({
    title: 'A file arrived wrong',
    text: `${quoted(details)} has ${
      details['reason'] === 'hash' ? 'another content' : 'another length'
    } than the hub’s own list says. It was thrown away, and nothing of it is used. Try again; something on the way may have changed it.`,
  }),
  'bad-file': (details) => ({
    title: 'This file cannot be used',
    text: `${quoted(details)} is damaged or of another kind${because(details)}. Nothing was changed. Get the file again, as .safetensors.`,
  }),
  'bad-image': (details) => ({
    title: details['isAlone'] === true ? 'This picture cannot be used' : 'This photo cannot be used',
    text: `${quoted(details)} ${badImages[word(details, 'reason') ?? ''] ?? 'could not be read.'} ${details['isAlone'] === true ? 'Nothing was changed.' : 'The others are kept.'}`,
  }),
  'bad-settings': (details) => ({
    title: 'A setting is outside its range',
    text: `${word(details, 'setting') ?? 'One of them'} needs to be ${word(details, 'reason') ?? 'another value'}. Nothing was started.`,
  }),
  'unsupported-model': (details) => ({
    title: 'This model cannot be opened',
    text: `It is built in a way that this page does not know${because(details)}. Nothing was changed.`,
  }),
  'wrong-model': (details) => ({
    title: 'Made for another model',
    text: `${quoted(details)} does not fit the loaded base model${because(details)}. Nothing was changed.`,
  }),
  'run-locked': () => ({
    title: 'Another tab is training this subject',
    text: 'It goes on there undisturbed. Pause it in that tab to train it here.',
  }),
  'not-finite': (details) => ({
    title: 'The loss is no longer a number',
    text: `Training diverged at step ${word(details, 'step') ?? '?'}. The checkpoint before is kept and can be drawn with. Start a new subject with a lower learning rate.`,
  }),
  'half-overflow': () => ({
    title: 'This model needs full precision',
    text: 'Its numbers became too large for 16 bits while it drew. In Settings, set “Precision” to “Full”, then draw again.',
  }),
  'key-rejected': (details) => ({
    title: 'This is not a key that works',
    text:
      details['reason'] === 'refused'
        ? 'OpenRouter does not know this key: it was revoked or is incomplete. Make another there, or sign in.'
        : 'A key of OpenRouter starts with sk-or-. Copy it whole, or sign in.',
  }),
  'sign-in-failed': (details) => ({
    title: 'Signing in gave no key',
    text: signInFailures[word(details, 'reason') ?? ''] ?? 'Sign in again.',
  }),
  'endpoint-failed': (details) => ({
    title: 'This browser gives the page no endpoint',
    text: `It runs no service worker here${because(details)}. Chat works all the same; other programs can use the endpoint of the server.`,
  }),
  unexpected: () => ({
    title: 'Something went wrong that should not',
    text: 'This is a mistake of the page, not yours. What was stored is kept; reload the page to go on.',
  }),
} satisfies Record<FailureCode, (details: ErrorDetails) => Description>;

/** The words of a failure. */
export function describeFailure({ code, details }: Failure): Description {
  const describe: (details: ErrorDetails) => Description = descriptions[code];
  return describe(details);
}
