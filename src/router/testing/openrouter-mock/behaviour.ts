// What the mock may be told to do with one request: answer, reply with a status and a body, or fail below HTTP. All of it is data.

/** Facts of the request that bodies quote. `now` is in ms. */
export type Context = {
  readonly model: string;
  readonly now: number;
  readonly userId: string;
  readonly dayLimit: number;
};

type ToolCall = { readonly id: string; readonly name: string; readonly arguments: string };

/** What the model says. Parts come in this order: reasoning, content, refusal, tool calls, images. */
export type Answer = {
  readonly reasoning?: string;
  readonly content?: string | null;
  readonly refusal?: string;
  readonly toolCalls?: readonly ToolCall[];
  /** Data URLs. */
  readonly images?: readonly string[];
  readonly finish?: 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'error' | null;
  /** What `model` says in place of the id that was asked for: a dated snapshot. */
  readonly model?: string;
  readonly cost?: number;
  readonly isByok?: boolean;
  readonly upstreamCost?: number;
};

export type MidStreamError = 'full' | 'no-choices' | 'bare' | 'string-code' | 'in-choice';

/** How the answer goes over the wire when it is streamed. */
export type Delivery = {
  /** Keep-alive comments before the first chunk, `everyMs` apart. */
  readonly comments?: { readonly count: number; readonly everyMs: number; readonly text?: string };
  readonly firstTokenMs?: number;
  readonly tokenMs?: number;
  /** Stop after so many chunks: say nothing more, drop the socket, end in silence or send an error. */
  readonly cut?: { readonly after: number; readonly by: 'hang' | 'drop' | 'end' | MidStreamError };
  /** How often the finish reason is sent. OpenRouter sends it twice. */
  readonly finishes?: 0 | 1 | 2;
  readonly usage?: 'with-choice' | 'without-choices' | 'none';
  readonly done?: boolean;
  /** In place of closing a whole answer. */
  readonly afterwards?: 'hang' | 'drop';
  readonly lineEnd?: '\n' | '\r\n';
  /** Bytes a network chunk; without it, an event is a chunk. */
  readonly splitBytes?: number;
  /** Answer a streaming request with one JSON body. */
  readonly asJson?: boolean;
};

export type Behaviour =
  | { readonly kind: 'answer'; readonly answer?: Answer; readonly delivery?: Delivery }
  | {
      readonly kind: 'reply';
      readonly status: number;
      /** JSON, or text when it is a string. */
      readonly body: (context: Context) => unknown;
      readonly headers?: (context: Context) => Readonly<Record<string, string>>;
    }
  /** No answer at all: `refuse` fails the fetch, `silence` waits until the client gives up. */
  | { readonly kind: 'no-answer'; readonly how: 'refuse' | 'silence' };
