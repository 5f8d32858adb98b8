// Checks docs/LIMITS.md against the sources: a row that begins with `NAME` must give, in its second
// cell, the value that the sources define for NAME. Prints what differs and ends with 1 if anything.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const defined = new Map();
for (const name of readdirSync('src', { recursive: true })) {
  if (!/\.[ch]$/.test(name)) continue;
  const text = readFileSync(path.join('src', name), 'utf8');
  for (const [, key, value] of text.matchAll(/^#define ([A-Z][A-Z0-9_]*)[ \t]+([^\n]+)$/gm)) {
    defined.set(key, value.replace(/\/\*.*/, '').trim());
  }
}

// Arithmetic on integer constants and other defined names.
function valueOf(text) {
  const plain = text.replace(/\(u?int\d+_t\)/g, '').replace(/\b(0x[0-9a-fA-F]+|\d+)[uUlL]*\b/g, '$1n')
    .replace(/[A-Z][A-Z0-9_]+/g, (name) => (defined.has(name) ? `(${valueOf(defined.get(name))}n)` : 'x'));
  return /^[0-9a-fxn\s()<+*/-]+$/.test(plain) ? Number(eval(plain)) : NaN;
}

const units = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, ms: 1, s: 1000, '': 1 };
let breaches = 0;
for (const line of readFileSync('docs/LIMITS.md', 'utf8').split('\n')) {
  const row = /^\| `([A-Z0-9_]+)` \| ([\d,]+) ?(\w*) \|/.exec(line);
  if (!row) continue;
  const [, name, digits, unit] = row;
  const documented = Number(digits.replaceAll(',', '')) * units[unit];
  const actual = defined.has(name) ? valueOf(defined.get(name)) : undefined;
  if (actual === documented) continue;
  console.log(`docs/LIMITS.md: ${name} is ${actual ?? 'nowhere defined'}, not ${documented}`);
  breaches += 1;
}
process.exit(breaches ? 1 : 0);
