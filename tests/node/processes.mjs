// Usage: node processes.mjs BUILD FOLDER VIOLATION
//
// BUILD holds mayfly, FOLDER guests/*.wasm, VIOLATION is violation.c as a library. Prints a line for each check and ends with
// `N passed, N failed, N skipped`.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';

const [build, folder, violation] = process.argv.slice(2);
const SLOW = Number(process.env.MAYFLY_SLOW ?? 1);
const CHECK_MS_MAX = 60_000 * SLOW;
const RESTART_MS_MAX = 100 * SLOW;
const APPS = 1000;
const WAITING_MAX = 256; // EDGE_WAITING_MAX
const [SIGNAL_SOCKET, SIGNAL_OPEN, SIGNAL_EXEC, SIGNAL_MOUNT] = [50, 51, 52, 53]; // of violation.c
const started = new Set();

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

async function until(condition, what, limit_ms = 20_000 * SLOW) {
  for (const end = Date.now() + limit_ms; Date.now() < end;) {
    if (await condition()) return;
    await pause(2);
  }
  assert.fail(`never: ${what()}`);
}

function alive(pid) {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const children = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  .filter(Boolean).map(Number);
const commandLine = (pid) => {
  try { return readFileSync(`/proc/${pid}/cmdline`, 'utf8'); } catch { return ''; }
};
const workers = (server) => children(server.child.pid).filter((pid) => commandLine(pid).includes('internal-worker'));
const jobs = (server) => children(server.child.pid).filter((pid) => commandLine(pid).includes('mayfly-compile'));

async function serve(what, options = [], env = {}) {
  const child = spawn(path.join(build, 'mayfly'), ['serve', '--listen', '127.0.0.1:0', ...options, what],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env }, detached: true });
  started.add(child);
  const server = { child, log: '', out: '' };
  child.stderr.on('data', (bytes) => { server.log += bytes; });
  child.stdout.on('data', (bytes) => { server.out += bytes; });
  const dead = once(child, 'exit').then(([code]) => { server.code = code; });
  await until(() => /listening on/.test(server.out) || server.code !== undefined, () => server.log, 60_000 * SLOW);
  assert.equal(server.code, undefined, server.log);
  server.port = Number(/listening on http:\/\/127\.0\.0\.1:(\d+)\n/.exec(server.out)[1]);
  server.dead = dead;
  server.started_workers = workers(server);
  return server;
}

async function stop(server) {
  server.child.kill('SIGTERM');
  await server.dead;
  assert.equal(server.code, 0, server.log);
}

function get(server, target, agent = false) {
  return new Promise((resolve, reject) => {
    const request = http.request({ port: server.port, path: target, agent }, async (response) => {
      try {
        let text = '';
        for await (const piece of response) text += piece;
        resolve({ status: response.statusCode, headers: response.headers, text });
      } catch (error) { reject(error); }
    });
    request.on('error', reject);
    request.end();
  });
}

// Requests without a pause over `connections` clients at a time, until stop() is called, which gives
// what came back. Each request has a connection of its own: none is lost to a keep-alive race.
function load(server, target, connections = 8) {
  const seen = { ok: 0, failed: [], texts: new Set(), statuses: new Map() };
  let going = true;
  const clients = Array.from({ length: connections }, async () => {
    while (going) {
      try {
        const { status, text } = await get(server, target);
        seen.statuses.set(status, (seen.statuses.get(status) ?? 0) + 1);
        seen.texts.add(text);
        if (status === 200) seen.ok += 1;
        else seen.failed.push(`${status} ${text}`);
      } catch (error) {
        seen.failed.push(error.message);
        await pause(1);
      }
    }
  });
  return async () => { going = false; await Promise.all(clients); return seen; };
}

function appFolder(apps) {
  const apps_folder = mkdtempSync(path.join(folder, 'apps-'));
  for (const [name, guest] of Object.entries(apps)) put(apps_folder, name, guest);
  return apps_folder;
}

// As a deploy does it: beside, then renamed into place.
function put(apps_folder, name, guest) {
  copyFileSync(path.join(folder, 'guests', `${guest}.wasm`), path.join(apps_folder, `.${name}`));
  renameSync(path.join(apps_folder, `.${name}`), path.join(apps_folder, `${name}.wasm`));
}

// What the workers have counted, of all apps.
async function counters(server) {
  const lines = () => [...server.log.matchAll(/^mayfly: usage all (.*)\n/gm)];
  const before = lines().length;
  server.child.kill('SIGUSR1');
  await until(() => lines().length > before, () => server.log);
  return Object.fromEntries(lines().at(-1)[1].split(' ').map((field) => field.split('='))
    .map(([name, value]) => [name, Number(value)]));
}

// The supervisor's own count of the requests that its workers took with them.
const lost = (server) => [...server.log.matchAll(/was ended by signal 9 \(Killed\), with (\d+) requests; started again/g)]
  .reduce((all, [, count]) => all + Number(count), 0);

const settled = (server) => until(() => jobs(server).length === 0, () => 'jobs end');

const tests = {
  async 'workers are confined'() {
    const server = await serve(appFolder({ a: 'one' }), ['--workers', '3']);
    const pids = workers(server);
    assert.equal(pids.length, 3);
    for (const pid of pids) {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      assert.match(status, /^NoNewPrivs:\s*1$/m);
      assert.match(status, /^Seccomp:\s*2$/m);
      assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max core file size\s+0\s+0/m);
    }
    await stop(server);
    for (const pid of pids) assert.ok(!alive(pid));
  },

  async 'kill -9 of a worker loses its requests only, and it is back at once'() {
    const server = await serve(appFolder({ a: 'one' }), ['--workers', '2']);
    await get(server, '/a/');
    await settled(server);
    const connections = 8;
    const done = load(server, '/a/work', connections);
    await pause(300);
    const kills = 3;
    for (let i = 0; i < kills; i++) {
      const before = workers(server);
      process.kill(before[0], 'SIGKILL');
      const start = Date.now();
      await until(() => workers(server).filter((pid) => !before.includes(pid)).length === 1, () => server.log);
      const took = Date.now() - start;
      assert.ok(took < RESTART_MS_MAX, `${took} ms`);
      await pause(1100 * SLOW); // a second death within a second is punished
    }
    const seen = await done();
    assert.ok(seen.ok > 100, `${seen.ok} answers`);
    // What was connected to the worker at that moment, at most.
    assert.ok(seen.failed.length <= kills * connections, seen.failed.join('\n'));
    for (const text of seen.failed) assert.match(text, /socket hang up|ECONNRESET|EPIPE/);
    const counted = await counters(server);
    assert.equal(counted.lost, lost(server), 'those that ran are counted');
    assert.ok(counted.lost <= seen.failed.length, `${counted.lost} lost, ${seen.failed.length} failed`);
    assert.equal(counted.running, 0);
    // No count went with the worker that made it.
    assert.ok(counted.ok >= seen.ok && counted.ok <= seen.ok + seen.failed.length + 1, `${counted.ok} of ${seen.ok}`);
    assert.match(server.log, /worker \d \(pid \d+\) was ended by signal 9 \(Killed\), with \d+ requests; started again/);
    await stop(server);
  },

  async 'kill -9 of the only worker: who comes then waits for the next one, less than 100 ms'() {
    const server = await serve(appFolder({ a: 'one' }), ['--workers', '1']);
    await get(server, '/a/');
    await settled(server);
    const times = [];
    for (let i = 0; i < 5; i++) {
      process.kill(workers(server)[0], 'SIGKILL');
      const start = performance.now();
      assert.equal((await get(server, '/a/')).status, 200);
      times.push(performance.now() - start);
      await pause(1100 * SLOW);
    }
    const text = times.map((ms) => ms.toFixed(1)).join(', ');
    console.log(`      back after ${text} ms`);
    // The best one shows what it takes, the worst that nothing waits for a timer.
    assert.ok(Math.min(...times) < RESTART_MS_MAX && Math.max(...times) < 10 * RESTART_MS_MAX, text);
    await stop(server);
  },

  async 'a forbidden system call ends the worker, and the log says which it was'() {
    const server = await serve(appFolder({ a: 'one' }), ['--workers', '1'],
      { LD_PRELOAD: violation, ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0` });
    await get(server, '/a/');
    await settled(server);
    for (const [signal, call] of [[SIGNAL_SOCKET, 'socket'], [SIGNAL_EXEC, 'execve'], [SIGNAL_MOUNT, 'mount']]) {
      await pause(1100 * SLOW);
      const [pid] = workers(server);
      process.kill(pid, signal);
      await until(() => workers(server).some((other) => other !== pid), () => server.log);
      assert.equal((await get(server, '/a/')).status, 200);
      const said = `worker 0 (pid ${pid}) made the system call ${call}, which is forbidden to it, and ends`;
      await until(() => server.log.includes(said), () => server.log);
      assert.match(server.log, new RegExp(`worker 0 \\(pid ${pid}\\) ended with exit code 159, with 0 requests; started again`));
    }
    if (SLOW === 1) { // files are only refused, for libraries try them; sanitizers open theirs
      const [pid] = workers(server);
      process.kill(pid, SIGNAL_OPEN);
      await pause(100);
      assert.equal((await get(server, '/a/')).status, 200);
      assert.deepEqual(workers(server), [pid]);
    }
    await stop(server);
  },

  async 'a worker that dies again and again is started later'() {
    const server = await serve(appFolder({ a: 'one' }), ['--workers', '1']);
    for (let i = 0; i < 3; i++) {
      const [pid] = workers(server);
      process.kill(pid, 'SIGKILL');
      await until(() => workers(server).some((other) => other !== pid), () => server.log);
    }
    assert.match(server.log, /to be started again in 50 ms/);
    assert.match(server.log, /to be started again in 100 ms/);
    assert.equal((await get(server, '/a/')).status, 200);
    await stop(server);
  },

  async 'kill -9 of the supervisor: workers serve what is loaded, until SIGTERM'() {
    const server = await serve(appFolder({ a: 'one', b: 'two' }), ['--workers', '1']);
    assert.equal((await get(server, '/a/')).text, 'version 1\n');
    await settled(server);
    await until(async () => (await get(server, '/a/')).status === 200, () => 'a');
    const [pid] = workers(server);
    const done = load(server, '/a/', 4);
    await pause(100);
    server.child.kill('SIGKILL');
    await server.dead;
    await pause(300);
    const seen = await done();
    assert.deepEqual(seen.failed.slice(0, 5), []);
    assert.ok(alive(pid));
    assert.equal((await get(server, '/a/')).text, 'version 1\n');
    assert.equal((await get(server, '/b/')).status, 503); // was never asked for
    const last = get(server, '/a/sleep');
    await pause(100);
    process.kill(pid, 'SIGTERM');
    assert.equal((await last).status, 200);
    await until(() => !alive(pid), () => 'the worker ends');
  },

  async 'SIGHUP: new, changed and removed apps, without a failed request'() {
    const apps = appFolder({ a: 'one', gone: 'one' });
    const server = await serve(apps);
    assert.equal((await get(server, '/b/')).status, 404);
    const done = load(server, '/a/');
    await pause(200);
    put(apps, 'a', 'two');
    put(apps, 'b', 'one');
    put(apps, 'bad', 'broken');
    rmSync(path.join(apps, 'gone.wasm'));
    server.child.kill('SIGHUP');
    await until(async () => (await get(server, '/a/')).text === 'version 2\n', () => server.log);
    await until(async () => (await get(server, '/b/')).text === 'version 1\n', () => server.log);
    await until(async () => (await get(server, '/gone/')).status === 404, () => server.log);
    assert.equal((await get(server, '/bad/')).status, 404);
    await until(() => /bad\.wasm: offset 0x/.test(server.log), () => server.log);
    put(apps, 'a', 'broken'); // what is live stays
    server.child.kill('SIGHUP');
    await until(() => /a\.wasm: offset 0x/.test(server.log), () => server.log);
    await settled(server);
    await pause(100);
    assert.equal((await get(server, '/a/')).text, 'version 2\n');
    const seen = await done();
    assert.deepEqual(seen.failed.slice(0, 5), []);
    assert.deepEqual([...seen.texts].sort(), ['version 1\n', 'version 2\n']);
    await stop(server);
  },

  async 'SIGUSR1: what each app has used; who gets the number of one that went begins at 0'() {
    const apps = appFolder({ a: 'one', b: 'one' });
    const server = await serve(apps, ['--workers', '2']);
    const usage = async () => {
      await counters(server);
      const lines = server.log.split('\n').filter((line) => line.startsWith('mayfly: usage '));
      const last = lines.slice(lines.slice(0, -1).findLastIndex((line) => line.startsWith('mayfly: usage all')) + 1);
      return Object.fromEntries(last.map((line) => line.split(' ')).map(([, , who, ok]) => [who, ok]));
    };
    assert.deepEqual(await usage(), { none: 'ok=0', all: 'ok=0' });
    for (const pid of workers(server)) process.kill(pid, 'SIGUSR1'); // as with a whole group: they stay
    for (let i = 0; i < 10; i++) await get(server, '/b/');
    await get(server, '/a/');
    await get(server, '/nobody/');
    assert.deepEqual(await usage(), { 'app=a': 'ok=1', 'app=b': 'ok=10', none: 'ok=0', all: 'ok=11' });
    rmSync(path.join(apps, 'b.wasm'));
    server.child.kill('SIGHUP');
    await until(async () => (await get(server, '/b/')).status === 404, () => server.log);
    put(apps, 'c', 'one');
    server.child.kill('SIGHUP');
    await until(async () => (await get(server, '/c/')).status === 200, () => server.log);
    const after = await usage();
    assert.equal(after['app=b'], undefined);
    assert.equal(after['app=c'], 'ok=1');
    assert.deepEqual(workers(server), server.started_workers);
    await stop(server);
  },

  async 'from the fast level to optimised code, without a failed request'() {
    const cache = mkdtempSync(path.join(folder, 'cache-'));
    const apps = appFolder({ heavy: 'heavy' });
    const server = await serve(apps, [], { XDG_CACHE_HOME: cache });
    const done = load(server, '/heavy/');
    const files = () => readdirSync(path.join(cache, 'mayfly')).filter((name) => name.endsWith('.mfa'));
    assert.equal(jobs(server).length, 1, 'the job in the background');
    const [fast] = files();
    await settled(server);
    await until(() => files().length === 1 && files()[0] !== fast, () => files().join());
    await pause(200);
    const seen = await done();
    assert.deepEqual(seen.failed.slice(0, 5), []);
    assert.ok(seen.ok > 20);
    await stop(server);
    const again = await serve(apps, [], { XDG_CACHE_HOME: cache });
    assert.equal(jobs(again).length, 0, 'the optimised artifact is cached');
    assert.doesNotMatch(again.log, /compiled/);
    await stop(again);
  },

  async 'kill -9 of a job: the fast code stays, the cache is whole'() {
    const cache = mkdtempSync(path.join(folder, 'cache-'));
    const server = await serve(appFolder({ heavy: 'heavy' }), [], { XDG_CACHE_HOME: cache });
    const [job] = jobs(server);
    const inner = children(job);
    process.kill(job, 'SIGKILL');
    await until(() => /heavy\.wasm is not optimised and stays as it is: .*signal 9/.test(server.log),
      () => server.log);
    await until(() => !inner.some(alive), () => 'its child ends as well');
    assert.equal((await get(server, '/heavy/')).text, 'heavy\n');
    const artifacts = readdirSync(path.join(cache, 'mayfly')).filter((name) => name !== 'functions');
    assert.equal(artifacts.length, 1, 'nothing half-written');
    await stop(server);
  },

  async 'killed at any moment, a job leaves a whole artifact or none'() {
    const out = path.join(mkdtempSync(path.join(folder, 'out-')), 'x.mfa');
    for (let delay = 5; delay < 400; delay += 40) {
      const child = spawn(path.join(build, 'mayfly-compile'),
        ['--level', 'fast', path.join(folder, 'guests', 'one.wasm'), '-o', out]);
      await pause(delay);
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      if (!existsSync(out)) continue;
      const inspect = spawn(path.join(build, 'mayfly'), ['inspect', out]);
      assert.equal((await once(inspect, 'exit'))[0], 0);
    }
    assert.ok(readdirSync(path.dirname(out)).every((name) => name === 'x.mfa'));
  },

  async 'nobody reads the log: requests are answered, and lines that were lost are counted'() {
    const server = await serve(appFolder({ a: 'one' }), ['--access-log', '--workers', '1']);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
    server.child.stderr.pause();
    for (let round = 0; round < 50; round++) {
      const answers = await Promise.all(Array.from({ length: 100 }, () => get(server, '/a/', agent)));
      for (const { status } of answers) assert.equal(status, 200);
    }
    server.child.stderr.resume();
    await until(() => server.log.endsWith('\n'), () => server.log.slice(-200));
    await get(server, '/a/', agent);
    await until(() => / warning lines_lost=\d+\n/.test(server.log), () => server.log.slice(-500));
    for (const line of server.log.trim().split('\n')) assert.match(line, /^20\S+Z \w+ /);
    agent.destroy();
    await stop(server);
  },

  async 'SIGTERM: requests end, connections are refused'() {
    const server = await serve(appFolder({ a: 'one' }));
    await get(server, '/a/');
    const last = Array.from({ length: 4 }, () => get(server, '/a/sleep'));
    await pause(150);
    server.child.kill('SIGTERM');
    await pause(100);
    await assert.rejects(get(server, '/a/'));
    for (const answer of last) assert.equal((await answer).status, 200);
    await server.dead;
    assert.equal(server.code, 0);
  },

  async 'while an app is loaded, so many requests wait for it; then they are refused at once'() {
    const server = await serve(appFolder({ a: 'one', b: 'two' }), ['--workers', '1']);
    assert.equal((await get(server, '/a/')).status, 200);
    await settled(server);
    process.kill(server.child.pid, 'SIGSTOP'); // nobody brings the artifact
    const waiting = Array.from({ length: WAITING_MAX }, () => get(server, '/b/'));
    await pause(500 * SLOW);
    const start = performance.now();
    const { status, text, headers } = await get(server, '/b/');
    const took = performance.now() - start;
    assert.equal(status, 503);
    assert.equal(headers['retry-after'], '1');
    assert.match(text, /overloaded/);
    assert.ok(took < 100 * SLOW, `${took} ms`);
    assert.equal((await get(server, '/a/')).status, 200, 'the others are served');
    process.kill(server.child.pid, 'SIGCONT');
    for (const answer of await Promise.all(waiting)) assert.equal(answer.text, 'version 2\n');
    const counted = await counters(server);
    assert.equal(counted.overloaded, 1);
    await stop(server);
  },

  async 'SIGTERM under load: what was accepted is answered'() {
    const server = await serve(appFolder({ a: 'one' }));
    await get(server, '/a/');
    await settled(server);
    const done = load(server, '/a/work');
    await pause(300);
    server.child.kill('SIGTERM');
    await server.dead;
    assert.equal(server.code, 0);
    const seen = await done();
    assert.ok(seen.ok > 50, `${seen.ok} answers`);
    for (const text of seen.failed) assert.match(text, /^connect ECONNREFUSED /);
  },

  async 'kill -9 of a job under load: no request fails, and the next scan compiles'() {
    const apps = appFolder({ a: 'one' });
    const server = await serve(apps, ['--level', 'optimised']);
    const done = load(server, '/a/');
    put(apps, 'heavy', 'heavy');
    server.child.kill('SIGHUP');
    await until(() => jobs(server).length === 1, () => server.log);
    process.kill(jobs(server)[0], 'SIGKILL');
    await until(() => /mayfly-compile was ended by signal 9/.test(server.log), () => server.log);
    assert.equal((await get(server, '/heavy/')).status, 404);
    put(apps, 'heavy', 'heavy');
    server.child.kill('SIGHUP');
    await until(async () => (await get(server, '/heavy/')).status === 200, () => server.log, 60_000 * SLOW);
    const seen = await done();
    assert.deepEqual(seen.failed.slice(0, 5), []);
    await stop(server);
  },

  async [`${APPS} apps`]() {
    const apps = mkdtempSync(path.join(folder, 'many-'));
    const artifact = path.join(folder, 'one.mfa');
    const compile = spawn(path.join(build, 'mayfly'),
      ['compile', path.join(folder, 'guests', 'one.wasm'), '-o', artifact]);
    assert.equal((await once(compile, 'exit'))[0], 0);
    for (let i = 0; i < APPS; i++) copyFileSync(artifact, path.join(apps, `app-${i}.mfa`));
    const start = Date.now();
    const server = await serve(apps);
    const took = Date.now() - start;
    assert.ok(took < 5000 * SLOW, `${took} ms to start`);
    await until(() => server.out.trim().split('\n').length === APPS + 1, () => 'a line for each');
    const names = Array.from({ length: 200 }, (_, i) => `app-${i * 5}`);
    const answers = await Promise.all(names.map((name) => get(server, `/${name}/`)));
    for (const { status } of answers) assert.equal(status, 200);
    await stop(server);
  },
};

let passed = 0;
let failed = 0;
for (const [name, run] of Object.entries(tests)) {
  const late = new Promise((resolve, reject) => {
    setTimeout(reject, CHECK_MS_MAX, new Error('no end')).unref();
  });
  try {
    await Promise.race([run(), late]);
    passed++;
    console.log(`ok    ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAIL  ${name}\n${error.stack}`);
  }
  for (const child of started) {
    try { process.kill(-child.pid, 'SIGKILL'); } catch { /* the whole group has ended */ }
  }
  started.clear();
}
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exit(failed ? 1 : 0);
