// Number literals of the WebAssembly text format as exact bit patterns.

export class NumberFault extends Error {}

// An integer literal as a BigInt taken modulo 2^bits.
export function integerBits(literal, bits) {
  const m = /^([+-]?)(0x[0-9a-fA-F_]+|[0-9_]+)$/.exec(literal);
  if (!m) throw new NumberFault(`integer ${literal}`);
  const magnitude = BigInt(m[2].replaceAll('_', ''));
  const value = m[1] === '-' ? -magnitude : magnitude;
  if (value >= 1n << BigInt(bits) || value < -(1n << BigInt(bits - 1)))
    throw new NumberFault(`${literal} does not fit ${bits} bits`);
  return BigInt.asUintN(bits, value);
}

const formats = {
  32: { fraction: 23, exponentMax: 127 },
  64: { fraction: 52, exponentMax: 1023 },
};

// numerator / denominator (both > 0), rounded to nearest, ties to even, as the bits of a positive
// float; overflow gives infinity.
function roundRatio(numerator, denominator, bits) {
  const { fraction, exponentMax } = formats[bits];
  const exponentMin = 1 - exponentMax;
  const log2 = (x) => x.toString(2).length - 1;
  let exponent = log2(numerator) - log2(denominator);
  const scaled = (e) =>
    e >= 0 ? [numerator, denominator << BigInt(e)] : [numerator << BigInt(-e), denominator];
  const [n, d] = scaled(exponent);
  if (n < d) exponent--;
  if (exponent < exponentMin) exponent = exponentMin; /* subnormal: a fixed unit */
  const [top, bottom] = scaled(exponent - fraction);
  let quotient = top / bottom;
  const twice = 2n * (top % bottom);
  if (twice > bottom || (twice === bottom && quotient & 1n)) quotient++;
  /* A carry out of the fraction moves into the exponent field by itself. */
  const hidden = 1n << BigInt(fraction);
  const biased = quotient < hidden ? 0n : BigInt(exponent + exponentMax - 1);
  const pattern = quotient + (biased << BigInt(fraction));
  const infinity = BigInt(2 * exponentMax + 1) << BigInt(fraction);
  return pattern > infinity ? infinity : pattern;
}

function magnitudeRatio(text) {
  const m = /^0x([0-9a-fA-F_]+)(?:\.([0-9a-fA-F_]*))?(?:[pP]([+-]?[0-9_]+))?$/.exec(text);
  if (m) {
    const fraction = (m[2] ?? '').replaceAll('_', '');
    const digits = BigInt('0x' + m[1].replaceAll('_', '') + fraction);
    const power = Number((m[3] ?? '0').replaceAll('_', '')) - 4 * fraction.length;
    return power >= 0 ? [digits << BigInt(power), 1n] : [digits, 1n << BigInt(-power)];
  }
  const d = /^([0-9_]+)(?:\.([0-9_]*))?(?:[eE]([+-]?[0-9_]+))?$/.exec(text);
  if (!d) throw new NumberFault(`float ${text}`);
  const fraction = (d[2] ?? '').replaceAll('_', '');
  const digits = BigInt(d[1].replaceAll('_', '') + fraction);
  const power = Number((d[3] ?? '0').replaceAll('_', '')) - fraction.length;
  return power >= 0 ? [digits * 10n ** BigInt(power), 1n] : [digits, 10n ** BigInt(-power)];
}

// A float literal as the BigInt of its bits: numbers, inf, nan, nan:0x….
export function floatBits(literal, bits) {
  const { fraction, exponentMax } = formats[bits];
  const sign = literal.startsWith('-') ? 1n << BigInt(bits - 1) : 0n;
  const text = literal.replace(/^[+-]/, '');
  const infinity = BigInt(2 * exponentMax + 1) << BigInt(fraction);
  if (text === 'inf') return sign | infinity;
  if (text === 'nan') return sign | infinity | (1n << BigInt(fraction - 1));
  if (text.startsWith('nan:0x')) return sign | infinity | BigInt(text.slice(4).replaceAll('_', ''));
  const [numerator, denominator] = magnitudeRatio(text);
  return numerator === 0n ? sign : sign | roundRatio(numerator, denominator, bits);
}
