// What calls through the canonical ABI cost: to host functions, and from one component instance to
// another, by the size of the string or list that they pass. Best of the rounds.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildRoot, options, printMachine, printTable, root, run } from './lib.mjs';

const { rounds } = options({ rounds: 7 });
const program = process.env.BENCH_CANONICAL ?? path.join(buildRoot, 'release', 'bench_canonical');
const folder = mkdtempSync(path.join(os.tmpdir(), 'mayfly-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
const jco = path.join(root, 'tests/tools/node_modules/@bytecodealliance/jco/dist/api.js');
const { parse } = await import(pathToFileURL(jco));
const component = path.join(folder, 'canonical.wasm');
writeFileSync(component, await parse(readFileSync(path.join(root, 'bench/canonical.wat'), 'utf8')));

const names = {
  nothing: 'host, u32',
  use: 'host, a borrow',
  'make-drop': 'host, an own, and its drop',
  'host-text': 'host, string',
  number: 'component, u32',
  text: 'component, string',
  text16: 'component, string to UTF-16',
  bytes: 'component, list<u8>',
};
printMachine('canonical ABI');
const rows = [['call', 'bytes', 'ns']];
const result = {};
for (const line of run(program, [component, String(rounds)]).out.trim().split('\n')) {
  const { name, size, ns } = Object.fromEntries(line.split(' ').slice(1).map((pair) => pair.split('=')));
  rows.push([names[name], size, ns]);
  result[`${name}${size}`] = ns;
}
printTable(rows);
console.log(`RESULT canonical host_ns=${result.nothing0} component_ns=${result.number0} string16_ns=${result.text16} string1k_ns=${result.text1024}`);
