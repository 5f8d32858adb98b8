// What time slices cost programs that compute, and how late a limit of CPU time strikes: CPU time of
// the kernels of bench/compute without and with slices of 1 ms, in turns in one process; and the CPU
// time that a program which never ends gets beyond its limit.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildRoot, fail, firstLine, geomean, mayfly, options, printMachine, printTable, root, run } from './lib.mjs';

const { rounds, runs, only } = options({ rounds: 7, runs: 1000, only: '' });
const BIN_US = 10;
const BINS_MAX = 20;
const program = process.env.BENCH_PREEMPT ?? path.join(buildRoot, 'release', 'bench_preempt');
const folder = mkdtempSync(path.join(os.tmpdir(), 'mayfly-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
const wasiTarget = existsSync('/usr/include/wasm32-wasi') ? 'wasm32-wasi' : 'wasm32-wasip1';

function compile(source, flags) {
  const out = path.join(folder, path.basename(source, '.c'));
  run('clang-19', [...flags, path.join(root, 'bench', source), '-o', `${out}.wasm`]);
  run(mayfly, ['compile', `${out}.wasm`, '-o', `${out}.mfa`]);
  return `${out}.mfa`;
}

function results(args, kind) {
  const lines = run(program, args).out.trim().split('\n').map((line) => line.split(' '));
  if (lines.some(([first]) => first !== kind)) fail(`bench_preempt ${kind} printed something else`);
  return lines.map(([, ...pairs]) => Object.fromEntries(pairs.map((pair) => pair.split('='))));
}

const kernels = readdirSync(path.join(root, 'bench', 'compute')).filter((name) => name.endsWith('.c'))
  .filter((name) => !only || only.split(',').includes(path.basename(name, '.c'))).sort()
  .map((name) => compile(path.join('compute', name), [`--target=${wasiTarget}`, '-O2', '-msimd128']));
const spinner = compile('preempt_guest.c', ['--target=wasm32', '-O2', '-nostdlib', '-Wl,--no-entry']);

printMachine(`mayfly ${firstLine(mayfly, ['--version'])}`);
console.log(`CPU time of a run, slices of 1 ms against none; medians of ${rounds} rounds in turn\n`);
const rows = [['kernel', 'none, ms', 'slices, ms', 'cost, %']];
const ratios = [];
for (const result of results(['overhead', String(rounds), ...kernels], 'overhead')) {
  const plain = Number(result.plain_ns), sliced = Number(result.sliced_ns);
  ratios.push(sliced / plain);
  rows.push([path.basename(result.name, '.mfa'), (plain / 1e6).toFixed(3), (sliced / 1e6).toFixed(3),
    ((ratios.at(-1) - 1) * 100).toFixed(2)]);
}
const overhead = ((geomean(ratios) - 1) * 100).toFixed(2);
rows.push(['geomean', '', '', overhead]);
printTable(rows);

const late = results(['late', String(runs), spinner], 'late').map(({ ns }) => Number(ns) / 1000)
  .sort((a, b) => a - b);
console.log(`\nhow much CPU time a program gets beyond its limit of 1 to 20 ms; ${runs} runs\n`);
const bins = [['µs', 'runs']];
for (let k = 0; k < BINS_MAX; k += 1) {
  const last = k === BINS_MAX - 1;
  const count = late.filter((us) => (us >= k * BIN_US || !k) && (us < (k + 1) * BIN_US || last)).length;
  if (count) bins.push([last ? `${k * BIN_US}…` : `${k * BIN_US}…${(k + 1) * BIN_US}`, String(count)]);
}
printTable(bins);
const p99 = late[Math.floor((late.length - 1) * 0.99)].toFixed(0);
console.log(`median ${late[late.length >> 1].toFixed(0)}, p99 ${p99}, most ${late.at(-1).toFixed(0)}`);
console.log(`\nRESULT preempt overhead_pct=${overhead} late_p99_us=${p99}`);
