// Requests per second, and CPU time per request, of a reverse proxy as a component in C (a fresh
// instance for each request) against nginx's proxy_pass, to the same origin: nginx's `return 200`.
// Of each one worker process; connections to the origin are kept.
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { firstLine, mayfly, median, options, printMachine, printTable, root, run } from './lib.mjs';
import { folder, load, mayflyServer, nginxServer, start } from './servers.mjs';

const { rounds, seconds, connections } = options({ rounds: 5, seconds: 4, connections: 32 });
const BODY = 'Hello from the origin\n';

// A component for the origin at `authority`, whose name is compiled in.
function buildGuest(authority) {
  const target = existsSync('/usr/include/wasm32-wasi') ? 'wasm32-wasi' : 'wasm32-wasip1';
  const core = path.join(folder, 'proxy-core.wasm');
  const component = path.join(folder, 'proxy.wasm');
  run('clang-19', [`--target=${target}`, '-O2', '-mexec-model=reactor', `-I${root}/sdk/c`, `-DORIGIN="${authority}"`,
    path.join(root, 'bench/proxy_guest.c'), '-o', core]);
  run(process.execPath, ['--no-warnings', path.join(root, 'sdk/c/make-component.mjs'), core, component],
    { env: { ...process.env, JCO: path.join(root, 'tests/tools') } });
  return component;
}

const nginxProxy = (authority) => (port) => {
  const config = path.join(folder, 'nginx-proxy.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/proxy-${name};`).join(' ');
  writeFileSync(config, `
daemon off; worker_processes 1; pid ${folder}/nginx-proxy.pid; error_log stderr;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000000; ${temporary}
  upstream origin { server ${authority}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`);
  return { command: 'nginx', args: ['-e', 'stderr', '-c', config], path: '/' };
};

const origin = await start('origin', nginxServer(BODY), BODY);
const authority = new URL(origin.url).host;
const servers = [
  await start('mayfly', mayflyServer('proxy', buildGuest(authority), ['--allow', authority]), BODY),
  await start('nginx', nginxProxy(authority), BODY),
];
const runs = new Map(servers.map((server) => [server.name, []]));
for (const server of servers) load(server, { seconds: 1, connections });
for (let round = 0; round < rounds; round += 1) {
  for (const server of servers) runs.get(server.name).push(load(server, { seconds, connections }));
}

printMachine(`mayfly ${firstLine(mayfly, ['--version'])}`, firstLine('nginx', ['-v']), firstLine('wrk', ['-v']),
  firstLine('curl-config', ['--version']));
console.log(`wrk -t1 -c${connections} -d${seconds}s, keep-alive, loopback; one mayfly and one nginx in turn before one `
  + `nginx as origin; medians of ${rounds} rounds\n`);
const of = (name, key) => median(runs.get(name).map((one) => one[key]));
printTable([['proxy', 'requests/s', 'CPU µs/request', 'p99'], ...servers.map(({ name }) => [
  name, of(name, 'rate').toFixed(0), of(name, 'cpu').toFixed(1), `${of(name, 'p99Us').toFixed(0)} µs`])]);
console.log(`\nRESULT proxy nginx=${(of('mayfly', 'rate') / of('nginx', 'rate')).toFixed(2)} `
  + `cpu_nginx=${(of('mayfly', 'cpu') / of('nginx', 'cpu')).toFixed(2)}`);

process.exit(0);
