// node validate_oracle.mjs VALIDATE_STREAM CONVERTED_SUITE [MUTANTS [GENERATED [SEED]]]
//
// Compares our validator with WebAssembly.validate of the node that runs this (26 or later): on
// every module of the converted core suite, on MUTANTS of the valid ones, and on GENERATED modules
// of `wasm-opt -ttf` with two mutants each. Prints counts; exit code 1 when there is a disagreement
// that is not a difference of limits or of supported proposals.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mutate, randomSource } from './mutate.mjs';

const [stream, suite, mutantsText, generatedText, seedText] = process.argv.slice(2);
const mutants = Number(mutantsText ?? 20000);
const generated = Number(generatedText ?? 50);
const seed = Number(seedText ?? 1);
const MODULE_BYTES_MAX = 20000; // larger ones are not worth the time of their mutants
const BATCH = 4000;
const BATCH_MS_MAX = 60000;
const SHOWN_MAX = 40;

// Where V8 draws a limit that we do not have, or does not follow 3.0: `theirs` is its message, `ours`
// our line.
const v8Differs = [
  { why: 'fewer pages of a 64-bit memory', theirs: /memory size .* larger than implementation limit/ },
  // Core §5.3.11 has u64 in the limits of every memory and table.
  { why: 'limits of at most five bytes', theirs: /overflow while decoding (initial|maximum) size/ },
  // Core §A.3: what ref.as_non_null and others leave in unreachable code is still a reference.
  {
    why: 'an unknown reference taken for a number',
    theirs: /^ok$/,
    ours: /\(ref unknown\)|select of references must name their type/,
  },
  // Core §3.4.2, §3.4.5: operand types that are known must match in unreachable code as well.
  {
    why: 'br_on_non_null to a label it does not match',
    theirs: /^ok$/,
    ours: /br_on_non_null: type mismatch: (label \d+ takes no value|the reference does not match)/,
  },
  { why: 'ref.eq of what is no eqref', theirs: /^ok$/, ours: /ref\.eq: type mismatch/ },
  // Core §5.5.12: an element segment without elements has a reference type nevertheless.
  { why: 'elements of a number type', theirs: /^ok$/, ours: /malformed reference type 0x7[b-f]/ },
  // Core §5.3.16: the attribute is a byte, not an integer of several.
  { why: 'a tag attribute of several bytes', theirs: /^ok$/, ours: /malformed tag attribute/ },
];

// Of those wasm-opt knows, the features that it writes as 3.0 has them. With reference types many
// of its modules are not valid, to which both validators should agree as well.
const features = [
  'mutable-globals', 'sign-ext', 'nontrapping-float-to-int', 'bulk-memory', 'multivalue', 'simd',
  'tail-call', 'extended-const',
].map((name) => `--enable-${name}`);

const counts = new Map();
let disagreements = 0;

function count(what) {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

function v8Says(bytes) {
  try {
    new WebAssembly.Module(bytes);
    return 'ok';
  } catch (e) {
    return e.message.replace('WebAssembly.Module(): ', '');
  }
}

function compare(bytes, ours) {
  const valid = WebAssembly.validate(bytes);
  const status = ours.split(' ')[0];
  if (valid === (status === 'ok')) return count(valid ? 'both accept' : 'both refuse');
  if (status === 'limit') return count('our limit');
  if (status === 'unsupported') return count('not in 3.0, refused by name');
  const theirs = v8Says(bytes);
  const known = v8Differs.find((l) => l.theirs.test(theirs) && (!l.ours || l.ours.test(ours)));
  if (known) return count(`v8: ${known.why}`);
  count('DISAGREEMENT');
  if (disagreements++ < SHOWN_MAX)
    console.log(`ours: ${ours}\n  v8: ${theirs}\n  ${bytes.toString('hex').slice(0, 2000)}`);
}

function judge(modules) {
  const parts = [];
  for (const m of modules) {
    const head = Buffer.alloc(4);
    head.writeUInt32LE(m.length);
    parts.push(head, m);
  }
  const run = spawnSync(stream, { input: Buffer.concat(parts), maxBuffer: 1 << 30, timeout: BATCH_MS_MAX });
  const lines = run.stdout.toString().split('\n');
  if (run.status !== 0 || lines.length !== modules.length + 1) {
    console.log(`${stream} ended with ${run.status ?? run.signal} after ${lines.length - 1} modules`);
    console.log(run.stderr.toString().slice(0, 4000));
    const culprit = modules[lines.length - 1];
    if (culprit) console.log(culprit.toString('hex'));
    process.exit(1);
  }
  modules.forEach((m, i) => compare(m, lines[i]));
}

function suiteModules() {
  const place = { instantiate: 3, trapping: 3, define: 2, unlinkable: 2, invalid: 2, malformed: 2 };
  const modules = [];
  for (const name of readdirSync(suite).filter((n) => n.endsWith('.script')).sort()) {
    const blob = readFileSync(join(suite, name.replace('.script', '.bin')));
    for (const line of readFileSync(join(suite, name), 'utf8').split('\n').slice(1)) {
      const words = line.split(' ');
      const at = place[words[0]];
      if (!at) continue;
      const start = Number(words[at]);
      modules.push(blob.subarray(start, start + Number(words[at + 1])));
    }
  }
  return modules;
}

function generatedModules(random) {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-oracle-'));
  const modules = [];
  try {
    for (let i = 0; i < generated; i++) {
      const input = join(folder, 'input');
      const output = join(folder, 'output.wasm');
      writeFileSync(input, Buffer.from(Array.from({ length: 600 }, () => random.below(256))));
      const references = i % 2 ? ['--enable-reference-types'] : [];
      const args = [input, '-ttf', ...features, ...references, '-o', output];
      const run = spawnSync('wasm-opt', args, { stdio: 'ignore' });
      if (run.status === 0) modules.push(readFileSync(output));
      else count('wasm-opt failed');
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return modules;
}

const random = randomSource(seed);
console.log(`seed ${seed}, node ${process.version}, V8 ${process.versions.v8}`);
const all = suiteModules();
judge(all);
const seeds = all.filter((m) => m.length < MODULE_BYTES_MAX && WebAssembly.validate(m));
for (let done = 0; done < mutants; done += BATCH) {
  const size = Math.min(BATCH, mutants - done);
  judge(Array.from({ length: size }, () => mutate(seeds[random.below(seeds.length)], random)));
}
const ttf = generatedModules(random);
judge(ttf.flatMap((m) => [m, mutate(m, random), mutate(m, random)]));
for (const [what, n] of [...counts].sort()) console.log(`${String(n).padStart(9)} ${what}`);
process.exit(disagreements ? 1 : 0);
