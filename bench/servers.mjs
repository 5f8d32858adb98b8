// Servers side by side for the benchmarks: mayfly, nginx, workerd; requests per second by wrk, and
// the CPU time that a server takes meanwhile. Of each one worker process; wrk has the other core.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fail, mayfly, root, run } from './lib.mjs';

const START_MS_MAX = 60_000;
const TICKS_PER_SECOND = Number(run('getconf', ['CLK_TCK']).out);
export const folder = mkdtempSync(path.join(os.tmpdir(), 'mayfly-bench-'));
export const workerd = path.join(root, 'bench/tools/node_modules/@cloudflare/workerd-linux-64/bin/workerd');
const children = [];
process.on('exit', () => {
  children.forEach((child) => child.kill());
  rmSync(folder, { recursive: true, force: true });
});

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

// The functions below make what start() wants: a function from the port to the command.

// Compiled ahead, so that it is the optimised code that answers. `more` are options of `serve`.
export const mayflyServer = (name, wasm, more = []) => (port) => {
  const apps = path.join(folder, `apps-${name}`);
  mkdirSync(apps);
  run(mayfly, ['compile', wasm, '-o', path.join(apps, `${name}.mfa`)]);
  const args = ['serve', '--listen', `127.0.0.1:${port}`, '--workers', '1', ...more, apps];
  return { command: mayfly, args, path: `/${name}/` };
};

export const nginxServer = (body) => (port) => {
  const config = path.join(folder, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
  writeFileSync(config, `
daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000000; ${temporary}
  default_type text/plain;
  server { listen 127.0.0.1:${port}; location / { return 200 "${body.trim()}\\n"; } }
}
`);
  return { command: 'nginx', args: ['-e', 'stderr', '-c', config], path: '/' };
};

// `worker` is a part of its configuration; `files` are beside it.
export const workerdServer = (name, worker, files) => (port) => {
  const home = path.join(folder, `workerd-${name}`);
  mkdirSync(home);
  for (const [file, text] of Object.entries(files)) writeFileSync(path.join(home, file), text);
  const config = path.join(home, 'workerd.capnp');
  writeFileSync(config, `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (${worker}, compatibilityDate = "2024-09-01"))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]);
`);
  return { command: workerd, args: ['serve', config], path: '/' };
};

// Starts it and waits for an answer of that body to a request with these options of fetch().
export async function start(name, makeServer, body, request = {}) {
  const port = await freePort();
  const server = makeServer(port);
  const child = spawn(server.command, server.args, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  const log = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => { if (log.length < 100) log.push(chunk.toString()); });
  }
  child.on('error', (error) => fail(`${server.command}: ${error.message}`));
  const url = `http://127.0.0.1:${port}${server.path}`;
  const deadline = Date.now() + START_MS_MAX;
  for (;;) {
    const got = await fetch(url, request).then((answer) => answer.text(), () => undefined);
    if (got === body) return { name, child, url };
    if (child.exitCode !== null || Date.now() > deadline) {
      fail(`${name} does not answer ${url} (${got ?? 'no connection'}):\n${log.join('').slice(-2000)}`);
    }
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
}

// The process and all below it.
export function family(pid) {
  const below = new Map();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const parent = Number(readFileSync(`/proc/${entry}/stat`, 'utf8').split(') ')[1].split(' ')[1]);
      below.set(parent, [...(below.get(parent) ?? []), Number(entry)]);
    } catch { /* it has ended meanwhile */ }
  }
  const found = [pid];
  for (let i = 0; i < found.length; i += 1) found.push(...(below.get(found[i]) ?? []));
  return found;
}

// User and system time of all its processes, proc(5) fields 14 and 15.
function cpuSeconds(server) {
  const ticks = family(server.child.pid).map((pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, value) => sum + value, 0) / TICKS_PER_SECOND;
}

const MICROSECONDS = { us: 1, ms: 1e3, s: 1e6 };

// Requests per second, CPU microseconds a request, p99 in microseconds. `script` is wrk's, for other requests than GET.
export function load(server, { seconds, connections, script }) {
  const before = cpuSeconds(server);
  const { out } = run('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency',
    ...(script ? ['-s', script] : []), server.url]);
  const cpu = cpuSeconds(server) - before;
  if (/Non-2xx|Socket errors/.test(out)) fail(`${server.name}: ${/(Non-2xx|Socket errors).*/.exec(out)[0]}`);
  const requests = Number(/(\d+) requests in/.exec(out)[1]);
  const [, p99, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(out);
  return {
    rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(out)[1]),
    cpu: cpu / requests * 1e6,
    p99Us: Number(p99) * MICROSECONDS[unit],
  };
}
