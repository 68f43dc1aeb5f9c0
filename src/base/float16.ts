// IEEE 754 half precision and bfloat16 as arrays of their 16-bit patterns. Exact one way, round to nearest even the other way.

// float32 bit pattern of every half, 256 kB, made at first use
let halfTable: Uint32Array | undefined;

function makeHalfTable(): Uint32Array {
  const table = new Uint32Array(65536);
  for (let half = 0; half < 65536; half++) {
    const sign = (half & 0x8000) << 16;
    let exponent = (half >>> 10) & 31;
    let mantissa = half & 1023;
    if (exponent === 31) {
      table[half] = sign | 0x7f800000 | (mantissa << 13); // infinity, NaN with its payload
    } else if (exponent === 0 && mantissa === 0) {
      table[half] = sign;
    } else {
      if (exponent === 0) {
        const shift = Math.clz32(mantissa) - 21; // brings the leading bit of a subnormal to bit 10
        mantissa = (mantissa << shift) & 1023;
        exponent = 1 - shift;
      }
      table[half] = sign | ((exponent + 112) << 23) | (mantissa << 13);
    }
  }
  return table;
}

/** float32 values of half-precision bit patterns, exact for all 65536. */
export function halfToFloat(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const table = (halfTable ??= makeHalfTable());
  const bits = new Uint32Array(halves.length); // bits, not numbers: a NaN keeps its payload
  for (let i = 0; i < halves.length; i++) bits[i] = table[halves[i]!]!;
  return new Float32Array(bits.buffer);
}

function roundToHalf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff); // NaN, made quiet
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520 and above round to infinity
  if (magnitude < 0x33000001) return sign; // 2^-25 and below round to zero
  let shift = 13;
  let significand = magnitude - 0x38000000; // exponent bias 127 to 15
  if (magnitude < 0x38800000) {
    shift = 126 - (magnitude >>> 23); // below 2^-14: count units of 2^-24
    significand = (magnitude & 0x7fffff) | 0x800000;
  }
  const half = significand >>> shift; // a carry out of the mantissa goes to the exponent, as it must
  const rest = significand & ((1 << shift) - 1);
  const middle = 1 << (shift - 1);
  return sign | (rest > middle || (rest === middle && (half & 1) === 1) ? half + 1 : half);
}

/** Half-precision bit patterns of float32 values, rounded to nearest, ties to even; beyond 65504 (from 65520 on) infinite. */
export function floatToHalf(floats: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  const halves = new Uint16Array(floats.length);
  for (let i = 0; i < bits.length; i++) halves[i] = roundToHalf(bits[i]!);
  return halves;
}

/** float32 values of bfloat16 bit patterns: the upper half of a float32, exact. */
export function bfloat16ToFloat(values: Uint16Array): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(values.length);
  for (let i = 0; i < values.length; i++) bits[i] = values[i]! << 16;
  return new Float32Array(bits.buffer);
}
