// The local image model as the router sees it: a function given by the caller, so that the router knows no engine.

export type DrawRequest = {
  readonly subject: string; // what stands after likeness/
  readonly prompt: string;
  readonly negativePrompt: string; // '' = none
  readonly count: number; // 1 to 10
  readonly width: number | undefined; // pixels; undefined: the model's own
  readonly height: number | undefined;
  readonly seed: number | undefined;
  readonly format: 'png' | 'jpeg';
};

export type DrawnImage = {
  readonly bytes: Uint8Array; // a whole file; a PNG carries its parameters as a text chunk
  readonly parameters: string; // the same text
};

type DrawSubject = { readonly id: string; readonly createdAt: number }; // ms since 1970

export type Draw = {
  /** The subjects that can be drawn now. */
  subjects(): Promise<readonly DrawSubject[]>;
  /** Draws. Rejects when aborted; throws an Error whose message may be shown. */
  draw(request: DrawRequest, signal: AbortSignal): Promise<readonly DrawnImage[]>;
};
