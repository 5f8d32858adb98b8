// node validate_oracle.mjs VALIDATE_STREAM CONVERTED_SUITE [MUTANTS [SEED [FOLDER]]]
//
// Compares our validator with that of wasm-tools (npm's jco: what reads a component's WIT validates
// it first, but for function bodies): on every component of the converted suite, on the .wasm
// files in FOLDER, and on MUTANTS of the valid ones. Prints counts; exit code 1 when there is a disagreement
// that is not a difference of limits or of supported proposals.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { randomSource } from '../wasm/mutate.mjs';
import { mutate } from './mutate.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const [stream, suite, mutantsText, seedText, folder] = process.argv.slice(2);
const mutants = Number(mutantsText ?? 20000);
const seed = Number(seedText ?? 1);
const COMPONENT_BYTES_MAX = 70000; // larger ones are not worth the time of their mutants
const BATCH = 500;
const BATCH_MS_MAX = 120000;
const SHOWN_MAX = 40;

// Where wasm-tools differs from the suite or reads proposals that we refuse: `theirs` is its
// message, `ours` our line.
const known = [
  // The suite has it in binary/binary.wast.
  { why: 'no `cancellable` since component-model #716', theirs: /historically accepted as `cancellable`/, ours: /^ok$/ },
  // validation/kebab.wast has both `a1` and `a-1`.
  { why: 'names that differ in hyphens only', theirs: /conflicts with previous name/, ours: /^ok$/ },
  // Labels are told apart by their bytes; only within one list must they differ in more than case.
  { why: 'labels that differ in case are equal', theirs: /^ok$/, ours: /named `\S+`, found `|mismatch in (flags|enum) elements/ },
  // CanonicalABI.md "canonopt Validation": a callback returns an i32.
  { why: 'a callback that returns something else', theirs: /^ok$/, ours: /`callback` uses a core function/ },
  { why: 'implements a version that is none', theirs: /^ok$/, ours: /must be an interface/ },
  // Of the proposal of custom descriptors.
  { why: 'exact functions', theirs: /^ok$/, ours: /invalid leading byte \(0x20\)/ },
  { why: 'a last section longer than the file', theirs: /^ok$/, ours: /component section: unexpected end/ },
];

// Its instance is of no use after a panic: then a fresh one takes its place.
let tools = null;
let generation = 0;
async function freshTools() {
  const path = join(here, '../tools/node_modules/@bytecodealliance/jco-transpile/vendor/wasm-tools.js');
  const module = await import(`${pathToFileURL(path)}?${generation++}`);
  await module.$init;
  tools = module.tools;
}

async function theirVerdict(bytes) {
  if (!tools) await freshTools();
  try {
    tools.componentWit(bytes);
    return 'ok';
  } catch (e) {
    const text = String(e.payload ?? e.message ?? e).replace(/\s+/g, ' ');
    if (/wasm trap|unreachable|cannot enter|RuntimeError/.test(text + e.name)) {
      tools = null;
      return `panic ${text}`;
    }
    // Everything that the validator says has an offset; what follows is about WIT only.
    return /at offset|offset 0x/.test(text) ? text : 'ok';
  }
}

const counts = new Map();
let disagreements = 0;
const count = (what) => counts.set(what, (counts.get(what) ?? 0) + 1);

async function compare(bytes, ours) {
  const theirs = await theirVerdict(bytes);
  const status = ours.split(' ')[0];
  if (theirs.startsWith('panic')) return count('wasm-tools panics');
  if ((theirs === 'ok') === (status === 'ok'))
    return count(status === 'ok' ? 'both accept' : 'both refuse');
  if (status === 'limit') return count('our limit');
  if (status === 'unsupported') return count('refused by name');
  if (/core module: /.test(ours) && theirs === 'ok') return count('function bodies, not looked at');
  const k = known.find((l) => l.theirs.test(theirs) && (!l.ours || l.ours.test(ours)));
  if (k) return count(`wasm-tools: ${k.why}`);
  count('DISAGREEMENT');
  if (disagreements++ < SHOWN_MAX)
    console.log(`ours:   ${ours}\ntheirs: ${theirs.slice(0, 300)}\n  ${bytes.toString('hex')}`);
}

async function judge(components) {
  const parts = [];
  for (const c of components) {
    const head = Buffer.alloc(4);
    head.writeUInt32LE(c.length);
    parts.push(head, c);
  }
  const run = spawnSync(stream, { input: Buffer.concat(parts), maxBuffer: 1 << 30, timeout: BATCH_MS_MAX });
  const lines = run.stdout.toString().split('\n');
  if (run.status !== 0 || lines.length !== components.length + 1) {
    console.log(`${stream} ended with ${run.status ?? run.signal} after ${lines.length - 1} components`);
    console.log(run.stderr.toString().slice(0, 6000));
    const culprit = components[lines.length - 1];
    if (culprit) console.log(culprit.toString('hex'));
    process.exit(1);
  }
  for (let i = 0; i < components.length; i++) await compare(components[i], lines[i]);
  return lines;
}

function suiteComponents() {
  const place = { instantiate: 3, trapping: 3, define: 2, invalid: 2, malformed: 2 };
  const components = [];
  for (const name of readdirSync(suite).filter((n) => n.endsWith('.script')).sort()) {
    const blob = readFileSync(join(suite, name.replace('.script', '.bin')));
    for (const line of readFileSync(join(suite, name), 'utf8').split('\n').slice(1)) {
      const words = line.split(' ');
      const at = place[words[0]];
      if (!at) continue;
      const start = Number(words[at]);
      components.push(blob.subarray(start, start + Number(words[at + 1])));
    }
  }
  return components;
}

const random = randomSource(seed);
console.log(`seed ${seed}, node ${process.version}`);
const files = folder ? readdirSync(folder).filter((name) => name.endsWith('.wasm')) : [];
const all = [...suiteComponents(), ...files.map((name) => readFileSync(join(folder, name)))];
const verdicts = await judge(all);
const seeds = all.filter((c, i) => c.length < COMPONENT_BYTES_MAX && verdicts[i] === 'ok');
for (let done = 0; done < mutants; done += BATCH) {
  const size = Math.min(BATCH, mutants - done);
  await judge(Array.from({ length: size }, () => mutate(seeds[random.below(seeds.length)], random)));
}
for (const [what, n] of [...counts].sort()) console.log(`${String(n).padStart(9)} ${what}`);
process.exit(disagreements ? 1 : 0);
