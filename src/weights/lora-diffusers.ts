// The LoRA layouts that diffusers wrote before it took PEFT's: "….to_q.lora.down.weight", "….processor.to_q_lora.down.weight" (the
// first one, which current diffusers loads as nothing) and the text encoder's "….q_proj.lora_linear_layer.down.weight". Read only.
import { withComponent, type LoraKey } from './lora-module';

/** Understands the names above; undefined for any other name. */
export function parseDiffusersKey(name: string): LoraKey | undefined {
  const plain = /^(.+)\.(?:lora|lora_linear_layer)\.(down|up)\.weight$/.exec(name);
  if (plain !== null) return { path: withComponent(plain[1]!), part: plain[2] as 'down' | 'up' };
  const processor = /^(.+?)\.(?:processor\.)?to_(q|k|v|out)_lora\.(down|up)\.weight$/.exec(name);
  if (processor !== null) {
    const path = withComponent(processor[1]!);
    return {
      path: `${path}.${projectionName(path, processor[2]!)}`,
      part: processor[3] as 'down' | 'up',
    };
  }
  const alpha = /^(.+)\.alpha$/.exec(name);
  if (alpha !== null && name.includes('.', alpha[1]!.indexOf('.') + 1)) {
    return { path: withComponent(alpha[1]!), part: 'alpha' };
  }
  return undefined;
}

function projectionName(path: string, letter: string): string {
  if (path.startsWith('text_encoder.')) return letter === 'out' ? 'out_proj' : `${letter}_proj`;
  return letter === 'out' ? 'to_out.0' : `to_${letter}`;
}
