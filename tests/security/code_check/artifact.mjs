// Reads what the code check needs of an artifact: src/artifact/artifact.h is the format.
import { readFileSync } from 'node:fs';

const FORMAT = 4; // what is written down here; src/artifact/artifact.h counts it up
const HEADER_BYTES = 144; // before the sections
const SECTIONS = ['code', 'rodata', 'funcs', 'funcOrder', 'types', 'typeCodes', 'imports',
  'exports', 'instances', 'memories', 'tables', 'globals', 'datas', 'elements', 'addresses',
  'lines', 'strings', 'components', 'canons', 'lifts', 'resources', 'componentExports', 'witTypes',
  'witFields', 'witStrings', 'extents', 'image'];
const PAGE = 4096;
export const LANE_BYTES = 8 * 2 ** 30 + 2 ** 20;
export const HOST_PAGE = -(2 ** 30) - PAGE;

function records(bytes, size, read) {
  const out = [];
  for (let at = 0; at + size <= bytes.length; at += size) out.push(read(bytes, at));
  return out;
}

// The places in the context that the runtime keeps within bounds: 4 or 8 bytes at `offset` hold at
// most `max`.
function sizesOf(memories, tables) {
  const sizes = new Map();
  for (const m of memories)
    sizes.set(m.sizeOffset, { bytes: 8, min: m.min * 65536, max: m.max * 65536 });
  for (const t of tables) sizes.set(t.sizeOffset, { bytes: 4, min: 0, max: t.capacity });
  return sizes;
}

function signature(s, type) {
  const end = s.typeCodes.indexOf(0, type.signature);
  return s.typeCodes.toString('latin1', type.signature, end);
}

// Bytes of the parameters that go by the stack: six words and eight vectors have registers.
function argumentBytes(text) {
  const [params, results] = text.split(':');
  let words = results.length > 2 ? 1 : 0, vectors = 0, bytes = 0;
  for (const letter of params) {
    const isVector = 'fdv'.includes(letter);
    if (isVector ? vectors++ < 8 : words++ < 6) continue;
    if (letter === 'v') bytes = Math.ceil(bytes / 16) * 16 + 16;
    else bytes += 8;
  }
  return bytes;
}

function functionsOf(s) {
  const functions = [];
  const type = (i) => ({ params: s.types[i].params, results: s.types[i].results,
    argumentBytes: argumentBytes(signature(s, s.types[i])) });
  s.funcs.forEach((f, i) => {
    if (f.size) functions.push({ kind: 'function', name: `f${i}`, start: f.offset,
      end: f.offset + f.size, ...type(f.type) });
  });
  const starts = functions.map((f) => f.start).sort((a, b) => a - b);
  s.types.forEach((t, i) => {
    if (!t.trampoline) return;
    const end = starts.find((start) => start > t.trampoline) ?? s.code.length;
    const next = s.types.map((o) => o.trampoline).filter((o) => o > t.trampoline);
    functions.push({ kind: 'trampoline', name: `t${i}`, start: t.trampoline,
      end: Math.min(end, ...next), ...type(i) });
  });
  return functions.sort((a, b) => a.start - b.start);
}

export function readArtifact(path) {
  const file = readFileSync(path);
  if (file.toString('latin1', 0, 8) !== '\0mayfly\n') throw new Error(`${path}: no artifact`);
  if (file.readUInt32LE(8) !== FORMAT)
    throw new Error(`${path}: format ${file.readUInt32LE(8)}, and this reads ${FORMAT}`);
  const s = {};
  SECTIONS.forEach((name, i) => {
    const at = HEADER_BYTES + 16 * i;
    const offset = Number(file.readBigUInt64LE(at)), size = Number(file.readBigUInt64LE(at + 8));
    s[name] = file.subarray(offset, offset + size);
  });
  s.funcs = records(s.funcs, 28, (b, at) => ({ offset: b.readUInt32LE(at),
    size: b.readUInt32LE(at + 4), type: b.readUInt32LE(at + 8) }));
  s.types = records(s.types, 16, (b, at) => ({ signature: b.readUInt32LE(at), trampoline: b.readUInt32LE(at + 4),
    params: b.readUInt32LE(at + 8), results: b.readUInt32LE(at + 12) }));
  s.memories = records(s.memories, 24, (b, at) => ({ min: Number(b.readBigUInt64LE(at)),
    max: Number(b.readBigUInt64LE(at + 8)), sizeOffset: b.readInt32LE(at + 16),
    is64: b.readUInt32LE(at + 20) !== 0 }));
  s.tables = records(s.tables, 32, (b, at) => ({ sizeOffset: b.readInt32LE(at + 16),
    capacity: b.readUInt32LE(at + 24) }));
  return {
    code: s.code,
    codeBytes: Math.ceil(s.code.length / PAGE) * PAGE, // where rodata starts
    rodata: s.rodata,
    contextBytes: Number(file.readBigUInt64LE(HEADER_BYTES - 8)),
    lanes: Math.max(1, s.memories.length),
    memory64: s.memories.some((m) => m.is64),
    sizes: sizesOf(s.memories, s.tables),
    // A power of two, at the start of rodata; the funcs section also counts init functions.
    functionTableBytes: 8 * 2 ** Math.ceil(Math.log2(
      Math.max(1, s.funcs.length - s.instances.length / 16))),
    resultsMax: Math.max(0, ...s.types.map((t) => t.results)),
    functions: functionsOf(s),
  };
}
