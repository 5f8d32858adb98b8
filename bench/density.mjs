// What ten thousand deployed programs cost: memory of one that nobody uses, memory of one with a
// live instance, and how long the node takes to start. workerd with 300 isolates beside it.
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { buildRoot, childrenOf, fail, firstLine, mayfly, median, options, printMachine, printTable, root, run, startServer, stopServer }
  from './lib.mjs';

const { apps, isolates, rounds } = options({ apps: 10000, isolates: 300, rounds: 3 });
const START_MS_MAX = 120_000;
const CLIENTS = 16;
const LOADED_MAX = 2000; // EDGE_LOADED_MAX: of one worker
const folder = mkdtempSync(path.join(os.tmpdir(), 'mayfly-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

// Bytes of all processes of a server: resident, private (not backed by a file), page tables.
function memory(child) {
  const sum = { resident: 0, own: 0, tables: 0 };
  for (const pid of [child.pid, ...childrenOf(child.pid)]) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const of = (name) => Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
    sum.resident += of('VmRSS');
    sum.own += of('RssAnon') + of('RssShmem');
    sum.tables += of('VmPTE');
  }
  return sum;
}

// `where` is a port, or the path of a socket.
function get(where, target) {
  const address = typeof where === 'number' ? { port: where } : { socketPath: where };
  return new Promise((resolve, reject) => {
    http.get({ ...address, path: target, agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    }).on('error', reject);
  });
}

// One request to each of `targets`, [where, path].
async function askAll(targets) {
  let next = 0;
  await Promise.all(Array.from({ length: CLIENTS }, async () => {
    while (next < targets.length) {
      const [port, target] = targets[next++];
      const status = await get(port, target);
      if (status !== 200) fail(`${target}: ${status}`);
    }
  }));
}

// Each program is a file of its own, as if compiled from another module: they share no pages.
function deploy(name, count) {
  const source = path.join(folder, 'hello.mfa');
  run(mayfly, ['compile', path.join(buildRoot, 'examples', 'hello-c.wasm'), '-o', source]);
  const target = path.join(folder, name);
  mkdirSync(target);
  for (let i = 0; i < count; i++) copyFileSync(source, path.join(target, `app-${i}.mfa`));
  return target;
}

async function measureMayfly() {
  const many = deploy('many', apps);
  const few = deploy('few', 1);
  const one = await startServer([few]);
  const base = memory(one.child);
  await stopServer(one);
  const starts = [];
  let server;
  for (let i = 0; i < rounds; i++) {
    if (server) await stopServer(server);
    server = await startServer([many]);
    starts.push(server.startMs);
  }
  const workers = childrenOf(server.child.pid).length;
  const idle = memory(server.child);
  await askAll(Array.from({ length: apps }, (_, i) => [server.port, `/app-${i}/`]));
  const used = memory(server.child);
  const live = Math.min(apps, workers * LOADED_MAX);
  await stopServer(server);
  return {
    startMs: median(starts),
    idleBytes: (idle.resident - base.resident) / (apps - 1),
    liveBytes: (used.own - idle.own) / live,
    tableBytes: (used.tables - idle.tables) / live,
    live,
  };
}

async function measureWorkerd() {
  const sockets = Array.from({ length: isolates }, (_, i) => path.join(folder, `${i}.sock`));
  const config = path.join(folder, 'workerd.capnp');
  writeFileSync(path.join(folder, 'hello.js'), 'export default { fetch() { return new Response("Hello\\n"); } };\n');
  const list = (make) => sockets.map(make).join(',\n    ');
  writeFileSync(config, `
using Workerd = import "/workerd/workerd.capnp";
const hello :Workerd.Worker = (
  modules = [(name = "hello", esModule = embed "hello.js")], compatibilityDate = "2024-09-01");
const config :Workerd.Config = (
  services = [
    ${list((_, i) => `(name = "app-${i}", worker = .hello)`)}],
  sockets = [
    ${list((socket, i) => `(name = "http-${i}", address = "unix:${socket}", http = (), service = "app-${i}")`)}]);
`);
  const command = path.join(root, 'bench/tools/node_modules/@cloudflare/workerd-linux-64/bin/workerd');
  const start = performance.now();
  const child = spawn(command, ['serve', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (bytes) => { log += bytes; });
  child.on('exit', () => fail(`workerd ended: ${log}`));
  for (const deadline = Date.now() + START_MS_MAX; ;) {
    const status = await get(sockets.at(-1), '/').catch(() => 0);
    if (status === 200) break;
    if (Date.now() > deadline) fail(`workerd does not answer: ${log}`);
    await new Promise((resolve) => { setTimeout(resolve, 5); });
  }
  const startMs = performance.now() - start;
  await askAll(sockets.map((socket) => [socket, '/']));
  const bytes = memory(child).own / isolates;
  const version = firstLine(command, ['--version']);
  await stopServer({ child });
  return { startMs, bytes, version };
}

const ours = await measureMayfly();
const theirs = await measureWorkerd();
printMachine(`mayfly ${firstLine(mayfly, ['--version'])}`, theirs.version);
console.log(`${apps} copies of hello in C on mayfly, one request to each; ${isolates} isolates on workerd; `
  + `start: median of ${rounds}\n`);
const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
printTable([
  ['server', 'programs', 'start', 'idle program', 'live program', 'its page tables'],
  ['mayfly', String(apps), `${ours.startMs.toFixed(0)} ms`, kib(ours.idleBytes), kib(ours.liveBytes), kib(ours.tableBytes)],
  ['workerd', String(isolates), `${theirs.startMs.toFixed(0)} ms`, kib(theirs.bytes), kib(theirs.bytes), '-'],
]);
console.log(`\nRESULT density idle_bytes=${ours.idleBytes.toFixed(0)} live_bytes=${ours.liveBytes.toFixed(0)} `
  + `start_ms=${ours.startMs.toFixed(0)}`);
process.exit(0);
