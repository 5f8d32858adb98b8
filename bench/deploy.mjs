// Milliseconds from a module of a megabyte in the folder (and SIGHUP) to its first answer: with
// nothing cached, with one function changed, and the same bytes under another name.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { fail, firstLine, mayfly, median, options, printMachine, printTable, run, startServer, stopServer } from './lib.mjs';

const { rounds, functions } = options({ rounds: 5, functions: 3200 });
const wasiTarget = existsSync('/usr/include/wasm32-wasi') ? 'wasm32-wasi' : 'wasm32-wasip1';
const ANSWER_MS_MAX = 60_000;
const folder = mkdtempSync(path.join(os.tmpdir(), 'mayfly-bench-'));
const apps = path.join(folder, 'apps');
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

// Loops, branches, switches, loads and stores, calls: no two functions alike.
function source(count) {
  const lines = ['#include <stdint.h>', '#include <stdio.h>', '#include <stdlib.h>', '#include <string.h>',
    'typedef uint32_t fn(uint32_t *, uint32_t);'];
  for (let i = 0; i < count; i++) {
    const k = (i * 2654435761) >>> 0;
    lines.push(`static uint32_t f${i}(uint32_t *p, uint32_t x) {`,
      `  for (uint32_t i = 0; i < (x & ${(k & 31) + 1}u); i++) {`,
      `    p[i & 63] = p[(i * ${(k >>> 5 & 63) | 1}u) & 63] * (x + ${k >>> 9}u) + (p[i & 31] >> ${k & 15});`,
      `    if (p[i & 63] & ${1 << (i % 9)}u) x ^= p[(i + ${i}u) & 63]; else x += ${k & 0xffff}u;`,
      `    switch (p[i & 63] % ${3 + (i % 4)}) {`,
      `    case 0: x += ${i}u; break; case 1: x ^= ${k >>> 3}u; p[x & 63] = i; break;`,
      `    default: x = x << ${1 + (i % 7)} | x >> ${31 - (i % 7)}; p[${i & 63}] -= x;`,
      '    } }', `  return x + p[${k & 63}]${i ? ` + (x & 1 ? 0 : f${i - 1}(p, x >> 3))` : ''};`, '}');
  }
  lines.push(`static fn *volatile const table[] = { ${Array.from({ length: count }, (_, i) => `f${i}`).join(', ')} };`,
    '__attribute__((noinline)) static int version(void) { return VERSION; }',
    'int main(void) { uint32_t memory[64] = {1}; table[getenv("PATH_INFO")[0] % 16](memory, 5);',
    '  printf("Content-Type: text/plain\\n\\nversion %d\\n", version()); return 0; }');
  return lines.join('\n');
}

function build(version) {
  const file = path.join(folder, `v${version}.wasm`);
  const c = path.join(folder, 'big.c');
  if (!existsSync(c)) writeFileSync(c, source(functions));
  run('clang-19', [`--target=${wasiTarget}`, '-O1', '-fno-inline', `-DVERSION=${version}`, c, '-o', file]);
  return file;
}

function get(port, target) {
  return new Promise((resolve) => {
    http.get({ port, path: target, agent: false }, async (response) => {
      let text = '';
      for await (const piece of response) text += piece;
      resolve(text);
    }).on('error', () => resolve(''));
  });
}

// Beside it, then renamed, as a deploy does.
async function deploy(server, name, file, version) {
  copyFileSync(file, path.join(apps, `.${name}`));
  const begin = performance.now();
  renameSync(path.join(apps, `.${name}`), path.join(apps, `${name}.wasm`));
  server.child.kill('SIGHUP');
  while (await get(server.port, `/${name}/`) !== `version ${version}\n`) {
    if (performance.now() - begin > ANSWER_MS_MAX) fail(`${name} does not answer`);
    await new Promise((resolve) => { setTimeout(resolve, 2); });
  }
  return performance.now() - begin;
}

const first = build(1);
const megabytes = statSync(first).size / 1e6;
const times = { cold: [], one: [], same: [] };
for (let round = 0; round < rounds; round++) {
  rmSync(path.join(folder, 'cache'), { recursive: true, force: true });
  rmSync(apps, { recursive: true, force: true });
  mkdirSync(apps);
  const small = path.join(apps, 'small.wat');
  writeFileSync(small, '(module (memory (export "memory") 1) (func (export "_start")))');
  run('wat2wasm', [small, '-o', path.join(apps, 'small.wasm')]);
  const server = await startServer([apps], { env: { XDG_CACHE_HOME: path.join(folder, 'cache') } });
  times.cold.push(await deploy(server, 'big', first, 1));
  const changed = build(2 + round); // meanwhile the background has its time
  times.one.push(await deploy(server, 'big', changed, 2 + round));
  times.same.push(await deploy(server, 'other', changed, 2 + round));
  await stopServer(server);
}
printMachine(`mayfly ${firstLine(mayfly, ['--version'])}`);
console.log(`a module of ${megabytes.toFixed(2)} MB, from its file to its first answer; medians of ${rounds} rounds\n`);
const row = (what, key) => [what, median(times[key]).toFixed(0), Math.min(...times[key]).toFixed(0),
  Math.max(...times[key]).toFixed(0)];
printTable([['deploy', 'ms', 'least', 'most'], row('nothing cached', 'cold'), row('one function changed', 'one'),
  row('the same bytes', 'same')]);
console.log(`\nRESULT deploy cold_ms=${median(times.cold).toFixed(0)} one_ms=${median(times.one).toFixed(0)} `
  + `same_ms=${median(times.same).toFixed(0)}`);
process.exit(0);
