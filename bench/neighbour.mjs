// How long a small app takes: alone, and beside other tenants that spin for ever, recurse, grow
// memory, trap and flood their logs, on every core. The small app's client sends at an even pace and
// goes before the server on the machine's cores, those of the others go behind it: clients stand for
// other machines, and what is measured is the server's delay.
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildRoot, childrenOf, fail, firstLine, mayfly, median, options, printMachine, printTable, root, run, startServer }
  from './lib.mjs';

const { rounds, seconds, connections, pause } = options({ rounds: 5, seconds: 4, connections: 8, pause: 4 });
const KINDS = ['spin', 'recurse', 'grow', 'trap', 'flood'];
const START_MS_MAX = 60_000;
const SERVER = 0, OTHERS = 10; // nice values
const cores = os.availableParallelism();
const folder = mkdtempSync(path.join(os.tmpdir(), 'mayfly-bench-'));
const children = [];
process.on('exit', () => {
  children.forEach((child) => child.kill());
  rmSync(folder, { recursive: true, force: true });
});
// Real-time: a higher nice value alone would let the scheduler finish the server's own slice first.
if (spawnSync('chrt', ['-a', '-R', '-f', '-p', '50', String(process.pid)]).status !== 0) {
  console.log('(without the right to real-time priority the client waits too)');
}

const wasiTarget = existsSync('/usr/include/wasm32-wasi') ? 'wasm32-wasi' : 'wasm32-wasip1';
const apps = path.join(folder, 'apps');
mkdirSync(apps);
copyFileSync(path.join(buildRoot, 'examples', 'hello-c.wasm'), path.join(apps, 'small.wasm'));
for (const kind of KINDS) {
  run('clang-19', [`--target=${wasiTarget}`, '-O1', `-DKIND_${kind.toUpperCase()}`,
    path.join(root, 'bench', 'neighbour_guest.c'), '-o', path.join(apps, `${kind}.wasm`)]);
}

// To a file: the client has no time for it.
const log = openSync(path.join(folder, 'log'), 'w');
const server = await startServer(['--level', 'optimised', '--workers', String(cores), apps], { log });
const { port } = server;
children.push(server.child);
for (const pid of [server.child.pid, ...childrenOf(server.child.pid)]) os.setPriority(pid, SERVER);
const base = `http://127.0.0.1:${port}`;
for (const deadline = Date.now() + START_MS_MAX; ;) {
  const body = await fetch(`${base}/small/`).then((answer) => answer.text(), () => undefined);
  if (body === 'Hello from C\n') break;
  if (Date.now() > deadline) fail('mayfly does not answer');
  await sleep(100);
}

// One connection that asks again and again, with pauses; a failure is anything but the answer.
function client(until, samples, failures) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    let begin, text = '', answered = true;
    const end = (why) => {
      if (!answered) failures.push(why);
      answered = true;
      socket.destroy();
      resolve();
    };
    const ask = () => {
      if (Date.now() >= until) { end(); return; }
      answered = false;
      text = '';
      begin = process.hrtime.bigint();
      socket.write('GET /small/ HTTP/1.1\r\nHost: localhost\r\n\r\n');
    };
    socket.on('connect', ask);
    socket.on('error', (error) => end(error.message));
    socket.on('close', () => end('closed'));
    socket.on('data', (chunk) => {
      text += chunk;
      if (!/\r\n\r\n[^]{13}$/.test(text)) return;
      samples.push(Number(process.hrtime.bigint() - begin) / 1000);
      answered = true;
      if (!text.startsWith('HTTP/1.1 200 ') || !text.endsWith('Hello from C\n')) failures.push(text.slice(0, 60));
      setTimeout(ask, pause * (0.5 + Math.random()));
    });
  });
}

async function measure() {
  const samples = [], failures = [], until = Date.now() + seconds * 1000;
  await Promise.all(Array.from({ length: connections }, () => client(until, samples, failures)));
  samples.sort((a, b) => a - b);
  const at = (share) => samples[Math.floor((samples.length - 1) * share)];
  return { count: samples.length, p50: at(0.5), p99: at(0.99), most: samples.at(-1), failed: failures.length, why: failures[0] };
}

async function measureLoud() {
  const others = KINDS.map((kind) => spawn('wrk',
    ['-t1', `-c${2 * cores}`, `-d${seconds + 2}s`, `${base}/${kind}/`], { stdio: 'ignore' }));
  children.push(...others);
  others.forEach((other) => os.setPriority(other.pid, OTHERS));
  await sleep(1000);
  const result = await measure();
  others.forEach((other) => other.kill());
  await sleep(500);
  return result;
}

const quiet = [], loud = [];
await measure();
for (let round = 0; round < rounds; round += 1) {
  quiet.push(await measure());
  loud.push(await measureLoud());
}
printMachine(`mayfly ${firstLine(mayfly, ['--version'])}`);
console.log(`${cores} workers; ${connections} connections to the small app, a request each every ${pause} ms; `
  + `${2 * cores} connections to each of ${KINDS.join(', ')}; ${seconds} s a round; medians of ${rounds} rounds; µs\n`);
const of = (list, key) => median(list.map((one) => one[key]));
printTable([['neighbours', 'requests', 'p50', 'p99', 'most', 'failed'],
  ...[['none', quiet], ['all', loud]].map(([name, list]) => [name, of(list, 'count').toFixed(0),
    of(list, 'p50').toFixed(0), of(list, 'p99').toFixed(0), of(list, 'most').toFixed(0),
    String(list.reduce((sum, one) => sum + one.failed, 0))])]);
const failed = [...quiet, ...loud].reduce((sum, one) => sum + one.failed, 0);
if (failed) console.log(`first failure: ${[...quiet, ...loud].find((one) => one.why).why}`);
console.log(`\nRESULT neighbour quiet_p99_us=${of(quiet, 'p99').toFixed(0)} loud_p99_us=${of(loud, 'p99').toFixed(0)} failed=${failed}`);
process.exit(0);
