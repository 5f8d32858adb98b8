// Usage: node leaks.mjs MAYFLY LEAK_LOAD FOLDER
//
// Puts LEAK_LOAD's mixture to a node, first as a warm-up and then for long, and compares what each of
// its processes holds. Ends with `N passed, N failed, N skipped`.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const [mayfly, load, folder] = process.argv.slice(2);
const SLOW = Number(process.env.MAYFLY_SLOW ?? 1);
const LONG = process.env.SECURITY_LONG === '1';
const REQUESTS = LONG ? 1_000_000 : 20_000;
// Instances that are kept have all the buffers that they ever needed, and which of them a request
// gets is chance: it takes long until each of them has met every kind of request.
const WARM_UP = LONG ? REQUESTS : 20_000;
const KEPT_KIB_MAX = 64 * 512 * SLOW;
const CONNECTIONS = 64;
const GROWN_KIB_MAX = LONG ? 4096 : KEPT_KIB_MAX; // of a process
const MAPS_GROWN_MAX = LONG ? 100 : 600; // eight are an instance's
const LOAD_MS_MAX = 900_000;

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
async function until(condition, what) {
  for (const end = Date.now() + 10_000 * SLOW; Date.now() < end;) {
    const found = await condition();
    if (found) return found;
    await pause(20);
  }
  return assert.fail(`never: ${what().slice(-2000)}`);
}

const log_path = path.join(folder, 'log');
const log_fd = openSync(log_path, 'a');
const log = () => readFileSync(log_path, 'utf8');
const child = spawn(mayfly, ['serve', '--listen', '127.0.0.1:0', '--workers', '2', '--request-body', '64',
  '--response-body', '256', '--guest-log', '4', '--memory', '4', '--stack', '64', '--cpu-limit', String(20 * SLOW),
  '--timeout', String(3 * SLOW), '--level', 'optimised', path.join(folder, 'limited.wasm')],
{ stdio: ['ignore', 'pipe', log_fd] });
let out = '';
child.stdout.on('data', (bytes) => { out += bytes; });
await until(() => /listening on/.test(out) || child.exitCode !== null, log);
const port = /listening on http:\/\/127\.0\.0\.1:(\d+)\n/.exec(out)[1];
const workers = () => readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ').map(Number);

// ---- what processes hold ----

function holds(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kib = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)[1]);
  const fds = readdirSync(`/proc/${pid}/fd`).length;
  const maps = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n').length - 1;
  // Slots are reserved by the gigabyte: address space counts them.
  return { fds, maps, anonymous_kib: kib('RssAnon'), reserved_gib: Math.round(kib('VmSize') / 2 ** 20) };
}

async function counters() {
  truncateSync(log_path); // what was logged is not looked at
  child.kill('SIGUSR1');
  const text = await until(() => /^mayfly: usage all .*\n/m.test(log()) && log(), log);
  const found = {};
  for (const [, who, fields] of text.matchAll(/^mayfly: usage (app|none|all)\S* (.*)$/gm))
    found[who] = Object.fromEntries(fields.split(' ').map((field) => field.split('=')).map(([k, v]) => [k, Number(v)]));
  return found;
}

// The same twice in a row: connections that the clients have left are closed by then.
async function settled() {
  const all = () => [child.pid, ...workers()].map((pid) => ({ pid, ...holds(pid) }));
  let before = '';
  let now = all();
  while (JSON.stringify(now) !== before) {
    before = JSON.stringify(now);
    await pause(500 * SLOW);
    now = all();
  }
  return now;
}

async function put(requests, seed) {
  const start = Date.now();
  const { stdout } = await promisify(execFile)(load, [port, requests, CONNECTIONS, seed].map(String),
    { timeout: LOAD_MS_MAX * SLOW });
  const sent = Object.fromEntries(stdout.trim().split('\n').map((line) => {
    const [name, count] = line.split(' ');
    return [name, Number(count)];
  }));
  return { sent, seconds: (Date.now() - start) / 1000 };
}

// ---- the check ----

const sum = (sent, pattern) => Object.entries(sent).reduce((all, [name, count]) => all + (pattern.test(name) ? count : 0), 0);

function between(value, least, most, what) {
  assert.ok(value >= least && value <= most, `${what}: ${value}, not ${least} to ${most}`);
}

// Each request is counted once. Of clients that leave, none can say how its request ended.
function compare(sent, before, after) {
  const change = (outcome, who = 'app') => after[who][outcome] - (before[who]?.[outcome] ?? 0);
  for (const [outcome, pattern] of [['trap', /^trap/], ['memory-limit', /^memory/],
    ['bad-response', /^bad-response/], ['denied', /^denied(-chunks)?$/]])
    assert.equal(change(outcome), sum(sent, pattern), outcome);
  const left = sum(sent, /^left-/);
  between(change('ok'), sum(sent, /^ok/), sum(sent, /^ok/) + left, 'ok');
  // Where others want the processor too, a guest may run out of time before it has had its CPU time.
  const limited = sum(sent, /^(cpu|wall)-limit$/);
  between(change('cpu-limit') + change('wall-limit'), limited, limited + sent['left-computing'], 'cpu-limit and wall-limit');
  between(change('wall-limit'), sent['wall-limit'], limited, 'wall-limit');
  between(change('canceled'), 1, left, 'canceled');
  between(change('denied', 'none'), sent['denied-head'], sent['denied-head'] + sent['left-in-head'], 'denied to nobody');
  for (const never of ['overloaded', 'lost']) assert.equal(change(never), 0, never);
  assert.equal(after.app.running, 0, 'requests that run');
}

let failed = 0;
try {
  await put(WARM_UP, 1);
  const before = await settled();
  const counted_before = await counters();
  const { sent, seconds } = await put(REQUESTS, 2);
  const after = await settled();
  const counted = await counters();
  for (const [i, now] of after.entries()) {
    const then = before[i];
    console.log(`process ${i}: descriptors ${then.fds} then ${now.fds}, mappings ${then.maps} then ${now.maps}, `
      + `reserved ${then.reserved_gib} then ${now.reserved_gib} GiB, anonymous ${then.anonymous_kib} then ${now.anonymous_kib} KiB`);
  }
  console.log(`${REQUESTS} requests in ${seconds} s: ${JSON.stringify(sent)}`);
  console.log(JSON.stringify(counted.app));
  for (const [i, now] of after.entries()) {
    const then = before[i];
    assert.equal(now.pid, then.pid, 'nobody has died');
    assert.equal(now.fds, then.fds, 'descriptors');
    between(now.anonymous_kib, 0, Math.min(then.anonymous_kib + GROWN_KIB_MAX, KEPT_KIB_MAX), 'anonymous memory');
    between(now.maps, 0, then.maps + MAPS_GROWN_MAX, 'mappings');
  }
  compare(sent, counted_before, counted);
} catch (error) {
  failed++;
  const id = /request ([0-9a-f]{16})/.exec(error.message)?.[1];
  const lines = log().split('\n').filter((line) => !id || line.includes(id));
  console.log(`FAIL\n${error.stack}\n${lines.slice(-10).map((line) => line.slice(0, 400)).join('\n')}`);
}
child.kill('SIGTERM');
const [code] = await once(child, 'exit');
if (code !== 0) {
  failed++;
  console.log(`FAIL: it ended with ${code}`);
}
console.log(`${2 - failed} passed, ${failed} failed, 0 skipped`);
process.exit(failed ? 1 : 0);
