import { expect, test } from 'vitest';
import { parsePromptWeights } from './prompt-weights';

const parsed = (prompt: string) =>
  parsePromptWeights(prompt).map((part) => (part === 'break' ? part : [part.text, part.weight]));

test.each([
  // published with the web UI's own parser
  ['normal text', [['normal text', 1]]],
  [
    'an (important) word',
    [
      ['an ', 1],
      ['important', 1.1],
      [' word', 1],
    ],
  ],
  ['(unbalanced', [['unbalanced', 1.1]]],
  ['\\(literal\\]', [['(literal]', 1]]],
  ['(unnecessary)(parens)', [['unnecessaryparens', 1.1]]],
  [
    'a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).',
    [
      ['a ', 1],
      ['house', 1.5730000000000004],
      [' ', 1.1],
      ['on', 1],
      [' a ', 1.1],
      ['hill', 0.55],
      [', sun, ', 1.1],
      ['sky', 1.4641000000000006],
      ['.', 1.1],
    ],
  ],
  // its wiki
  [
    'a (word)',
    [
      ['a ', 1],
      ['word', 1.1],
    ],
  ],
  [
    'a ((word))',
    [
      ['a ', 1],
      ['word', 1.1 * 1.1],
    ],
  ],
  [
    'a [word]',
    [
      ['a ', 1],
      ['word', 1 / 1.1],
    ],
  ],
  [
    'a (word:1.5)',
    [
      ['a ', 1],
      ['word', 1.5],
    ],
  ],
  [
    'a (word:0.25)',
    [
      ['a ', 1],
      ['word', 0.25],
    ],
  ],
  ['a \\(word\\)', [['a (word)', 1]]],
  // the rest
  ['', []],
  ['()', []],
  ['a) b] c:1.2) d', [['a) b] c:1.2) d', 1]]],
  [
    '(a: .5 ) (b:-1) (c:+2)',
    [
      ['a', 0.5],
      [' ', 1],
      ['b', -1],
      [' ', 1],
      ['c', 2],
    ],
  ],
  ['(ratio 16:9)', [['ratio 16', 9]]],
  ['(half past 8:30 pm)', [['half past 8:30 pm', 1.1]]],
  ['(a:1.2.3)', [['a:1.2.3', 1.1]]],
  [
    '(a [b) c]',
    [
      ['a ', 1.1],
      ['b', (1 / 1.1) * 1.1],
      [' c', 1 / 1.1],
    ],
  ],
  ['[a', [['a', 1 / 1.1]]],
  ['a \\\\ b \\c', [['a \\ b c', 1]]],
  ['two\nlines, ünïcode 猫', [['two\nlines, ünïcode 猫', 1]]],
  ['a cat BREAK a (dog)', [['a cat', 1], 'break', ['a ', 1], ['dog', 1.1]]],
  ['(a\nBREAK\nb:2)', [['a', 2], 'break', ['b', 2]]],
  ['BREAK a BREAK BREAK', ['break', ['a', 1], 'break', 'break']],
  ['a BREAKFAST, break, (BREAK', [['a BREAKFAST, break, ', 1], 'break']],
])('%j', (prompt, expected) => {
  expect(parsed(prompt)).toEqual(expected);
});
