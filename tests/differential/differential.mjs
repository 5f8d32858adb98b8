// node differential.mjs DIFF_RUNNER OUT_FOLDER COUNT DENSE SEED LEVEL…
//
// Differential test against V8: makes COUNT modules by binaryen (generate.mjs) and DENSE by
// dense.mjs, runs each by diff_runner at every LEVEL and in this process, and compares what
// came out. Ends with
// "N passed, N failed, N skipped" (modules). A module whose NaNs are left alone may show the bits of
// one, which engines choose freely: when it differs, its de-NaNed version decides.

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { denseModule, readOpcodes } from './dense.mjs';
import { randomSource } from './random.mjs';
import { difference, makeReplay, onceOf } from './replay.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const [runner, out, countText, denseText, seed, ...levels] = process.argv.slice(2);
const count = Number(countText);
const total = count + Number(denseText);
const jco = join(here, '../tools/node_modules/@bytecodealliance/jco/dist/api.js');
const { parse } = await import(pathToFileURL(jco));
const replay = await makeReplay(parse);

// Runs a program to its end. A diff_runner that saw a crash, or a leak under a sanitizer, has said
// so and ends with 1.
let unclean = 0;
function run(program, args) {
  const done = spawnSync(program, args, { stdio: 'inherit' });
  if (done.error || done.status === null || done.status > 1) {
    console.error(`differential: ${program} ${args.join(' ')} failed`);
    process.exit(2);
  }
  unclean += done.status;
}

const linesOf = (path) => {
  try {
    return readFileSync(path, 'utf8').split('\n').slice(0, -1);
  } catch {
    return [];
  }
};

// What is wrong with module `n` of `folder`: null, or { level, got, want }.
function check(folder, n) {
  const wasm = readFileSync(join(folder, `${n}.wasm`));
  const seen = levels.map((level) => linesOf(join(folder, `${n}.${level}`)));
  for (const [i, lines] of seen.entries()) {
    if (lines[lines.length - 1] !== 'end')
      return { level: levels[i], got: lines[lines.length - 1] ?? 'a crash', want: 'end' };
    seen[i] = onceOf(lines);
    if (!seen[i])
      return { level: levels[i], got: 'another run after a reset', want: 'the same' };
  }
  const want = replay(wasm, seen[0]);
  for (const [i, lines] of seen.entries()) {
    const found = difference(lines, want, !levels[i].endsWith('-plain'));
    if (found) return { level: levels[i], ...found };
  }
  return null;
}

function isNanOnly(n) {
  const folder = join(out, 'denan');
  mkdirSync(folder, { recursive: true });
  const target = join(folder, `${n}.wasm`);
  const source = join(out, `${n}.wasm`);
  const done = spawnSync('wasm-opt', [source, '-o', target, '--denan', '--all-features']);
  if (done.status !== 0) copyFileSync(source, target);
  for (const level of levels) run(runner, [level, folder, '1', '--first', String(n)]);
  const wrong = check(folder, n);
  return wrong === null || wrong.nanBits;
}

let passed = 0;
let failed = 0;
let nanOnly = 0;
let unsupported = 0;
let calls = 0;
console.log(`seed ${seed}, ${count} modules by binaryen and ${denseText} dense ones, levels ${levels.join(' ')}, V8 ${process.versions.v8}`);
run(process.execPath, [join(here, 'generate.mjs'), out, countText, seed]);
const instructions = readOpcodes(join(here, '../../src/wasm/opcode.def'));
for (let n = count; n < total; n++) {
  const text = denseModule(randomSource(Number(seed), n), instructions);
  writeFileSync(join(out, `${n}.wasm`), await parse(text));
}
for (const level of levels) run(runner, [level, out, String(total)]);
for (let n = 0; n < total; n++) {
  if (n % 100 === 99) globalThis.gc?.();
  const wrong = check(out, n);
  calls += linesOf(join(out, `${n}.${levels[0]}`)).filter((l) => l.startsWith('call ')).length;
  if (!wrong) {
    passed++;
  } else if (wrong.got.startsWith('error unsupported:')) {
    unsupported++;
  } else if (wrong.nanBits || (n < count && n % 2 === 0 && wrong.want !== 'end' && isNanOnly(n))) {
    nanOnly++;
  } else {
    failed++;
    console.log(`FAIL module ${n} ${wrong.level}:\n  got  ${wrong.got}\n  want ${wrong.want}`);
  }
}
if (unsupported) console.log(`skipped: ${unsupported} that use what is not compiled yet`);
if (nanOnly) console.log(`skipped: ${nanOnly} that differ in the bits of a NaN only`);
console.log(`${calls} calls`);
if (failed === 0) failed = unclean;
console.log(`${passed} passed, ${failed} failed, ${nanOnly + unsupported} skipped`);
process.exitCode = failed > 0 ? 1 : 0;
