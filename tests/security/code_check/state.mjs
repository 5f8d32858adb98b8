// The state before an instruction: registers, slots of the stack worth remembering, what the last
// comparison compared, and which indices were checked against a size.
import { ANY, join, same, U32 } from './domain.mjs';

const HALVES_MAX = 128;
const LOW = 2 ** 30; // keys of slots of the aligned part
const PLACES = 2 ** 26, PLACES_OWN = 2 ** 24; // a frame is far smaller
export const keyOf = (pointer) => (pointer.k === 'low' ? pointer.lo + LOW : pointer.lo);

export class State {
  constructor(regs, slots, flags, checked) {
    this.regs = regs;
    this.slots = slots;
    this.flags = flags;
    this.checked = checked;
  }

  clone() {
    return new State(this.regs.slice(), new Map(this.slots), this.flags, this.checked);
  }

  // A new value named `id`: whoever still has the name from an earlier turn loses it.
  forget(id) {
    for (const name of [id, id + 0.5]) {
      this.regs.forEach((v, i) => { if (v.id === name) this.regs[i] = { ...v, id: 0 }; });
      for (const [k, v] of this.slots) if (v.id === name) this.slots.set(k, { ...v, id: 0 });
      if (this.checked.has(name)) {
        this.checked = new Set(this.checked);
        this.checked.delete(name);
      }
      this.regs.forEach((v, i) => {
        if (v.index === name) this.regs[i] = { ...v, index: 0 };
      });
      for (const [k, v] of this.slots) if (v.index === name) this.slots.set(k, { ...v, index: 0 });
    }
    const f = this.flags;
    if (f && (f.a.id === id || f.b.id === id || f.a.id === id + 0.5 || f.b.id === id + 0.5))
      this.flags = null;
  }

  set(reg, v, id) {
    if (id && (v.id === 0)) {
      this.forget(id);
      v = { ...v, id };
    }
    this.regs[reg] = v;
  }

  // Every place that holds the value `id` has unsigned 64-bit bounds now.
  refine(id, change) {
    if (!id) return;
    this.regs.forEach((v, i) => { if (v.id === id) this.regs[i] = change(v); });
    for (const [k, v] of this.slots) if (v.id === id) this.slots.set(k, change(v));
  }

  storeSlot(pointer, bytes, v) {
    const key = keyOf(pointer);
    if (this.slots.size)
      for (let k = key - 7; k < key + bytes; k++) {
        const old = this.slots.get(k);
        if (old && k + (old.half ? 4 : 8) > key) this.slots.delete(k);
      }
    // Halves are kept for their names only, which a comparison may bound.
    if (bytes === 4 && v.k === 'num' && v.id && this.slots.size < HALVES_MAX)
      this.slots.set(key, { ...v, half: true });
    if (bytes === 8 && (v.k !== 'num' || v.lo > -Infinity || v.low < U32 || v.id))
      this.slots.set(key, v);
  }

  // The value that 8 bytes there, or 4 that were stored as such, hold.
  loadSlot(pointer, bytes) {
    const v = this.slots.get(keyOf(pointer));
    if (!v || !v.half === (bytes === 4)) return undefined;
    return v.half ? { ...v, half: undefined } : v;
  }

  dropSlots(pointer, bytes) {
    const key = keyOf(pointer);
    for (const k of this.slots.keys()) if (k > key - 8 && k < key + bytes) this.slots.delete(k);
  }
}

const sameSet = (a, b) => a.size === b.size && [...a].every((x) => b.has(x));

const keyAt = (place) => (place - 16 >= 2 * PLACES_OWN ? place - 16 - 3 * PLACES_OWN + LOW
  : place - 16 - PLACES_OWN);
const placeOf = (key) => 16 + (key > LOW / 2 ? 2 * PLACES_OWN + (key - LOW) + PLACES_OWN
  : key + PLACES_OWN);

// Joins `from` into `to` at the start of `block`; true when `to` changed.
export function joinInto(to, from, block, widen) {
  const phi = (place) => -(block * PLACES + place + 1);
  const isPhi = (id) => id < 0 && Math.floor((-id - 1) / PLACES) === block;
  let changed = false;
  // The name that a place was given here belongs to an earlier turn when that place has another.
  const isStale = (id) => {
    const place = (-Math.floor(id) - 1) % PLACES;
    const owner = place < 16 ? from.regs[place] : from.slots.get(keyAt(place));
    return owner?.id !== Math.floor(id);
  };
  const names = new Map(); // places that hold the same on both ways hold the same here
  const merge = (a, b, place) => {
    let own = phi(place);
    if (isPhi(b.id) && b.id !== own && isStale(b.id)) b = { ...b, id: own };
    if (a.id && b.id && a.id !== b.id) {
      const pair = `${a.id} ${b.id}`;
      if (!names.has(pair)) names.set(pair, own);
      own = names.get(pair);
    }
    const v = join(a, b, own, widen);
    if (v.k === 'own' && v.lo !== v.hi) return { ...ANY, id: own };
    if (!same(v, a)) changed = true;
    return v;
  };
  for (let i = 0; i < 16; i++) to.regs[i] = merge(to.regs[i], from.regs[i], i);
  for (const [key, a] of to.slots) {
    const b = from.slots.get(key);
    if (b && b.k === a.k && b.half === a.half) {
      to.slots.set(key, a.half ? { ...merge(a, b, placeOf(key)), half: true } : merge(a, b, placeOf(key)));
    } else {
      to.slots.delete(key);
      changed = true;
    }
  }
  if (to.flags && (!from.flags || to.flags.at !== from.flags.at)) {
    to.flags = null;
    changed = true;
  } else if (to.flags && to.flags !== from.flags) {
    const a = join(to.flags.a, from.flags.a, 0, widen), b = join(to.flags.b, from.flags.b, 0, widen);
    if (!same(a, to.flags.a) || !same(b, to.flags.b)) changed = true;
    to.flags = { ...to.flags, a, b };
  }
  if (!sameSet(to.checked, from.checked)) {
    const both = new Set([...to.checked].filter((x) => from.checked.has(x)));
    if (both.size < to.checked.size) changed = true;
    to.checked = both;
  }
  return changed;
}

export { ANY };
