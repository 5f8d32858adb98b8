// What an access to memory may touch, and what a load gives.
import { ANY, HELPER_BYTES, NUM32, add, constant, isAny, low32, num, scale, value } from './domain.mjs';
import { HOST_PAGE, LANE_BYTES } from './artifact.mjs';

const RED_ZONE = 128;

export function effectiveAddress(state, m, instr) {
  if (m.rip) return value('blob', instr.next + m.disp, instr.next + m.disp, { step: 0 });
  let v = m.base >= 0 ? state.regs[m.base] : constant(0);
  if (m.index >= 0) v = add(v, scale(state.regs[m.index], m.scale));
  return m.disp ? add(v, constant(m.disp)) : v;
}

function count(context, what) {
  if (!context.quiet) context.counts[what]++;
}

function isChecked(state, at) {
  return at.index !== 0 && state.checked.has(at.index) && at.offset >= 0;
}

// Below the base: the context, or a pointer to a helper.
function contextError(program, at, size, isWrite) {
  if (at.lo >= -program.contextBytes && at.hi + size <= 0) return '';
  const inPage = at.lo === at.hi && at.lo >= HOST_PAGE && at.lo + size <= HOST_PAGE + HELPER_BYTES;
  if (inPage && size === 8 && !isWrite) return '';
  return `outside of the context: base + ${at.lo} … ${at.hi}`;
}

function baseError(context, state, at, size, isWrite) {
  const { program } = context;
  if (isAny(at)) {
    if (at.counter) {
      count(context, 'counters');
      return '';
    }
    if (!program.memory64 || !isChecked(state, at)) return 'an index without bounds';
    count(context, 'checked64');
    return '';
  }
  if (at.lo < 0) return contextError(program, at, size, isWrite);
  const lane = Math.floor(at.lo / LANE_BYTES);
  if (lane < program.lanes && at.hi + size <= (lane + 1) * LANE_BYTES) {
    count(context, 'guest');
    return '';
  }
  // Behind a check that always fails, of an offset that no memory has.
  if (program.memory64 && at.lo === at.hi && state.checked.size) {
    count(context, 'checked64');
    return '';
  }
  return `leaves its lane: base + ${at.lo} … ${at.hi}`;
}

function stackError(context, state, at, size, isWrite) {
  const sp = state.regs[4];
  if (at.lo !== at.hi) return 'a computed place of the stack';
  if (at.k === 'low')
    return sp.k === 'low' && at.lo >= sp.lo - RED_ZONE && at.lo + size <= 0 ? ''
      : 'outside of the frame';
  const lowest = sp.k === 'low' ? sp.limit : sp.lo - RED_ZONE;
  if (at.lo >= lowest && at.lo + size <= 0) return '';
  if (at.lo === 0 && size === 8 && !isWrite) return '';
  if (at.lo >= 8 && at.lo + size <= 8 + 16 * context.fn.params) return '';
  return `outside of the frame: entry ${at.lo < 0 ? '-' : '+'} ${Math.abs(at.lo)}`;
}

// Why [at, at + size) may not be touched; '' when it may.
export function accessError(context, state, at, size, isWrite) {
  const { program, fn } = context;
  const values = 16 * Math.max(fn.params, fn.results);
  switch (at.k) {
    case 'base': return baseError(context, state, at, size, isWrite);
    case 'own':
    case 'low': return stackError(context, state, at, size, isWrite);
    case 'blob':
      if (isWrite) return 'a write to code or read-only data';
      return at.lo >= 0 && at.hi + size <= program.codeBytes + program.rodata.length ? ''
        : 'outside of code and read-only data';
    case 'values':
    case 'results':
      return at.lo >= 0 && at.hi + size <= (at.k === 'values' ? values : 16 * fn.results) ? ''
        : 'outside of the values';
    case 'either':
      return at.of.map((v) => accessError(context, state, v, size, isWrite)).join('');
    default: return `an address that is no pointer (${at.k} ${at.lo} … ${at.hi})`;
  }
}

// The value of a load, extended with zeros.
export function loaded(context, state, at, size) {
  const { program } = context;
  if (at.k === 'own' || at.k === 'low') {
    if (at.k === 'own' && at.lo === 0 && size === 8) return value('return', 0, 0);
    if (size === 8) return state.loadSlot(at, 8) ?? ANY;
    if (size !== 4) return bySize(size);
    const half = state.loadSlot(at, 4), whole = state.loadSlot(at, 8);
    return half ? low32(half) : whole ? low32(whole) : NUM32;
  }
  if (at.k === 'base' && at.lo === at.hi) {
    const limits = program.sizes.get(at.lo);
    if (limits && limits.bytes === size)
      return num(limits.min, limits.max, { sized: size === 8 });
    if (at.lo >= HOST_PAGE && at.lo < HOST_PAGE + HELPER_BYTES && size === 8)
      return value('helper', at.lo - HOST_PAGE, at.lo - HOST_PAGE);
  }
  return bySize(size);
}

export function bySize(size) {
  if (size === 8) return ANY;
  return size === 4 ? NUM32 : num(0, 2 ** (8 * size) - 1);
}

// A sign-extended 32-bit load: an offset of the function table, or an entry of a jump table.
export function loadedSigned(context, at) {
  const { program } = context;
  const any = num(-(2 ** 31), 2 ** 31 - 1);
  if (at.k !== 'blob' || isAny(at)) return any;
  const from = at.lo - program.codeBytes, to = at.hi - program.codeBytes;
  if (from < 0) return any;
  if (to + 4 <= program.functionTableBytes)
    return at.step % 8 === 0 && from % 8 === 4 ? value('entryoffset', 0, 0) : any;
  if (at.step % 4 !== 0) return any;
  return value('jumpoffset', 0, 0, { table: at.lo, count: (to - from) / 4 + 1 });
}
