// Mutants of WebAssembly components, repeatable from a seed. Lengths of sections are put right
// again, also in nested components, so that most mutants reach the check behind the framing.

import { edit } from '../wasm/mutate.mjs';

const COMPONENT = 4;
const PREAMBLE = [0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0];

function leb(value) {
  const bytes = [];
  do {
    bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>>= 7;
  } while (value);
  return bytes;
}

// [{ id, bytes }] of a well-framed component, or null.
function split(bytes) {
  const sections = [];
  let at = 8;
  while (at < bytes.length) {
    const id = bytes[at++];
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      size += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
      if (shift > 28 || byte === undefined) return null;
    }
    if (at + size > bytes.length) return null;
    sections.push({ id, bytes: bytes.slice(at, at + size) });
    at += size;
  }
  return sections;
}

const join = (sections) =>
  PREAMBLE.concat(...sections.map((s) => [s.id, ...leb(s.bytes.length), ...s.bytes]));

function mutateBytes(bytes, random, depth) {
  const sections = random.below(24) ? split(bytes) : null;
  if (!sections || sections.length === 0) {
    edit(bytes, random);
    return bytes;
  }
  const at = random.below(sections.length);
  const section = sections[at];
  const what = random.below(24);
  if (what === 0) {
    sections.splice(at, 1);
  } else if (what === 1) {
    sections.splice(random.below(sections.length), 0, section);
  } else if (section.id === COMPONENT && depth < 8 && random.below(4)) {
    section.bytes = mutateBytes(section.bytes, random, depth + 1);
  } else {
    const edits = 1 + random.below(2);
    for (let i = 0; i < edits; i++) edit(section.bytes, random);
  }
  return join(sections);
}

export const mutate = (component, random) => Buffer.from(mutateBytes([...component], random, 0));
