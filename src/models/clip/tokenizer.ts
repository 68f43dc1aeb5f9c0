// CLIP's tokenizer (Radford et al. 2021), equal to transformers' CLIPTokenizer: a tokenizer.json object is made from vocab.json and
// merges.txt and run by @huggingface/tokenizers. Truncation and padding are ours.
import { Tokenizer as PieceTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { assert } from '../../base/assert';
import { AppError } from '../../base/errors';

export type TokenizerFiles = {
  readonly vocab: Readonly<Record<string, number>>; // vocab.json
  readonly merges: string; // merges.txt
  readonly specialTokensMap: unknown; // special_tokens_map.json
  readonly tokenizerConfig?: unknown; // tokenizer_config.json
  /** The text encoder's max_position_embeddings: ids of every text have this length. */
  readonly maxLength: number;
};

type Encoding = {
  readonly ids: Int32Array<ArrayBuffer>; // start, text, end, padding; maxLength in all
  readonly length: number; // ids that are not padding
  readonly truncated: boolean; // the text had more than fits
};

export type Tokenizer = {
  /** A text as the text encoder reads it, cut off where it is too long. */
  encode(text: string): Encoding;
  /** The ids of a text alone, as many as it has. */
  words(text: string): readonly number[];
  /** Start, ids (at most `room`), end, padding; maxLength in all. */
  frame(words: readonly number[]): Int32Array<ArrayBuffer>;
  readonly room: number; // ids between start and end
  readonly comma: number | undefined; // the id of a comma that ends a word
};

const tokenSchema = z.union([
  z.string().transform((content) => ({ content, normalized: false })),
  z.object({ content: z.string(), normalized: z.boolean().default(false) }),
]);
type SpecialToken = z.infer<typeof tokenSchema>;

const specialTokensSchema = z.object({
  bos_token: tokenSchema.nullish(),
  eos_token: tokenSchema.nullish(),
  unk_token: tokenSchema.nullish(),
  pad_token: tokenSchema.nullish(),
});
type Role = keyof z.infer<typeof specialTokensSchema>;

/** Throws AppError('unsupported-model') when the files do not fit together. */
export function createTokenizer(files: TokenizerFiles): Tokenizer {
  const { vocab, maxLength } = files;
  assert(maxLength >= 2, `${maxLength} positions do not hold a start and an end`);
  const special = findSpecialTokens(files);
  const idOf = ({ content }: SpecialToken): number => {
    const id = Object.hasOwn(vocab, content) ? vocab[content] : undefined;
    if (id !== undefined) return id;
    throw new AppError('unsupported-model', { reason: `tokenizer: vocab.json has no "${content}"` });
  };
  const added = [special.bos_token, special.eos_token, special.unk_token, special.pad_token];
  const pieces = new PieceTokenizer(tokenizerJson(files, special.unk_token.content, added, idOf), {});
  const [start, end, padding] = [special.bos_token, special.eos_token, special.pad_token].map(idOf);

  const room = maxLength - 2;

  // Lower case is taken letter by letter there; JavaScript alone knows a sigma for the ends of words.
  const words = (text: string) => pieces.encode(text.replaceAll('Σ', 'σ'), { add_special_tokens: false }).ids;
  const frame = (content: readonly number[]) => {
    assert(content.length <= room, `${content.length} ids for ${room} places`);
    const ids = new Int32Array(maxLength).fill(padding!);
    ids.set([start!, ...content, end!]);
    return ids;
  };
  return {
    encode(text) {
      const all = words(text);
      const length = Math.min(all.length, room) + 2;
      return { ids: frame(all.slice(0, room)), length, truncated: all.length > room };
    },
    words,
    frame,
    room,
    comma: Object.hasOwn(vocab, ',</w>') ? vocab[',</w>'] : undefined,
  };
}

/** The four special tokens: special_tokens_map.json first, then tokenizer_config.json, then CLIP's own. */
function findSpecialTokens(files: TokenizerFiles): Readonly<Record<Role, SpecialToken>> {
  const maps = [files.specialTokensMap ?? {}, files.tokenizerConfig ?? {}].map((file) => {
    const parsed = specialTokensSchema.safeParse(file);
    if (parsed.success) return parsed.data;
    throw new AppError('unsupported-model', { reason: `tokenizer: ${z.prettifyError(parsed.error)}` });
  });
  const find = (role: Role, otherwise: SpecialToken) =>
    maps.map((map) => map[role]).find((token) => token) ?? otherwise;
  const bos = find('bos_token', { content: '<|startoftext|>', normalized: false });
  const eos = find('eos_token', { content: '<|endoftext|>', normalized: false });
  return {
    bos_token: bos,
    eos_token: eos,
    unk_token: find('unk_token', eos),
    pad_token: find('pad_token', eos),
  };
}

/** What transformers' CLIPTokenizer makes of the two files: its tokenizer.json, without what comes before and after the text. */
function tokenizerJson(
  { vocab, merges }: TokenizerFiles,
  unknown: string,
  added: readonly SpecialToken[],
  idOf: (token: SpecialToken) => number,
) {
  const distinct = new Map(added.map((token) => [token.content, token])); // where one is named twice, the last counts
  const lines = merges.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#version'));
  // CLIP's words, and what ByteLevel makes of them: its own pattern, by this library, takes a byte order mark for a space
  const contractions = "'s|'t|'re|'ve|'m|'ll|'d";
  const words = `<\\|startoftext\\|>|<\\|endoftext\\|>|${contractions}|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+`;
  const parts = `${contractions}|\\p{L}+|\\p{N}+|[^\\s\\p{L}\\p{N}]+`;
  return {
    added_tokens: [...distinct.values()].map((token) => ({ ...token, id: idOf(token), special: true })),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'NFC' },
        { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
        { type: 'Lowercase' },
      ],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: words }, behavior: 'Removed', invert: true },
        { type: 'Split', pattern: { Regex: parts }, behavior: 'Removed', invert: true },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: null,
    model: {
      type: 'BPE',
      unk_token: unknown,
      end_of_word_suffix: '</w>',
      vocab,
      merges: lines.map((line) => line.split(' ')),
    },
  };
}
