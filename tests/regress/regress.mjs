// node --expose-gc regress.mjs DIFF_RUNNER OUT_FOLDER
//
// Runs every .wat and .wasm file beside this script at every level, in conforming mode and not, and
// compares with V8. Ends with "N passed, N failed, N skipped".

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { difference, makeReplay, onceOf } from '../differential/replay.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const [runner, out] = process.argv.slice(2);
const jco = join(here, '../tools/node_modules/@bytecodealliance/jco/dist/api.js');
const { parse } = await import(pathToFileURL(jco));
const replay = await makeReplay(parse);
const levels = ['fast', 'optimised', 'aggressive', 'fast-plain', 'optimised-plain', 'aggressive-plain'];

const names = readdirSync(here).filter((name) => /\.wa(t|sm)$/.test(name)).sort();
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const modules = [];
for (const [n, name] of names.entries()) {
  const bytes = readFileSync(join(here, name));
  modules.push(name.endsWith('.wat') ? await parse(bytes.toString('utf8')) : bytes);
  writeFileSync(join(out, `${n}.wasm`), modules[n]);
}
let failed = 0;
for (const level of levels) {
  const done = spawnSync(runner, [level, out, String(names.length)], { stdio: 'inherit' });
  if (done.status !== 0) failed++;
}

function check(n, level) {
  const lines = readFileSync(join(out, `${n}.${level}`), 'utf8').split('\n').slice(0, -1);
  const last = lines[lines.length - 1] ?? 'a crash';
  if (!WebAssembly.validate(modules[n]))
    return /^error (invalid|unsupported|limit):/.test(last) ? null : { got: last, want: 'a refusal' };
  if (last !== 'end') return { got: last, want: 'end' };
  const once = onceOf(lines);
  if (!once) return { got: 'another run after a reset', want: 'the same' };
  return difference(once, replay(modules[n], once), !level.endsWith('-plain'));
}

for (const [n, name] of names.entries()) {
  for (const level of levels) {
    const wrong = check(n, level);
    if (!wrong) continue;
    failed++;
    console.log(`FAIL ${name} ${level}:\n  got  ${wrong.got}\n  want ${wrong.want}`);
  }
}
console.log(`${names.length * levels.length - failed} passed, ${failed} failed, 0 skipped`);
process.exitCode = failed > 0 ? 1 : 0;
