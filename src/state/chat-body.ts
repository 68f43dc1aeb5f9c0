// A conversation as the body of POST /chat/completions: what failed is left out, pictures go as data URLs.
import type { ChatSettings, Message } from './chat-state';
import { drawTool } from './draw-tool';

type WirePart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image_url'; readonly image_url: { readonly url: string } };

type WireMessage =
  | { readonly role: 'user'; readonly content: string | readonly WirePart[] }
  | {
      readonly role: 'assistant';
      readonly content: string;
      readonly tool_calls?: readonly {
        readonly id: string;
        readonly type: 'function';
        readonly function: { readonly name: string; readonly arguments: string };
      }[];
    }
  | { readonly role: 'tool'; readonly tool_call_id: string; readonly content: string };

type Asking = {
  readonly settings: ChatSettings;
  readonly messages: readonly Message[];
  /** The subject that draw_image draws, in the words that a prompt needs; undefined: the tool is not offered. */
  readonly drawing: { readonly subject: string | undefined } | undefined;
  /** The model whose answer is being replaced: another is asked, where there is one. */
  readonly replaced: string | undefined;
};

/** Weight of the model whose answer the person did not want. */
const replacedWeight = 0.05;

/** The body. */
export async function chatBody({ settings, messages, drawing, replaced }: Asking) {
  return {
    model: settings.model,
    messages: (await Promise.all(messages.map(toWire))).flat(),
    stream: true,
    stream_options: { include_usage: true },
    ...(drawing && { tools: [drawTool(drawing.subject)] }),
    router: {
      overflow: 'trim',
      // a voice that changes in mid-conversation annoys; a replaced answer is meant to change
      ...(replaced === undefined
        ? { sticky: messages[0]?.id ?? 'new' }
        : { weights: { [replaced]: replacedWeight } }),
    },
  };
}

async function toWire({
  role,
  text,
  attachments,
  imageIds,
  answer,
}: Message): Promise<readonly WireMessage[]> {
  if (role === 'user') {
    if (attachments.length === 0) return [{ role, content: text }];
    const pictures = await Promise.all(attachments.map(toDataUrl));
    return [
      {
        role,
        content: [
          { type: 'text', text },
          ...pictures.map((url) => ({ type: 'image_url', image_url: { url } }) as const),
        ],
      },
    ];
  }
  const calls = answer?.calls ?? [];
  if (calls.length > 0) {
    return [
      {
        role,
        content: text,
        tool_calls: calls.map(({ id, name, arguments: given }) => ({
          id,
          type: 'function',
          function: { name, arguments: given },
        })),
      },
      ...calls.map(({ id, result }) => ({ role: 'tool', tool_call_id: id, content: result }) as const),
    ];
  }
  if (answer === null && imageIds.length > 0) return [{ role, content: `(A picture was drawn: ${text})` }];
  const isAnswer = answer !== null && answer.model !== null && text !== '';
  return isAnswer ? [{ role, content: text }] : [];
}

async function toDataUrl(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return `data:${blob.type};base64,${btoa(binary)}`;
}
