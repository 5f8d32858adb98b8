// Requests per second, and CPU time per request, of hello in C on mayfly (a fresh instance for each
// request) against `return 200` of nginx and a hello in JavaScript on workerd (one isolate reused);
// and of the components in C and JavaScript, each request in a fresh instance as well.
// One nginx worker against one mayfly process against one workerd; wrk with keep-alive on the side.
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { buildRoot, fail, firstLine, mayfly, median, options, printMachine, printTable, root, run } from './lib.mjs';

const { rounds, seconds, connections } = options({ rounds: 5, seconds: 4, connections: 32 });
const START_MS_MAX = 120_000; // the JavaScript engine may have to be compiled
const TICKS_PER_SECOND = Number(run('getconf', ['CLK_TCK']).out);
const PROFILE_BELOW = 0.5;
const BODY = 'Hello from C\n';
const folder = mkdtempSync(path.join(os.tmpdir(), 'mayfly-bench-'));

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

const mayflyServer = (example, body) => (port) => {
  const apps = path.join(folder, example);
  mkdirSync(apps);
  copyFileSync(path.join(buildRoot, 'examples', `${example}.wasm`), path.join(apps, `${example}.wasm`));
  const workers = run(mayfly, ['serve', '--help']).out.includes('--workers') ? ['--workers', '1'] : [];
  const args = ['serve', '--listen', `127.0.0.1:${port}`, ...workers, apps];
  return { command: mayfly, args, path: `/${example}/`, body };
};

function nginxServer(port) {
  const config = path.join(folder, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
  writeFileSync(config, `
daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000000; ${temporary}
  default_type text/plain;
  server { listen 127.0.0.1:${port}; location / { return 200 "${BODY.trim()}\\n"; } }
}
`);
  return { command: 'nginx', args: ['-e', 'stderr', '-c', config], path: '/' };
}

function workerdServer(port) {
  const config = path.join(folder, 'workerd.capnp');
  writeFileSync(config, `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "hello", esModule = embed "hello.js")], compatibilityDate = "2024-09-01"))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]);
`);
  writeFileSync(path.join(folder, 'hello.js'),
    `export default { fetch() { return new Response(${JSON.stringify(BODY)}); } };\n`);
  const command = path.join(root, 'bench/tools/node_modules/@cloudflare/workerd-linux-64/bin/workerd');
  return { command, args: ['serve', config], path: '/' };
}

async function start(name, makeServer) {
  const port = await freePort();
  const server = makeServer(port);
  const child = spawn(server.command, server.args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const log = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => { if (log.length < 100) log.push(chunk.toString()); });
  }
  child.on('error', (error) => fail(`${server.command}: ${error.message}`));
  const url = `http://127.0.0.1:${port}${server.path}`;
  const deadline = Date.now() + START_MS_MAX;
  for (;;) {
    const body = await fetch(url).then((answer) => answer.text(), () => undefined);
    if (body === (server.body ?? BODY)) return { name, child, url };
    if (child.exitCode !== null || Date.now() > deadline) {
      fail(`${name} does not answer ${url} (${body ?? 'no connection'}):\n${log.join('').slice(-2000)}`);
    }
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
}

// The process and all below it.
function family(pid) {
  const children = new Map();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const parent = Number(readFileSync(`/proc/${entry}/stat`, 'utf8').split(') ')[1].split(' ')[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
    } catch { /* it has ended meanwhile */ }
  }
  const found = [pid];
  for (let i = 0; i < found.length; i += 1) found.push(...(children.get(found[i]) ?? []));
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

function load(server, duration) {
  const before = cpuSeconds(server);
  const { out } = run('wrk', ['-t1', `-c${connections}`, `-d${duration}s`, '--latency', server.url]);
  const cpu = cpuSeconds(server) - before;
  if (/Non-2xx|Socket errors/.test(out)) fail(`${server.name}: ${/(Non-2xx|Socket errors).*/.exec(out)[0]}`);
  const requests = Number(/(\d+) requests in/.exec(out)[1]);
  return {
    rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(out)[1]),
    cpu: cpu / requests * 1e6,
    p99: /99%\s+(\S+)/.exec(out)[1],
  };
}

function printProfile(server) {
  const data = path.join(folder, 'perf.data');
  const pids = family(server.child.pid).join(',');
  const load = spawn('wrk', ['-t1', `-c${connections}`, '-d4s', server.url], { stdio: 'ignore' });
  const record = spawnSync('perf', ['record', '-q', '-o', data, '-p', pids, '--', 'sleep', '3']);
  load.kill();
  if (record.status !== 0) {
    console.log('\n(no profile: perf is not here or may not run)');
    return;
  }
  const report = spawnSync('perf', ['report', '-i', data, '--stdio', '--percent-limit', '1', '-F', 'overhead,dso,symbol'],
    { encoding: 'utf8' });
  const lines = report.stdout.split('\n').filter((line) => /^\s+\d/.test(line)).slice(0, 15)
    .map((line) => line.trimEnd());
  console.log(`\ntop costs of mayfly:\n${lines.join('\n')}`);
}

const servers = [];
process.on('exit', () => servers.forEach((server) => server.child.kill()));
const SERVERS = [
  ['mayfly', mayflyServer('hello-c')],
  ['nginx', nginxServer],
  ['workerd', workerdServer],
  ['mayfly component C', mayflyServer('hello-component-c', 'Hello from a component in C\n')],
  ['mayfly component JS', mayflyServer('hello-component-js', 'Hello from a component in JavaScript\n')],
];
for (const [name, make] of SERVERS) {
  servers.push(await start(name, make));
}
const runs = new Map(servers.map((server) => [server.name, []]));
for (const server of servers) load(server, 1);
for (let round = 0; round < rounds; round += 1) {
  for (const server of servers) runs.get(server.name).push(load(server, seconds));
}

printMachine(`mayfly ${firstLine(mayfly, ['--version'])}`, firstLine('nginx', ['-v']),
  firstLine(servers[2].child.spawnfile, ['--version']), firstLine('wrk', ['-v']));
console.log(`wrk -t1 -c${connections} -d${seconds}s, keep-alive, loopback; one nginx worker, one mayfly, `
  + `one workerd; medians of ${rounds} rounds in turn\n`);
const of = (name, key) => median(runs.get(name).map((one) => one[key]));
printTable([['server', 'requests/s', 'CPU µs/request', 'p99'], ...servers.map(({ name }) => [
  name, of(name, 'rate').toFixed(0), of(name, 'cpu').toFixed(1), runs.get(name).at(-1).p99])]);
const ratio = (other, key) => of('mayfly', key) / of(other, key);
if (ratio('nginx', 'rate') < PROFILE_BELOW) printProfile(servers[0]);
console.log(`\nRESULT hello nginx=${ratio('nginx', 'rate').toFixed(2)} workerd=${ratio('workerd', 'rate').toFixed(2)} `
  + `cpu_nginx=${ratio('nginx', 'cpu').toFixed(2)}`);
process.exit(0);
