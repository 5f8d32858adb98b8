// Machine code as objects, through llvm-objdump.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const REGISTERS = new Map();
['a', 'c', 'd', 'b'].forEach((n, i) => {
  const number = [0, 1, 2, 3][i];
  for (const [name, size] of [[`r${n}x`, 8], [`e${n}x`, 4], [`${n}x`, 2], [`${n}l`, 1]])
    REGISTERS.set(name, { k: 'r', reg: number, size });
  REGISTERS.set(`${n}h`, { k: 'r', reg: number, size: 1, high: true });
});
['sp', 'bp', 'si', 'di'].forEach((n, i) => {
  for (const [name, size] of [[`r${n}`, 8], [`e${n}`, 4], [n, 2], [`${n}l`, 1]])
    REGISTERS.set(name, { k: 'r', reg: 4 + i, size });
});
for (let i = 8; i < 16; i++)
  for (const [suffix, size] of [['', 8], ['d', 4], ['w', 2], ['b', 1]])
    REGISTERS.set(`r${i}${suffix}`, { k: 'r', reg: i, size });

const SIZES = { byte: 1, word: 2, dword: 4, qword: 8, xmmword: 16, ymmword: 32, tbyte: 10 };

// An ELF file around plain code, so that objdump takes it.
function elf(code) {
  const header = Buffer.alloc(64 + 3 * 64 + 24);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(1, 16);
  header.writeUInt16LE(62, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(64n, 40);
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(64, 58);
  header.writeUInt16LE(3, 60);
  header.writeUInt16LE(2, 62);
  const section = (i, name, type, flags, offset, size) => {
    const at = 64 + 64 * i;
    header.writeUInt32LE(name, at);
    header.writeUInt32LE(type, at + 4);
    header.writeBigUInt64LE(BigInt(flags), at + 8);
    header.writeBigUInt64LE(BigInt(offset), at + 24);
    header.writeBigUInt64LE(BigInt(size), at + 32);
  };
  section(1, 1, 1, 6, header.length, code.length);
  section(2, 7, 3, 0, 64 + 3 * 64, 24);
  header.write('\0.text\0.shstrtab\0', 64 + 3 * 64, 'latin1');
  return Buffer.concat([header, code]);
}

function memoryOperand(text) {
  const m = /^(?:([a-z]+) ptr )?(?:([a-z]s):)?\[(.*)\]$/.exec(text);
  if (!m) return null;
  const op = { k: 'm', size: m[1] ? SIZES[m[1]] : 0, segment: m[2] ?? '', base: -1, index: -1,
    scale: 1, disp: 0, rip: false };
  for (const part of m[3].replace(/\s*([+-])\s*/g, ' $1').trim().split(' ')) {
    const negative = part[0] === '-', body = part.replace(/^[+-]/, '');
    const scaled = /^(\d)\*(\w+)$/.exec(body);
    if (body === 'rip') op.rip = true;
    else if (scaled) [op.index, op.scale] = [REGISTERS.get(scaled[2])?.reg ?? -2, Number(scaled[1])];
    else if (REGISTERS.has(body)) {
      if (REGISTERS.get(body).size !== 8) op.segment = 'address size';
      if (op.base < 0) op.base = REGISTERS.get(body).reg;
      else op.index = REGISTERS.get(body).reg;
    } else if (/^(0x)?[0-9a-f]+$/.test(body)) op.disp += (negative ? -1 : 1) * Number(body);
    else throw new Error(`operand ${text}`);
  }
  return op;
}

function operand(text) {
  const register = REGISTERS.get(text);
  if (register) return register;
  if (/^[xy]mm\d+$/.test(text)) return { k: 'x' };
  if (text.includes('[')) return memoryOperand(text);
  if (/^-?(0x)?[0-9a-f]+$/.test(text)) {
    const v = Number(text.replace('-', '')) * (text[0] === '-' ? -1 : 1);
    return { k: 'i', v };
  }
  return { k: '?', text };
}

function parse(lines) {
  const out = [];
  for (const line of lines) {
    const m = /^\s*([0-9a-f]+):\s+(.*)$/.exec(line);
    if (!m) continue;
    let text = m[2].replace(/\s*(#|<).*$/, '').trim();
    const space = /[\s]/.exec(text)?.index ?? text.length;
    const op = text.slice(0, space);
    const rest = text.slice(space).trim();
    if (out.length) out[out.length - 1].next = parseInt(m[1], 16);
    out.push({ at: parseInt(m[1], 16), next: 0, text, op,
      args: rest ? rest.split(/,\s*/).map(operand) : [] });
  }
  return out;
}

function objdump(path, ...more) {
  return execFileSync('llvm-objdump-19', ['-d', '--x86-asm-syntax=intel', '--no-show-raw-insn',
    '--no-leading-headers', ...more, path], { maxBuffer: 2 ** 30, encoding: 'latin1' });
}

// All instructions, ascending; `next` of the last is the code's end.
export function disassemble(code) {
  const folder = mkdtempSync(join(tmpdir(), 'code-check-'));
  try {
    const path = join(folder, 'code.o');
    writeFileSync(path, elf(code));
    const out = parse(objdump(path).split('\n'));
    if (out.length) out[out.length - 1].next = code.length;
    return out;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
