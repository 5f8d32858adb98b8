// Kernels in C: the time of mayfly against the same source compiled natively and against V8.
// Everything runs in turns, one after another, several rounds; medians count.
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import {
  buildRoot, fail, firstLine, geomean, mayfly, median, options, printMachine, printTable, root, run,
} from './lib.mjs';

const { rounds, only, level } = options({ rounds: 3, only: '', level: '' });
const folder = path.join(buildRoot, 'bench', 'compute');
const wasiTarget = existsSync('/usr/include/wasm32-wasi') ? 'wasm32-wasi' : 'wasm32-wasip1';
mkdirSync(folder, { recursive: true });

function compile(name) {
  const source = path.join(root, 'bench', 'compute', `${name}.c`);
  const out = path.join(folder, name);
  run('clang-19', ['-O2', source, '-lm', '-o', out]);
  run('clang-19', ['-O2', '-march=x86-64-v3', source, '-lm', '-o', `${out}.v3`]);
  run('clang-19', [`--target=${wasiTarget}`, '-O2', '-msimd128', source, '-o', `${out}.wasm`]);
  const levelArguments = level ? ['--level', level] : [];
  run(mayfly, ['compile', ...levelArguments, `${out}.wasm`, '-o', `${out}.mfa`]);
  return out;
}

const engines = {
  native: (out) => [out, []],
  'native-v3': (out) => [`${out}.v3`, []],
  mayfly: (out) => [mayfly, ['run', `${out}.mfa`]],
  v8: (out) => [process.execPath,
    ['--no-warnings', path.join(root, 'bench', 'wasi_run.mjs'), `${out}.wasm`]],
};

// Milliseconds of one run of the kernel, and its checksum.
function measure(engine, out) {
  const [command, args] = engines[engine](out);
  const found = /^(\S+) (\d+) (\d+) (\S+)$/m.exec(run(command, args).out);
  if (!found) fail(`${engine} printed no result for ${out}`);
  return { time: Number(found[2]) / 1e6, sum: found[4] };
}

const names = readdirSync(path.join(root, 'bench', 'compute'))
  .filter((name) => name.endsWith('.c')).map((name) => name.slice(0, -2))
  .filter((name) => !only || only.split(',').includes(name)).sort();
const programs = new Map(names.map((name) => [name, compile(name)]));
const times = new Map(names.map((name) => [name, { native: [], 'native-v3': [], mayfly: [], v8: [] }]));
for (let round = 0; round < rounds; round += 1) {
  for (const [name, out] of programs) {
    const sums = {};
    for (const engine of Object.keys(engines)) {
      const { time, sum } = measure(engine, out);
      times.get(name)[engine].push(time);
      sums[engine] = sum;
    }
    // Fused multiplication makes native-v3 round differently.
    if (sums.mayfly !== sums.native || sums.mayfly !== sums.v8) {
      fail(`${name}: checksums differ: ${JSON.stringify(sums)}`);
    }
  }
}

printMachine(`mayfly ${firstLine(mayfly, ['--version'])}, level ${level || 'default'}`,
  firstLine('clang-19', ['--version']), `node ${process.version}, V8 ${process.versions.v8}`);
console.log(`guest: clang-19 -O2 -msimd128; native: clang-19 -O2 (v3: -march=x86-64-v3); `
  + `ms a run, medians of ${rounds} rounds\n`);
const rows = [['kernel', 'native', 'native-v3', 'mayfly', 'v8', 'mayfly/native', 'mayfly/v3', 'mayfly/v8']];
const ratios = { native: [], 'native-v3': [], v8: [] };
for (const name of names) {
  const of = Object.fromEntries(Object.entries(times.get(name)).map(([k, v]) => [k, median(v)]));
  for (const key of Object.keys(ratios)) ratios[key].push(of.mayfly / of[key]);
  rows.push([name, ...['native', 'native-v3', 'mayfly', 'v8'].map((key) => of[key].toFixed(2)),
    ...Object.values(ratios).map((values) => values.at(-1).toFixed(2))]);
}
const [native, v3, v8] = Object.values(ratios).map((values) => geomean(values).toFixed(2));
rows.push(['geomean', '', '', '', '', native, v3, v8]);
printTable(rows);
console.log(`\nRESULT compute native=${native} v8=${v8}`);
