// Requests per second, and CPU time per request, of hello in C on mayfly (a fresh instance for each
// request) against `return 200` of nginx and a hello in JavaScript on workerd (one isolate reused);
// and of the components in C and JavaScript, each request in a fresh instance as well.
// One nginx worker against one mayfly process against one workerd; wrk with keep-alive on the side.
import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { buildRoot, firstLine, mayfly, median, options, printMachine, printTable } from './lib.mjs';
import { family, folder, load, mayflyServer, nginxServer, start, workerd, workerdServer } from './servers.mjs';

const { rounds, seconds, connections } = options({ rounds: 9, seconds: 2, connections: 32 });
const PROFILE_BELOW = 0.5;
const BODY = 'Hello from C\n';

function printProfile(server) {
  const data = path.join(folder, 'perf.data');
  const pids = family(server.child.pid).join(',');
  const wrk = spawn('wrk', ['-t1', `-c${connections}`, '-d4s', server.url], { stdio: 'ignore' });
  const record = spawnSync('perf', ['record', '-q', '-o', data, '-p', pids, '--', 'sleep', '3']);
  wrk.kill();
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

const example = (name) => mayflyServer(name, path.join(buildRoot, 'examples', `${name}.wasm`));
const servers = [
  await start('mayfly', example('hello-c'), BODY),
  await start('nginx', nginxServer(BODY), BODY),
  await start('workerd', workerdServer('hello', 'modules = [(name = "hello", esModule = embed "hello.js")]',
    { 'hello.js': `export default { fetch() { return new Response(${JSON.stringify(BODY)}); } };\n` }), BODY),
  await start('mayfly component C', example('hello-component-c'), 'Hello from a component in C\n'),
  await start('mayfly component JS', example('hello-component-js'), 'Hello from a component in JavaScript\n'),
];
const runs = new Map(servers.map((server) => [server.name, []]));
for (const server of servers) load(server, { seconds: 1, connections });
for (let round = 0; round < rounds; round += 1) {
  for (const server of servers) runs.get(server.name).push(load(server, { seconds, connections }));
}

printMachine(`mayfly ${firstLine(mayfly, ['--version'])}`, firstLine('nginx', ['-v']),
  firstLine(workerd, ['--version']), firstLine('wrk', ['-v']));
console.log(`wrk -t1 -c${connections} -d${seconds}s, keep-alive, loopback; one nginx worker, one mayfly, `
  + `one workerd; medians of ${rounds} rounds in turn\n`);
const of = (name, key) => median(runs.get(name).map((one) => one[key]));
printTable([['server', 'requests/s', 'CPU µs/request', 'p99'], ...servers.map(({ name }) => [
  name, of(name, 'rate').toFixed(0), of(name, 'cpu').toFixed(1), `${of(name, 'p99Us').toFixed(0)} µs`])]);
const ratio = (other, key) => of('mayfly', key) / of(other, key);
if (ratio('nginx', 'rate') < PROFILE_BELOW) printProfile(servers[0]);
console.log(`\nRESULT hello nginx=${ratio('nginx', 'rate').toFixed(2)} workerd=${ratio('workerd', 'rate').toFixed(2)} `
  + `cpu_nginx=${ratio('nginx', 'cpu').toFixed(2)} p99_nginx=${ratio('nginx', 'p99Us').toFixed(2)}`);
process.exit(0);
