// What a conditional jump tells about the values that were compared.
import { U32, num } from './domain.mjs';
import { noteChecked } from './checked.mjs';

const INVERSE = { a: 'be', be: 'a', ae: 'b', b: 'ae', e: 'ne', ne: 'e', g: 'le', le: 'g', ge: 'l',
  l: 'ge' };
const UNSIGNED = { g: 'a', ge: 'ae', l: 'b', le: 'be' };
const SWAPPED = { a: 'b', ae: 'be', b: 'a', be: 'ae', e: 'e', ne: 'ne' };

const bounded = (v) => v.k === 'num' && v.lo >= 0 && v.hi < Infinity;

// Bounds of `a` from `a condition b`; null: none.
function bounds(a, condition, b, max) {
  const lo = bounded(a) ? a.lo : 0, hi = bounded(a) ? a.hi : max;
  // A negative constant is, unsigned, above everything that is bounded.
  if (b.k === 'num' && b.hi < 0 && b.lo > -Infinity && bounded(a) && max === Infinity)
    return ['a', 'ae', 'e'].includes(condition) ? [1, 0] : null;
  if (!bounded(b)) return null;
  switch (condition) {
    case 'b': return [lo, Math.min(hi, b.hi - 1)];
    case 'be': return [lo, Math.min(hi, b.hi)];
    case 'a': return bounded(a) ? [Math.max(lo, b.lo + 1), hi] : null;
    case 'ae': return bounded(a) ? [Math.max(lo, b.lo), hi] : null;
    case 'e': return [Math.max(lo, b.lo), Math.min(hi, b.hi)];
    case 'ne':
      if (b.lo !== b.hi || !bounded(a)) return null;
      return [lo === b.lo ? lo + 1 : lo, hi === b.lo ? hi - Math.max(1, a.step) : hi];
    default: return null;
  }
}

function clamp(v, lo, hi) {
  if (v.k !== 'num') return v;
  const from = Math.max(v.lo, lo), to = Math.min(v.hi, hi);
  return from > to ? v : num(from, to, { step: from === to ? 0 : v.lo === from ? v.step : 1, id: v.id,
    sized: v.sized, byte: to <= 255 ? to : v.byte });
}

// `size` 4: only the low half was compared.
function apply(state, v, [lo, hi], size) {
  if (!v.id || lo > hi) return;
  if (size === 8) {
    state.refine(v.id, (x) => clamp(x, lo, hi));
    return;
  }
  const whole = Math.floor(v.id);
  if (size === 1) {
    const least = (x) => (x.k !== 'num' ? x : x.lo >= 0 && x.hi <= 255 ? clamp(x, lo, hi)
      : { ...x, byte: Math.min(x.byte, hi) });
    state.refine(whole, least);
    state.refine(whole + 0.5, least);
    return;
  }
  const half = (x) => (x.k === 'num' && x.lo >= 0 && x.hi <= U32 ? clamp(x, lo, hi)
    : x.k === 'num' ? { ...x, low: Math.min(x.low, hi) } : x);
  state.refine(whole, half);
  state.refine(whole + 0.5, half);
}

// False: that way is never taken.
export function assume(state, condition, isTaken) {
  const f = state.flags;
  if (!f || f.size === 2 || (f.zeroOnly && condition !== 'e' && condition !== 'ne')) return true;
  noteChecked(state, f);
  let c = isTaken ? condition : INVERSE[condition];
  const { a, b, size } = f;
  const max = { 8: Infinity, 4: U32, 1: 255 }[size], half = 2 ** (8 * size - 1);
  if (UNSIGNED[c]) {
    if (!bounded(a) || !bounded(b) || a.hi >= half || b.hi >= half) return true;
    c = UNSIGNED[c];
  }
  const forA = bounds(a, c, b, max), forB = bounds(b, SWAPPED[c] ?? '', a, max);
  if ((forA && forA[0] > forA[1]) || (forB && forB[0] > forB[1])) return false;
  if (forA) apply(state, a, forA, size);
  if (forB) apply(state, b, forB, size);
  return true;
}
