// The account of ORT's memory plan, on graphs small enough to count by hand: tensors a, b, … of 4 kB each.
import { describe, expect, test } from 'vitest';
import { GraphBuilder } from './builder';
import { chainPeakBytes, cutIntoBlocks } from './cut';
import type { Value } from './graph';
import { peakBytes } from './liveness';
import { concat, exp, mul, reshape, sigmoid, slice } from './operators';

const kilobytes = 1024;
const shape = [1024];
const tensorBytes = 4 * kilobytes;

function graphOf(build: (b: GraphBuilder, x: Value) => Value) {
  const b = new GraphBuilder('count');
  return b.finish({ y: build(b, b.input('x', 'float32', shape)) });
}

describe('peak bytes', () => {
  test('a chain of equal shapes takes turns in two tensors, and writes its output into one more', () => {
    const graph = graphOf((b, x) => exp(b, exp(b, exp(b, exp(b, x)))));
    expect(peakBytes(graph)).toBe(2 * tensorBytes);
  });

  test('a view takes nothing', () => {
    const graph = graphOf((b, x) => exp(b, reshape(b, exp(b, x), [32, 32])));
    expect(peakBytes(graph)).toBe(2 * tensorBytes);
  });

  /** 4 kB, then four quarters that overlap, then 4 kB again. */
  const bottleneck = (b: GraphBuilder, x: Value) => {
    b.segment('down');
    const wide = exp(b, exp(b, exp(b, x)));
    b.segment('middle');
    const narrow = [0, 1, 2, 3].map((i) => exp(b, slice(b, wide, 0, 256 * i, 256 * (i + 1))));
    b.segment('up');
    return exp(b, exp(b, exp(b, concat(b, narrow, 0))));
  };

  test('memory waits for the next tensor of its shape, from the way down to the way up', () => {
    // two of 4 kB wait while the quarters are made: one slice and four results
    expect(peakBytes(graphOf(bottleneck))).toBe(2 * tensorBytes + 5 * kilobytes);
  });

  test('in blocks it does not wait, only what crosses is held', () => {
    const chain = cutIntoBlocks(graphOf(bottleneck));
    expect(chain.map(({ name, inputs, outputs }) => [name, inputs.length, outputs.length])).toEqual([
      ['count down', 1, 1],
      ['count middle', 1, 4],
      ['count up', 4, 1],
    ]);
    expect(chainPeakBytes(chain, 0)).toBe(4 * kilobytes + 2 * tensorBytes);
  });

  test('x · sigmoid(x) is one kernel', () => {
    const graph = graphOf((b, x) => {
      const hidden = exp(b, x);
      return mul(b, hidden, sigmoid(b, hidden));
    });
    expect(peakBytes(graph)).toBe(2 * tensorBytes);
  });

  test('what is freed is there until the commands are handed over', () => {
    const graph = graphOf((b, x) =>
      concat(b, [exp(b, slice(b, exp(b, x), 0, 0, 512)), slice(b, x, 0, 0, 512)], 0),
    );
    expect(peakBytes(graph)).toBe(4 * kilobytes + 4 * kilobytes);
    expect(peakBytes(graph, 16)).toBe(4 * kilobytes + 6 * kilobytes + 4 * kilobytes - 2 * kilobytes);
  });
});
