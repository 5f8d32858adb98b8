// Components in JavaScript, each request in a fresh instance: what the fresh instance costs, requests
// per second against workerd (the same source, one isolate reused), memory of many apps on one
// engine, and how soon a second app is live.
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { buildRoot, childrenOf, fail, firstLine, mayfly, median, options, printMachine, printTable, root, run, startServer,
  stopServer } from './lib.mjs';
import { folder, load, mayflyServer, start, workerd, workerdServer } from './servers.mjs';

const { rounds, seconds, connections, apps } = options({ rounds: 5, seconds: 4, connections: 32, apps: 100 });
const program = process.env.BENCH_JS ?? path.join(buildRoot, 'release', 'bench_js');
const ANSWER_MS_MAX = 60_000;
const MARK = 'app-0000';
const GREETING = 'Hello from a component in JavaScript\n';
const BODY = JSON.stringify({ text: 'x'.repeat(1024 - '{"text":""}'.length) });
const maker = path.join(root, 'sdk/js/make-component.mjs');
const sources = { hello: path.join(root, 'examples/hello-component-js/hello-component-js.js'), echo: path.join(root, 'bench/js/echo.js') };

// Made once, kept while all that it is made of is the same.
function component(name, source) {
  const out = path.join(buildRoot, 'bench', `js-${name}.wasm`);
  const kept = `${out}.of`;
  const text = [source, maker, path.join(root, 'tests/tools/package-lock.json')].map((file) => readFileSync(file, 'utf8')).join('\n');
  const before = (() => { try { return readFileSync(kept, 'utf8'); } catch { return undefined; } })();
  if (text !== before) {
    mkdirSync(path.dirname(out), { recursive: true });
    run(process.execPath, ['--no-warnings', maker, source, out],
      { env: { ...process.env, JCO: path.join(root, 'tests/tools') } });
    writeFileSync(kept, text);
  }
  return out;
}

// Apps that differ in what they say, as those of many people do: the text is replaced in the engine's
// heap, which spares a hundred runs of the toolchain.
function variant(wasm, number) {
  const bytes = readFileSync(wasm);
  const name = `app-${String(number).padStart(4, '0')}`;
  let found = 0;
  for (let at = bytes.indexOf(MARK); at >= 0; at = bytes.indexOf(MARK, at + 1)) {
    bytes.write(name, at, 'latin1');
    found += 1;
  }
  if (!found) fail(`${wasm}: ${MARK} is not in it`);
  return { bytes, name };
}

function get(port, target) {
  return new Promise((resolve) => {
    http.get({ port, path: target, agent: false }, async (response) => {
      let text = '';
      for await (const piece of response) text += piece;
      resolve(text);
    }).on('error', () => resolve(''));
  });
}

// ---- a fresh instance ----

function measureFresh(artifacts) {
  const lines = new Map();
  for (let round = 0; round < rounds; round += 1) {
    for (const line of run(program, artifacts).out.trim().split('\n')) {
      const fields = Object.fromEntries(line.split(' ').slice(1).map((pair) => pair.split('=')));
      const values = lines.get(fields.name) ?? {};
      lines.set(fields.name, values);
      for (const [key, value] of Object.entries(fields)) (values[key] ??= []).push(Number(value));
    }
  }
  return lines;
}

function printFresh(lines) {
  const us = (values) => (median(values) / 1000).toFixed(1);
  console.log(`a fresh instance in a warm slot: from the request to the first call of the host, and the reset behind it;`
    + ` medians of ${rounds} rounds; µs\n`);
  printTable([['request', 'fresh p50', 'p99', 'start p50', 'reset p50', 'guest p50', 'p99', 'pages', 'faults'],
    ...[...lines].map(([name, of]) => [name, us(of.sum_p50_ns), us(of.sum_p99_ns), us(of.start_p50_ns), us(of.reset_p50_ns),
      us(of.guest_p50_ns), us(of.guest_p99_ns), String(median(of.pages)), median(of.faults).toFixed(3)])]);
}

// ---- requests per second ----

async function measureRate(wasm) {
  const script = path.join(folder, 'echo.lua');
  writeFileSync(script, `wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = ${JSON.stringify(BODY)}\n`);
  const kinds = [['hello', GREETING, {}, undefined],
    ['echo', BODY, { method: 'POST', body: BODY, headers: { 'content-type': 'application/json' } }, script]];
  const rows = [];
  for (const [name, body, request, wrkScript] of kinds) {
    const servers = [
      await start('mayfly', mayflyServer(name, wasm[name]), body, request),
      await start('workerd', workerdServer(name, 'serviceWorkerScript = embed "app.js"',
        { 'app.js': readFileSync(sources[name], 'utf8') }), body, request),
    ];
    const runs = servers.map(() => []);
    for (const server of servers) load(server, { seconds: 1, connections, script: wrkScript });
    for (let round = 0; round < rounds; round += 1) {
      servers.forEach((server, k) => runs[k].push(load(server, { seconds, connections, script: wrkScript })));
    }
    servers.forEach((server) => server.child.kill());
    const of = (k, key) => median(runs[k].map((one) => one[key]));
    rows.push({ name, mayfly: of(0, 'rate'), workerd: of(1, 'rate'), ratio: of(0, 'rate') / of(1, 'rate'),
      mayflyCpu: of(0, 'cpu'), workerdCpu: of(1, 'cpu') });
  }
  return rows;
}

// ---- memory ----

// Of the worker: private memory, pages of files (a page that is mapped twice counts once), page tables.
function memory(child) {
  const sum = { own: 0, files: 0, tables: 0 };
  for (const pid of childrenOf(child.pid)) {
    const read = (file) => {
      const text = readFileSync(`/proc/${pid}/${file}`, 'utf8');
      return (name) => Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
    };
    const [status, shares] = [read('status'), read('smaps_rollup')];
    sum.own += status('RssAnon') + status('RssShmem');
    sum.files += shares('Pss_File');
    sum.tables += status('VmPTE');
  }
  return sum;
}

async function measureMemory(wasm) {
  const home = path.join(folder, 'apps-many');
  mkdirSync(home);
  for (let k = 0; k < apps; k += 1) {
    const { bytes, name } = variant(wasm, k);
    const file = path.join(folder, 'one.wasm');
    writeFileSync(file, bytes);
    run(mayfly, ['compile', file, '-o', path.join(home, `${name}.mfa`)]);
  }
  const server = await startServer(['--workers', '1', home]);
  const ask = async (k) => {
    const { name } = variant(wasm, k);
    for (let n = 0; n < 3; n += 1) {
      const text = await get(server.port, `/${name}/`);
      if (text !== `${name}\n`) fail(`/${name}/: ${text}`);
    }
  };
  await ask(0);
  const one = memory(server.child);
  for (let k = 1; k < apps; k += 1) await ask(k);
  const all = memory(server.child);
  await stopServer(server);
  rmSync(home, { recursive: true });
  const each = (key) => (all[key] - one[key]) / (apps - 1);
  return { live: each('own'), files: each('files'), tables: each('tables'), firstFiles: one.files };
}

// ---- the second app ----

async function deploy(server, home, name, bytes) {
  writeFileSync(path.join(home, `.${name}`), bytes);
  const begin = performance.now();
  renameSync(path.join(home, `.${name}`), path.join(home, `${name}.wasm`));
  server.child.kill('SIGHUP');
  while (await get(server.port, `/${name}/`) !== `${name}\n`) {
    if (performance.now() - begin > ANSWER_MS_MAX) fail(`${name} does not answer`);
    await new Promise((resolve) => { setTimeout(resolve, 5); });
  }
  return performance.now() - begin;
}

async function measureSecond(first, wasm) {
  const home = path.join(folder, 'apps-second');
  const times = [];
  mkdirSync(home);
  copyFileSync(first, path.join(home, 'first.wasm'));
  // At one level: no compilation in the background takes part.
  const server = await startServer(['--level', 'fast', '--workers', '1', home],
    { env: { XDG_CACHE_HOME: path.join(folder, 'cache') } });
  for (let round = 0; round < rounds; round += 1) {
    const { bytes, name } = variant(wasm, apps + round);
    times.push(await deploy(server, home, name, bytes));
  }
  await stopServer(server);
  return { firstMs: server.startMs, times };
}

writeFileSync(path.join(folder, 'named.js'), `addEventListener('fetch', (event) => event.respondWith(new Response('${MARK}\\n')));\n`);
const wasm = { hello: component('hello', sources.hello), echo: component('echo', sources.echo),
  named: component('named', path.join(folder, 'named.js')) };
const artifacts = ['hello', 'echo'].map((name) => {
  const out = path.join(folder, `${name}.mfa`);
  run(mayfly, ['compile', wasm[name], '-o', out]);
  return out;
});

printMachine(`mayfly ${firstLine(mayfly, ['--version'])}`, firstLine(workerd, ['--version']), firstLine('wrk', ['-v']));
const fresh = measureFresh(artifacts);
printFresh(fresh);

const rates = await measureRate(wasm);
console.log(`\nwrk -t1 -c${connections} -d${seconds}s, keep-alive, loopback; one mayfly, one workerd; medians of ${rounds} rounds in turn\n`);
printTable([['request', 'mayfly requests/s', 'CPU µs', 'workerd requests/s', 'CPU µs', 'ratio'], ...rates.map((row) => [row.name,
  row.mayfly.toFixed(0), row.mayflyCpu.toFixed(1), row.workerd.toFixed(0), row.workerdCpu.toFixed(1), row.ratio.toFixed(2)])]);

const many = await measureMemory(wasm.named);
const kib = (bytes) => (bytes / 1024).toFixed(0);
console.log(`\n${apps} apps on one engine, each with a live instance, in one worker; KiB\n`);
printTable([['memory', 'KiB'], ['private, each', kib(many.live)], ['page tables, each', kib(many.tables)],
  ['pages of files, each', kib(many.files)], ["pages of files of the first, the engine's code with them", kib(many.firstFiles)]]);

const second = await measureSecond(wasm.hello, wasm.named);
console.log(`\nfrom the file of another app to its first answer, when one app of that engine has been deployed; ms\n`);
printTable([['deploy', 'median', 'least', 'most'], ['first app (with the start of the server)', second.firstMs.toFixed(0), '', ''],
  ['further apps', median(second.times).toFixed(0), Math.min(...second.times).toFixed(0), Math.max(...second.times).toFixed(0)]]);

console.log(`\nRESULT js fresh_us=${(median(fresh.get('hello').sum_p50_ns) / 1000).toFixed(1)} `
  + `workerd=${Math.min(...rates.map((row) => row.ratio)).toFixed(2)} live_bytes=${many.live.toFixed(0)} `
  + `second_ms=${median(second.times).toFixed(0)}`);
process.exit(0);
