// Seconds and megabytes of module per second that compiling takes, at both levels, for two modules
// that people really use: SQLite (1.3 MB) and a JavaScript engine (10.5 MB).
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import {
  buildRoot, firstLine, geomean, mayfly, median, options, printMachine, printTable, root, run,
} from './lib.mjs';

const { rounds, threads } = options({ rounds: 3, threads: 0 });
const LONG_SECONDS = 20; // what takes longer is measured once
const modules = {
  sqlite: 'bench/tools/node_modules/node-sqlite3-wasm/dist/node-sqlite3-wasm.wasm',
  starlingmonkey:
    'tests/tools/node_modules/@bytecodealliance/componentize-js/lib/starlingmonkey_embedding.wasm',
};
const folder = path.join(buildRoot, 'bench', 'compile');
mkdirSync(folder, { recursive: true });

function compile(file, level) {
  const out = path.join(folder, 'out.mfa');
  const more = threads ? ['--threads', String(threads)] : [];
  // The JavaScript engine's initialiser wants randomness, of which there is none at deploy.
  const { seconds } = run(mayfly, ['compile', '--no-start', '--level', level, ...more, file, '-o', out]);
  return { seconds, bytes: statSync(out).size };
}

const speeds = { fast: [], optimised: [] };
const rows = [['module', 'MB', 'level', 'seconds', 'MB/s', 'artifact MB']];
for (const [name, relative] of Object.entries(modules)) {
  const file = path.join(root, relative);
  const megabytes = statSync(file).size / 1e6;
  for (const level of Object.keys(speeds)) {
    const runs = [compile(file, level)];
    while (runs.length < rounds && runs[0].seconds < LONG_SECONDS) runs.push(compile(file, level));
    const seconds = median(runs.map((one) => one.seconds));
    speeds[level].push(megabytes / seconds);
    rows.push([name, megabytes.toFixed(2), level, seconds.toFixed(2),
      (megabytes / seconds).toFixed(2), (runs[0].bytes / 1e6).toFixed(2)]);
  }
}
printMachine(`mayfly ${firstLine(mayfly, ['--version'])}`);
console.log(`the whole of mayfly compile, ${threads || 'all'} threads, medians of up to ${rounds} runs; `
  + 'the last line has the geometric means of MB/s\n');
printTable(rows);
console.log(`\nRESULT compile fast_mb_s=${geomean(speeds.fast).toFixed(2)} `
  + `optimised_mb_s=${geomean(speeds.optimised).toFixed(2)}`);
