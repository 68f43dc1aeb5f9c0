// draw_image: the tool with which a language model draws in the conversation, on this machine.
import type { App } from './app';
import { draw } from './drawing';
import { emptyForm, requestOf } from './drawing-state';

const name = 'draw_image';

/** The tool as the model is told of it. `subject` are the words that mean the chosen subject. */
export function drawTool(subject: string | undefined) {
  const meaning =
    subject === undefined
      ? ''
      : ` The person trained it on a subject of theirs: "${subject}" in the prompt means it.`;
  return {
    type: 'function',
    function: {
      name,
      description: `Draws one small picture on the person's machine and shows it in the conversation.${meaning}`,
      parameters: {
        type: 'object',
        properties: {
          prompt: {
            type: 'string',
            description: 'What the picture shows, in English, in one short sentence.',
          },
        },
        required: ['prompt'],
      },
    },
  } as const;
}

export type ToolResult = { readonly result: string; readonly imageIds: readonly string[] };

/** Runs a call of the model. What goes wrong is the result, for the model to read. */
export async function runTool(
  app: App,
  call: { readonly name: string; readonly arguments: string },
): Promise<ToolResult> {
  const failed = (words: string) => ({ result: JSON.stringify({ error: words }), imageIds: [] });
  if (call.name !== name) return failed('There is no such tool.');
  const prompt = promptOf(call.arguments);
  if (prompt === undefined) return failed('The arguments need "prompt", a sentence.');
  const engine = app.engine.getState();
  if (engine.phase !== 'ready') return failed('The image model is not loaded.');
  const { subjectId } = app.chat.getState();
  const form = { ...emptyForm, prompt, subjectId, seed: app.services.newSeed() };
  const imageIds = (await draw(app, requestOf(form, engine.model), 'chat')).map(({ id }) => id);
  if (imageIds.length === 0) return failed('The picture could not be drawn.');
  return { result: JSON.stringify({ shown: true, prompt }), imageIds };
}

function promptOf(given: string): string | undefined {
  try {
    const value: unknown = JSON.parse(given);
    if (typeof value !== 'object' || value === null || !('prompt' in value)) return undefined;
    const { prompt } = value;
    return typeof prompt === 'string' && prompt.trim() !== '' ? prompt.trim() : undefined;
  } catch {
    return undefined; // models write broken JSON now and then
  }
}
