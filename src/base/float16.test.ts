import { expect, test } from 'vitest';
import { bfloat16ToFloat, floatToHalf, halfToFloat } from './float16';

const allHalves = Uint16Array.from({ length: 65536 }, (_, i) => i);

// The value of a half from the definition in IEEE 754, section 3.4.
function valueOfHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 31;
  const mantissa = half & 1023;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1 + mantissa / 1024) * 2 ** (exponent - 15));
}

// The float32 just above (direction 1) or below (direction -1) a positive one.
function neighbour(value: number, direction: 1 | -1): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  return new Float32Array(Uint32Array.of(bits[0]! + direction).buffer)[0]!;
}

test('every half becomes exactly its value', () => {
  const floats = halfToFloat(allHalves);
  for (let half = 0; half < 65536; half++) {
    if (!Object.is(floats[half], valueOfHalf(half)))
      expect(floats[half], `half ${half}`).toBe(valueOfHalf(half));
  }
});

test('every half survives the way to float32 and back, signalling NaNs made quiet', () => {
  const back = floatToHalf(halfToFloat(allHalves));
  const isNan = (half: number) => (half & 0x7fff) > 0x7c00;
  expect(back).toEqual(allHalves.map((half) => (isNan(half) ? half | 0x200 : half)));
});

test('floats round to the nearest half and ties go to the even one', () => {
  for (let half = 0; half < 0x7c00; half++) {
    const upper = half + 1 === 0x7c00 ? 65536 : valueOfHalf(half + 1); // beyond the largest: as if the scale went on
    const tie = (valueOfHalf(half) + upper) / 2;
    const inputs = Float32Array.of(neighbour(tie, -1), tie, neighbour(tie, 1), -tie);
    const even = half % 2 === 0 ? half : half + 1;
    expect([...floatToHalf(inputs)], `half ${half}`).toEqual([half, even, half + 1, even | 0x8000]);
  }
});

test('what is too large becomes infinite and what is too small zero, with the sign kept', () => {
  const inputs = Float32Array.of(1e30, -1e30, Infinity, -Infinity, 1e-30, -1e-30, -0);
  expect([...floatToHalf(inputs)]).toEqual([0x7c00, 0xfc00, 0x7c00, 0xfc00, 0, 0x8000, 0x8000]);
});

test('a view into a larger buffer is converted by itself', () => {
  expect([...floatToHalf(Float32Array.of(9, 1, -2, 9).subarray(1, 3))]).toEqual([0x3c00, 0xc000]);
  expect([...halfToFloat(Uint16Array.of(9, 0x3c00, 0xc000, 9).subarray(1, 3))]).toEqual([1, -2]);
});

test('bfloat16 is the upper half of a float32', () => {
  const values = bfloat16ToFloat(Uint16Array.of(0x3f80, 0xc049, 0x7f80, 0x0001, 0x8000));
  expect([...values]).toEqual([1, -3.140625, Infinity, 2 ** -133, -0]);
});
