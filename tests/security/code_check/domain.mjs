// Abstract values: what a register or a slot of the stack may hold.
//
//   k    holds                                 lo, hi
//   num  a 64-bit number                       its bounds; -Infinity … Infinity: any
//   base the slot's base plus                  a number
//   own  this function's stack: its address    relative to the stack pointer at entry
//   low  the same, after the stack was aligned relative to the stack pointer then
//   blob an address in code or rodata          relative to the code's start
//   values, results   memory of the caller's that a trampoline or function was given
//   entry (reg)       what a callee-saved register held at entry; `return`: the return address
//   helper, hostcode, callee, entryoffset, jumpoffset, jumptarget: ways of control
//
// `step` divides every value minus lo. `low` bounds the unsigned low 32 bits of a num. `id` names
// the value: two places with the same id hold the same; 0 names none. `byte` bounds the low 8 bits.
export const U32 = 2 ** 32 - 1;
export const HELPER_BYTES = 32 * 8; // of the host page
const EXACT = 2 ** 52; // beyond, bounds are given up: doubles are exact below

export const value = (k, lo, hi, more) => ({ k, lo, hi, step: 1, low: U32, byte: 255, id: 0, ...more });
export const ANY = value('num', -Infinity, Infinity);
export const NUM32 = value('num', 0, U32);

export function num(lo, hi, more) {
  if (lo < -EXACT || hi > EXACT) return ANY;
  const low = lo >= 0 && hi <= U32 ? hi : U32;
  return value('num', lo, hi, { low, byte: lo >= 0 ? Math.min(255, hi) : 255, ...more });
}
// A number that a loop counts up by constants, from one of at most 32 bits: LLVM widens a counter
// only where it has proved that the narrow one does not wrap, mostly from another counter's end.
export const COUNTER = { ...ANY, counter: true };
export const constant = (v) => (Number.isSafeInteger(v) ? num(v, v, { step: 0 }) : ANY);
export const isAny = (v) => v.lo === -Infinity || v.hi === Infinity;
export const isConst = (v) => v.k === 'num' && v.lo === v.hi;
export const isPointer = (v) => ['base', 'own', 'low', 'blob', 'values', 'results'].includes(v.k);

const gcd = (a, b) => { while (b) [a, b] = [b, a % b]; return a; };

function count(a, b) {
  const isCounter = (v, other) => v.counter && !isAny(other) && Math.abs(other.lo) <= U32;
  return isCounter(a, b) || isCounter(b, a) ? COUNTER : ANY;
}

export function add(a, b) {
  if (isPointer(b)) [a, b] = [b, a];
  if (b.k !== 'num') return add2jump(a, b);
  const lo = a.lo + b.lo, hi = a.hi + b.hi, sized = a.sized || b.sized;
  const step = gcd(a.step, b.step);
  if (a.k === 'num') return isAny(a) || isAny(b) ? count(a, b) : num(lo, hi, { step, sized });
  if (!isPointer(a)) return ANY;
  if (isAny(b)) return value(a.k, -Infinity, Infinity, { index: b.id, offset: a.lo, counter: b.counter });
  if (isAny(a)) return { ...a, id: 0, offset: a.offset + (isConst(b) ? b.lo : NaN) };
  return value(a.k, lo, hi, { step, region: a.region, limit: a.limit });
}

// An entry of a jump table plus the table's address; an offset of the function table plus the
// code's start.
function add2jump(a, b) {
  if (b.k === 'blob') [a, b] = [b, a];
  if (a.k === 'blob' && a.lo === a.hi) {
    if (b.k === 'jumpoffset') return { ...b, k: 'jumptarget', from: a.lo, id: 0 };
    if (b.k === 'entryoffset' && a.lo === 0) return value('callee', 0, 0);
  }
  return ANY;
}

export function sub(a, b) {
  if (a.k === 'num' && b.k === 'num')
    return isAny(a) || isAny(b) ? ANY : num(a.lo - b.hi, a.hi - b.lo,
      { step: gcd(a.step, b.step), sized: a.sized });
  if (isPointer(a) && b.k === 'num') return add(a, isAny(b) ? ANY : num(-b.hi, -b.lo, { step: b.step }));
  if (isPointer(a) && a.k === b.k && !isAny(a) && !isAny(b)) return num(a.lo - b.hi, a.hi - b.lo);
  return ANY;
}

export function scale(a, by) {
  if (by === 1) return a;
  return a.k === 'num' && !isAny(a) ? num(a.lo * by, a.hi * by, { step: a.step * by }) : ANY;
}

// The unsigned low 32 bits.
export function low32(v) {
  if (v.k !== 'num') return NUM32;
  if (v.lo >= 0 && v.hi <= U32) return v;
  if (v.lo === v.hi && v.lo < 0 && v.lo >= -(2 ** 31)) return constant(v.lo + 2 ** 32);
  return num(0, v.low, { byte: v.byte, id: v.id ? v.id + 0.5 : 0 });
}

const same = (a, b) => a.k === b.k && a.of === b.of && a.lo === b.lo && a.hi === b.hi && a.step === b.step &&
  a.low === b.low && a.byte === b.byte && a.id === b.id && a.reg === b.reg && a.table === b.table && a.count === b.count &&
  a.index === b.index && a.offset === b.offset && a.region === b.region && a.limit === b.limit &&
  a.sized === b.sized && a.counter === b.counter && a.from === b.from;
export { same };

// The next bound to try: a loop ends where it compares with a constant, or one step before.
function threshold(lo, hi, step, constants) {
  let best = hi <= U32 ? U32 : Infinity;
  for (const c of constants)
    for (const limit of [c - step, c]) {
      const t = step && lo >= 0 ? lo + Math.floor((limit - lo) / step) * step : limit;
      if (t >= hi && t < best) best = t;
    }
  return best;
}

// What is either; with `widen`, constants of the function, bounds that still move go there or are given up.
export function join(a, b, id, widen) {
  if (a === b || same(a, b)) return a;
  if (a.k !== b.k || a.reg !== b.reg || a.region !== b.region) return { ...ANY, id };
  if (a.k === 'either') return { ...ANY, id };
  if (a.k !== 'num' && !isPointer(a)) {
    const equal = a.table === b.table && a.from === b.from && a.count === b.count && a.lo === b.lo && a.hi === b.hi;
    return equal ? { ...a, id: a.id === b.id ? a.id : id } : { ...ANY, id };
  }
  const more = { id: a.id === b.id ? a.id : id };
  const mayCount = (v) => v.k === 'num' && (v.counter || (v.lo >= 0 && v.hi <= U32));
  if ((a.counter || b.counter) && mayCount(a) && mayCount(b)) return { ...COUNTER, ...more };
  if (a.index !== undefined || b.index !== undefined)
    return a.index === b.index && a.offset === b.offset && isAny(a) && isAny(b)
      ? { ...a, ...more } : value(a.k, -Infinity, Infinity, { ...more, index: 0, offset: NaN });
  let lo = Math.min(a.lo, b.lo), hi = Math.max(a.hi, b.hi), low = Math.max(a.low, b.low);
  let byte = Math.max(a.byte, b.byte);
  if (widen) {
    if (lo < a.lo) lo = lo >= 0 && a.k === 'num' ? 0 : -Infinity;
    if (hi > a.hi) hi = a.k === 'num' ? threshold(lo, hi, gcd(gcd(a.step, b.step), Math.abs(a.lo - b.lo)), widen) : Infinity;
    if (low > a.low) low = U32;
    if (byte > a.byte) byte = 255;
    if (a.k === 'num' && lo >= 0 && hi === Infinity && a.hi <= U32) return { ...COUNTER, ...more };
    if (lo === -Infinity || hi === Infinity) lo = -Infinity, hi = Infinity;
  }
  const step = lo === -Infinity ? 1 : gcd(gcd(a.step, b.step), Math.abs(a.lo - b.lo));
  return value(a.k, lo, hi, { step, low, byte, region: a.region, limit: a.limit, ...more,
    ...(lo === -Infinity && a.k !== 'num' ? { index: 0, offset: NaN } : {}) });
}
