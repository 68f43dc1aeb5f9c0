// Against the ids of transformers' CLIPTokenizer, for the bundled vocabulary and, where it lies beside the project, CLIP's own.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../base/errors';
import { createTokenizer, type TokenizerFiles } from './tokenizer';

type Fixture = {
  readonly inputs: { readonly max_length: number; readonly texts: readonly string[] };
  readonly outputs: { readonly ids: readonly (readonly number[])[] };
};

const root = join(import.meta.dirname, '../../..');
const bundled = join(root, 'public/models/bundled/tokenizer');
const clip = join(root, '../shared/data/clip-tokenizer');

const readJson = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as unknown;
const readFixture = (name: string) =>
  readJson(join(import.meta.dirname, `../__fixtures__/tokenizer-${name}.json`)) as Fixture;

const readFiles = (folder: string, maxLength: number): TokenizerFiles => ({
  vocab: readJson(join(folder, 'vocab.json')) as Record<string, number>,
  merges: readFileSync(join(folder, 'merges.txt'), 'utf8'),
  specialTokensMap: readJson(join(folder, 'special_tokens_map.json')),
  tokenizerConfig: readJson(join(folder, 'tokenizer_config.json')),
  maxLength,
});

const idsOf = <const T extends readonly string[]>({ vocab }: TokenizerFiles, tokens: T) =>
  tokens.map((token) => vocab[token]!) as { [Index in keyof T]: number };

describe.each([
  ['bundled', bundled],
  ['clip', clip],
])('the %s vocabulary', (name, folder) => {
  const { inputs, outputs } = readFixture(name);
  const isThere = existsSync(folder);

  test.skipIf(!isThere)(isThere ? 'gives the ids of transformers' : `is not there (${name})`, () => {
    const tokenizer = createTokenizer(readFiles(folder, inputs.max_length));
    const actual = inputs.texts.map((text) => [text, [...tokenizer.encode(text).ids]]);
    expect(actual).toEqual(inputs.texts.map((text, i) => [text, outputs.ids[i]]));
  });
});

test('words alone, and their frame', () => {
  const files = readFiles(bundled, 8);
  const [start, end, a, dog, comma] = idsOf(files, [
    '<|startoftext|>',
    '<|endoftext|>',
    'a</w>',
    'dog</w>',
    ',</w>',
  ]);
  const tokenizer = createTokenizer(files);
  expect(tokenizer.words('a dog, a dog, a dog, a dog')).toHaveLength(11);
  expect(tokenizer.words('')).toEqual([]);
  expect(tokenizer.frame([a, dog])).toEqual(Int32Array.of(start, a, dog, end, end, end, end, end));
  expect(() => tokenizer.frame([a, a, a, a, a, a, a])).toThrow('7 ids for 6 places');
  expect([tokenizer.room, tokenizer.comma]).toEqual([6, comma]);
});

describe('length, truncation and padding', () => {
  const files = readFiles(bundled, 8);
  const [start, end, a, dog] = idsOf(files, ['<|startoftext|>', '<|endoftext|>', 'a</w>', 'dog</w>']);

  test('counts start and end, and pads behind', () => {
    expect(createTokenizer(files).encode('a dog')).toEqual({
      ids: Int32Array.of(start, a, dog, end, end, end, end, end),
      length: 4,
      truncated: false,
    });
  });

  test('an exact fit is not truncated', () => {
    expect(createTokenizer(files).encode('a a a a a a')).toEqual({
      ids: Int32Array.of(start, a, a, a, a, a, a, end),
      length: 8,
      truncated: false,
    });
  });

  test('what is too long keeps its end token', () => {
    expect(createTokenizer(files).encode('a a a a a a dog')).toEqual({
      ids: Int32Array.of(start, a, a, a, a, a, a, end),
      length: 8,
      truncated: true,
    });
  });

  test('no text is a start and an end', () => {
    expect(createTokenizer({ ...files, maxLength: 2 }).encode('')).toEqual({
      ids: Int32Array.of(start, end),
      length: 2,
      truncated: false,
    });
  });
});

test('every capital sigma becomes the same small one', () => {
  const tokenizer = createTokenizer(readFiles(bundled, 32));
  expect(tokenizer.encode('ΟΔΟΣ')).toEqual(tokenizer.encode('οδοσ'));
});

test('a byte order mark among punctuation does not end it', () => {
  const files = readFiles(bundled, 7);
  const expected = idsOf(files, ['<|startoftext|>', '.', 'ï', '»', '¿', '!</w>', '<|endoftext|>']);
  expect([...createTokenizer(files).encode('.\ufeff!').ids]).toEqual(expected);
});

describe('special tokens', () => {
  const files = readFiles(bundled, 6);
  const [start, end, a] = idsOf(files, ['<|startoftext|>', '<|endoftext|>', 'a</w>']);
  const object = (content: string, normalized: boolean) => ({
    content,
    lstrip: false,
    normalized,
    rstrip: false,
    single_word: false,
  });
  const ids = (tokens: Partial<TokenizerFiles>, text: string) => [
    ...createTokenizer({ ...files, ...tokens }).encode(text).ids,
  ];

  // Stable Diffusion 2: its special_tokens_map.json says "!", its tokenizer_config.json and text config say something else
  const stableDiffusion2 = {
    bos_token: object('<|startoftext|>', true),
    eos_token: object('<|endoftext|>', true),
    pad_token: '!',
    unk_token: object('<|endoftext|>', true),
  };

  test('padding comes from special_tokens_map.json first', () => {
    const tokenizerConfig = { pad_token: '<|endoftext|>' };
    expect(ids({ specialTokensMap: stableDiffusion2, tokenizerConfig }, 'a')).toEqual(
      [start, a, end, 0, 0, 0], // the id of "!"
    );
  });

  test('then from tokenizer_config.json', () => {
    expect(ids({ specialTokensMap: {}, tokenizerConfig: { pad_token: '!' } }, 'a')).toEqual([
      start,
      a,
      end,
      0,
      0,
      0,
    ]);
  });

  test('and is the end token when neither says', () => {
    expect(ids({ specialTokensMap: {}, tokenizerConfig: undefined }, 'a')).toEqual([
      start,
      a,
      end,
      end,
      end,
      end,
    ]);
  });

  test('a "!" that pads is never part of a word', () => {
    expect(ids({ specialTokensMap: stableDiffusion2 }, 'a!!')).toEqual([start, a, 0, 0, end, 0]);
    expect(ids({}, 'a!')).toEqual([start, a, ...idsOf(files, ['!</w>']), end, end, end]);
  });

  test('those that are normalized are found in upper case too', () => {
    expect(ids({ specialTokensMap: stableDiffusion2 }, 'a <|EndOfText|>')).toEqual([
      start,
      a,
      end,
      end,
      0,
      0,
    ]);
    expect(ids({}, 'a <|EndOfText|>')).toEqual([start, a, ...idsOf(files, ['<', '|</w>', 'e']), end]);
  });

  test('one that the vocabulary lacks is a model that cannot be used', () => {
    expect(() => createTokenizer({ ...files, specialTokensMap: { pad_token: '<|pad|>' } })).toThrow(
      new AppError('unsupported-model', { reason: 'tokenizer: vocab.json has no "<|pad|>"' }),
    );
    expect(() => createTokenizer({ ...files, specialTokensMap: { pad_token: 3 } })).toThrow('pad_token');
  });
});
