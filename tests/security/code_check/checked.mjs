// A 64-bit index that was compared with a memory's size, or with what is left of it.
const NAMELESS = 0.25; // no value has this name

export function noteChecked(state, flags) {
  if (!flags || flags.size !== 8) return;
  for (const [v, other] of [[flags.a, flags.b], [flags.b, flags.a]])
    if (other.sized) state.checked = new Set(state.checked).add(v.id || NAMELESS);
}
