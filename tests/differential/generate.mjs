// node generate.mjs OUT_FOLDER COUNT SEED [FIRST]
//
// Makes OUT/N.wasm for N in [FIRST, FIRST + COUNT): valid modules out of seeded random bytes by
// binaryen's `wasm-opt -ttf`. Each depends on SEED and N only. Every second one is "de-NaNed": it
// turns NaNs into 0 as it runs, so that even the bits of its memory have only one right value.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomSource } from './random.mjs';

const [out, countText, seedText, firstText] = process.argv.slice(2);
const count = Number(countText);
const seed = Number(seedText);
const first = Number(firstText ?? 0);

const base = [
  '--enable-mutable-globals',
  '--enable-sign-ext',
  '--enable-nontrapping-float-to-int',
  '--enable-bulk-memory',
  '--enable-multivalue',
];
const featureSets = [
  [...base],
  [...base, '--enable-reference-types', '--enable-tail-call'],
  [...base, '--enable-simd'],
  [...base, '--enable-simd', '--enable-reference-types', '--enable-tail-call'],
];
const shapes = [[], [], ['-O1'], ['-O3'], ['--fuzz-passes']];
const sizes = [500, 2000, 4000, 12000, 30000];

const ATTEMPTS_MAX = 50;

// One attempt at module `n`: false when binaryen fails, or makes what V8 does not take (binaryen
// 108 is not exact about references).
function attempt(n, random) {
  const pick = (list) => list[random() % list.length];
  const bytes = Buffer.alloc(pick(sizes) + (random() % 500));
  for (let i = 0; i < bytes.length; i++) bytes[i] = random() & 255;
  const input = join(out, `${n}.seed`);
  const wasm = join(out, `${n}.wasm`);
  writeFileSync(input, bytes);
  const args = ['-ttf', input, '-o', wasm, ...pick(featureSets), ...pick(shapes)];
  if (n % 2 === 1) args.push('--denan');
  return spawnSync('wasm-opt', args).status === 0 && WebAssembly.validate(readFileSync(wasm));
}

mkdirSync(out, { recursive: true });
for (let n = first; n < first + count; n++) {
  const random = randomSource(seed, n);
  let left = ATTEMPTS_MAX;
  while (!attempt(n, random)) {
    if (--left > 0) continue;
    console.error(`generate: no module ${n} in ${ATTEMPTS_MAX} attempts; does wasm-opt work?`);
    process.exit(1);
  }
}
