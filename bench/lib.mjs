// What the benchmarks share: running programs, medians, tables, the line about the machine.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export const root = path.dirname(import.meta.dirname);
export const buildRoot = process.env.MAYFLY_BUILD_DIR ?? path.join(root, 'build');
export const mayfly = process.env.MAYFLY ?? path.join(buildRoot, 'release', 'mayfly');

export function fail(message) {
  console.error(`bench: ${message}`);
  process.exit(1);
}

// Runs to the end and gives { out, err, seconds }; anything but exit code 0 ends the benchmark.
export function run(command, args, options = {}) {
  const begin = process.hrtime.bigint();
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26, ...options });
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  if (result.status !== 0) {
    const why = result.error?.message ?? result.signal ?? `exit code ${result.status}`;
    fail(`${command} ${args.join(' ')}: ${why}\n${(result.stderr ?? '').slice(-2000)}`);
  }
  return { out: result.stdout, err: result.stderr, seconds };
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function geomean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

// Rows of cells, the first row the head; the first column to the left, the others to the right.
export function printTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) {
    console.log(row.map((cell, column) => (column ? cell.padStart(widths[column])
      : cell.padEnd(widths[column]))).join('  ').trimEnd());
  }
}

export function firstLine(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8' });
  return `${result.stdout ?? ''}${result.stderr ?? ''}`.split('\n')[0].trim() || 'not here';
}

export function printMachine(...versions) {
  const cpu = /^model name\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '?';
  console.log(`machine: ${cpu}, ${os.availableParallelism()} cores, Linux ${os.release()}`);
  for (const version of versions) console.log(`version: ${version}`);
}

// `--name value` pairs out of argv, on top of the defaults; unknown names end the program.
export function options(defaults) {
  const args = process.argv.slice(2);
  const values = { ...defaults };
  for (let i = 0; i < args.length; i += 2) {
    const name = args[i].replace(/^--/, '');
    if (!(name in defaults) || args[i + 1] === undefined) {
      fail(`unknown argument ${args[i]}; there are: ${Object.keys(defaults).map((n) => `--${n} VALUE`).join(' ')}`);
    }
    values[name] = typeof defaults[name] === 'number' ? Number(args[i + 1]) : args[i + 1];
  }
  return values;
}

// Starts `mayfly serve` with `args` on a free port: { child, port, startMs }, once it listens. Its end
// without stopServer() ends the benchmark.
// `log` is a descriptor for its log, which otherwise only tells why it failed.
export async function startServer(args, { env = {}, limitMs = 120_000, log: logFd = 'pipe' } = {}) {
  const start = performance.now();
  const child = spawn(mayfly, ['serve', '--listen', '127.0.0.1:0', ...args],
    { stdio: ['ignore', 'pipe', logFd], env: { ...process.env, ...env } });
  let out = '';
  let log = '';
  child.stderr?.on('data', (bytes) => { log = (log + bytes).slice(-10_000); });
  const port = await new Promise((resolve) => {
    const late = setTimeout(() => fail(`mayfly does not start: ${log}`), limitMs);
    child.on('exit', () => fail(`mayfly ended: ${log}`));
    child.stdout.on('data', (bytes) => {
      const found = /listening on http:\/\/127\.0\.0\.1:(\d+)\n/.exec(out += bytes);
      if (!found) return;
      clearTimeout(late);
      resolve(Number(found[1]));
    });
  });
  return { child, port, startMs: performance.now() - start };
}

export const childrenOf = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  .filter(Boolean).map(Number);

export async function stopServer({ child }) {
  child.removeAllListeners('exit');
  const gone = new Promise((resolve) => { child.on('exit', resolve); });
  child.kill();
  await gone;
}
