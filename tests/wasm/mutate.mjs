// Mutants of WebAssembly modules, repeatable from a seed. Lengths of sections and bodies are put
// right again, so that most mutants reach the check behind the framing.

export function randomSource(seed) {
  let state = (seed >>> 0) || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  return { below: (n) => next() % n };
}

function leb(value) {
  const bytes = [];
  do {
    bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>>= 7;
  } while (value);
  return bytes;
}

function readLeb(bytes, at) {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  return [value, at];
}

// [{ id, bytes }] of a well-framed module, or null.
function split(module) {
  const sections = [];
  let at = 8;
  while (at < module.length) {
    const id = module[at];
    const [size, start] = readLeb(module, at + 1);
    if (start + size > module.length) return null;
    sections.push({ id, bytes: [...module.subarray(start, start + size)] });
    at = start + size;
  }
  return sections;
}

function join(sections) {
  const parts = [Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])];
  for (const s of sections) {
    parts.push(Uint8Array.from([s.id, ...leb(s.bytes.length)]));
    parts.push(Uint8Array.from(s.bytes));
  }
  return Buffer.concat(parts);
}

// Opcodes, types and numbers that mean something almost anywhere.
const telling = [
  0, 1, 2, 3, 4, 5, 6, 8, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x14, 0x1a, 0x1b,
  0x1c, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x28, 0x36, 0x3f, 0x40, 0x41, 0x42, 0x43, 0x44,
  0x4e, 0x4f, 0x50, 0x5e, 0x5f, 0x60, 0x63, 0x64, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x70,
  0x71, 0x72, 0x73, 0x74, 0x77, 0x78, 0x7b, 0x7c, 0x7d, 0x7e, 0x7f, 0x80, 0xd0, 0xd1, 0xd2, 0xd3,
  0xd4, 0xd5, 0xd6, 0xfb, 0xfc, 0xfd, 0xff,
];

export function edit(bytes, random) {
  const at = random.below(bytes.length + 1);
  const there = Math.min(at, bytes.length - 1);
  switch (random.below(8)) {
    case 0:
      if (bytes.length) bytes[there] ^= 1 << random.below(8);
      break;
    case 1:
      if (bytes.length) bytes[there] = random.below(256);
      break;
    case 2:
    case 3:
      if (bytes.length) bytes[there] = telling[random.below(telling.length)];
      break;
    case 4:
      bytes.splice(at, 0, telling[random.below(telling.length)]);
      break;
    case 5:
      bytes.splice(at, 1 + random.below(3));
      break;
    case 6: {
      const from = random.below(bytes.length + 1);
      bytes.splice(at, 0, ...bytes.slice(from, from + 1 + random.below(8)));
      break;
    }
    default:
      if (bytes.length) bytes[there] = (bytes[there] + (random.below(2) ? 1 : 255)) & 255;
  }
}

const CODE = 10;

// Mutates one function body in place and mends its length.
function editBody(section, random) {
  const { bytes } = section;
  let [count, at] = readLeb(bytes, 0);
  if (!count) return edit(bytes, random);
  for (let chosen = random.below(count); ; chosen--) {
    const [size, start] = readLeb(bytes, at);
    if (start + size > bytes.length) return edit(bytes, random);
    if (chosen === 0) {
      const body = bytes.slice(start, start + size);
      const edits = 1 + random.below(3);
      for (let i = 0; i < edits; i++) edit(body, random);
      bytes.splice(at, start + size - at, ...leb(body.length), ...body);
      return;
    }
    at = start + size;
  }
}

export function mutate(module, random) {
  const sections = random.below(16) ? split(module) : null;
  if (!sections || sections.length === 0) {
    const bytes = [...module];
    edit(bytes, random);
    return Buffer.from(bytes);
  }
  const code = sections.find((s) => s.id === CODE);
  if (code && random.below(2)) {
    editBody(code, random);
  } else if (random.below(20) === 0) {
    sections.splice(random.below(sections.length), 1);
  } else {
    const section = sections[random.below(sections.length)];
    const edits = 1 + random.below(3);
    for (let i = 0; i < edits; i++) edit(section.bytes, random);
  }
  return join(sections);
}
