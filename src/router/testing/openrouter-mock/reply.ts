// A whole answer as data: status, body, headers. Streams are not replies.

export type Reply = {
  readonly status: number;
  /** JSON, or text when it is a string. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, body, headers };
}

export function errorBody(code: number, message: string) {
  return { error: { message, code } };
}
