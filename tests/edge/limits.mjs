// Usage: node limits.mjs MAYFLY GUEST.wasm
//
// Every limit of a request, at N and at N + 1: status and outcome in the answer, the line in the log
// and the counters. Prints a line for each and ends with `N passed, N failed, N skipped`.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';

const [mayfly, guest] = process.argv.slice(2);
const SLOW = Number(process.env.MAYFLY_SLOW ?? 1); // sanitizer builds are several times slower
const APP = 'limited';
const CHECK_MS_MAX = 60_000 * SLOW;

const KIB = 1024;
const BODY_KIB = 64;
const ANSWER_KIB = 256; // more than the server holds back
const LOG_KIB = 4;
const MEMORY_MIB = 4;
const STACK_KIB = 64;
const CPU_MS = 50 * SLOW;
const INSTANCES = 3;
const CGI_HEAD_BYTES = 32768;
const CGI_FIELDS = 200;
const HEAD_BYTES = 16384;
const TARGET_BYTES = 8192;
const FIELDS = 100;

const options = ['--request-body', BODY_KIB, '--response-body', ANSWER_KIB, '--guest-log', LOG_KIB,
  '--memory', MEMORY_MIB, '--stack', STACK_KIB, '--cpu-limit', CPU_MS, '--timeout', 1,
  '--instances', INSTANCES, '--access-log', '--level', 'optimised'].map(String);

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

async function until(condition, what) {
  for (const end = Date.now() + 10_000 * SLOW; Date.now() < end;) {
    const found = condition();
    if (found) return found;
    await pause(5);
  }
  return assert.fail(`never: ${what().slice(-2000)}`);
}

const child = spawn(mayfly, ['serve', '--listen', '127.0.0.1:0', ...options, guest],
  { stdio: ['ignore', 'pipe', 'pipe'] });
const ended = once(child, 'exit');
let log = '';
let out = '';
child.stderr.on('data', (bytes) => { log += bytes; });
child.stdout.on('data', (bytes) => { out += bytes; });
await until(() => /listening on/.test(out) || child.exitCode !== null, () => log);
const port = Number(/listening on http:\/\/127\.0\.0\.1:(\d+)\n/.exec(out)[1]);

// ---- requests ----

function send(path, { method = 'GET', headers = {}, body, wait_continue = false } = {}) {
  return new Promise((resolve, reject) => {
    const answer = { continued: false, cut: false, text: '' };
    const request = http.request({ port, path, method, headers, agent: false }, async (response) => {
      answer.status = response.statusCode;
      answer.headers = response.headers;
      try {
        for await (const piece of response) answer.text += piece;
      } catch {
        answer.cut = true;
      }
      request.destroy();
      resolve(answer);
    });
    request.on('continue', () => { answer.continued = true; request.end(body); });
    request.on('error', (error) => { if (answer.status === undefined) reject(error); });
    if (!wait_continue) request.end(body);
    else request.flushHeaders();
  });
}

const bytes = (count) => Buffer.alloc(count, 'b');
const post = (count) => send('/body', { method: 'POST', body: bytes(count) });
const post_chunks = (count) => new Promise((resolve, reject) => {
  const request = http.request({ port, path: '/body', method: 'POST', agent: false }, async (response) => {
    let text = '';
    for await (const piece of response) text += piece;
    resolve({ status: response.statusCode, text });
    request.destroy();
  });
  request.on('error', reject);
  for (let left = count; left > 0; left -= 1000) request.write(bytes(Math.min(left, 1000)));
  request.end();
});
const post_expecting = async (count) => {
  const answer = await send('/body', { method: 'POST', body: bytes(count), wait_continue: true,
    headers: { Expect: '100-continue', 'Content-Length': count } });
  assert.equal(answer.continued, answer.status === 200, '100 is sent where the body is wanted');
  return answer;
};
// The whole head of a request counts: its line, its fields, the blank line.
function sized(count) {
  const head = { Host: 'a', Connection: 'close', X: '' };
  const fixed = `GET /sleep?0 HTTP/1.1\r\n${Object.entries(head).map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n`;
  head.X = 'x'.repeat(count - fixed.length);
  return send('/sleep?0', { headers: head });
}
const many_fields = (count) => send('/sleep?0', { headers: Object.fromEntries([['Host', 'a'], ['Connection', 'close'],
  ...Array.from({ length: count - 2 }, (_, i) => [`X${i}`, 'y'])]) });
const long_target = (count) => send(`/sleep?0${'&'.repeat(count - '/sleep?0'.length)}`);
const at_once = async (count) => {
  const others = Array.from({ length: count - 1 }, () => send('/sleep?400'));
  await pause(200);
  const last = await send('/sleep?0');
  for (const answer of await Promise.all(others)) assert.equal(answer.status, 200);
  return last;
};
// A client that leaves before the answer: one that only closes its side is given a second.
const leave = () => new Promise((resolve) => {
  const request = http.request({ port, path: '/sleep?900', agent: false });
  request.on('error', () => {});
  request.end();
  setTimeout(() => { request.socket.resetAndDestroy(); resolve({}); }, 100);
});

async function deepest() {
  let good = 1;
  let bad = 1 << 20;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if ((await send(`/recurse?${middle}`)).status === 200) good = middle;
    else bad = middle;
  }
  return good;
}

// ---- what is counted ----

let printed = 0;
async function counters() {
  child.kill('SIGUSR1');
  printed += 1;
  await until(() => log.split('mayfly: usage all').length > printed && log.endsWith('\n'), () => log);
  const found = {};
  for (const line of log.split('\n')) {
    const of = /^mayfly: usage (app=\S+|none|all) (.*)$/.exec(line);
    if (of) found[of[1]] = Object.fromEntries(of[2].split(' ').map((field) => {
      const [name, value] = field.split('=');
      return [name, Number(value)];
    }));
  }
  return found;
}
const OUTCOMES = ['ok', 'trap', 'cpu-limit', 'wall-limit', 'memory-limit', 'overloaded', 'canceled',
  'bad-response', 'denied'];

// Every count but those in `expected` stays. Where no app answers, "none" counts.
function changes(before, after, who, expected, what) {
  for (const outcome of OUTCOMES) {
    const change = (after[who]?.[outcome] ?? 0) - (before[who]?.[outcome] ?? 0);
    assert.equal(change, expected[outcome] ?? 0, `${what}: ${outcome} of ${who}`);
  }
}

// ---- the table ----

const app = `app=${APP}`;
const rows = [
  { name: 'request body, by length', n: BODY_KIB * KIB, send: post, outcome: 'denied', status: 413 },
  { name: 'request body, in chunks', n: BODY_KIB * KIB, send: post_chunks, outcome: 'denied', status: 413 },
  { name: 'request body, expecting 100', n: BODY_KIB * KIB, send: post_expecting, outcome: 'denied', status: 413 },
  { name: 'response body', n: ANSWER_KIB * KIB, send: (n) => send(`/answer?${n}`), outcome: 'bad-response', cut: true },
  { name: 'response body, by length', n: ANSWER_KIB * KIB, send: (n) => send(`/answer-length?${n}`),
    outcome: 'bad-response', status: 502 },
  { name: 'response body, behind what has left', n: ANSWER_KIB * KIB, send: (n) => send(`/answer-late?${n}`),
    outcome: 'bad-response', cut: true },
  { name: 'response head', n: CGI_HEAD_BYTES, send: (n) => send(`/head?${n}`), outcome: 'bad-response', status: 502 },
  { name: 'response fields', n: CGI_FIELDS, send: (n) => send(`/fields?${n}`), outcome: 'bad-response', status: 502 },
  { name: 'log', n: LOG_KIB * KIB, send: (n) => send(`/log?${n}`), outcome: 'ok', status: 200, dropped: 1 },
  { name: 'memory, in pages', n: MEMORY_MIB * 16, send: (n) => send(`/grow?${n}`), outcome: 'memory-limit', status: 503 },
  { name: 'stack, in calls', find: deepest, send: (n) => send(`/recurse?${n}`), outcome: 'trap', status: 500 },
  { name: 'CPU time', n: CPU_MS / 2, past: 900, send: (n) => send(`/spin?${n}`), outcome: 'cpu-limit', status: 503,
    check: (line) => {
      const cpu_us = Number(/cpu_us=(\d+)/.exec(line)[1]);
      assert.ok(cpu_us >= CPU_MS * 1000 && cpu_us < CPU_MS * 1000 + 10_000 * SLOW, line);
    } },
  { name: 'time', n: 700, past: 1300, send: (n) => send(`/sleep?${n}`), outcome: 'wall-limit', status: 504 },
  { name: 'instances', n: INSTANCES, send: at_once, outcome: 'overloaded', status: 503, others: INSTANCES - 1,
    answer: (answer) => assert.equal(answer.headers['retry-after'], '1') },
  { name: 'a client that leaves', n: 0, past: 1, send: (n) => (n ? leave() : send('/sleep?0')), outcome: 'canceled' },
  { name: 'request head', n: HEAD_BYTES, send: sized, outcome: 'denied', status: 431, rule: 'head-size' },
  { name: 'request fields', n: FIELDS, send: many_fields, outcome: 'denied', status: 431, rule: 'field-count' },
  { name: 'target', n: TARGET_BYTES, send: long_target, outcome: 'denied', status: 414, rule: 'target-length' },
];

const lines = (word) => log.split('\n').filter((line) => line.includes(word));
const logged = (row) => lines(row.rule ? `rule=${row.rule}` : ` ${app} `).filter((line) => line.includes(`outcome=${row.outcome} `));
const notices = () => lines(' notice ');

async function at_limit(row, n) {
  const before = await counters();
  const answer = await row.send(n);
  assert.equal(answer.status, 200, answer.text);
  assert.ok(!answer.cut);
  changes(before, await counters(), app, { ok: 1 + (row.others ?? 0) }, `at ${n}`);
}

async function past_limit(row, n) {
  const before = await counters();
  const lines_before = logged(row).length;
  const notices_before = notices().length;
  const answer = await row.send(n);
  assert.equal(answer.status, row.cut ? 200 : row.status, answer.text);
  assert.equal(Boolean(answer.cut), Boolean(row.cut));
  if (row.outcome !== 'ok' && !row.cut && row.status)
    assert.match(answer.text, new RegExp(`\\(${row.outcome}(, request [0-9a-f]{16})?\\)\n$`));
  row.answer?.(answer);
  await until(() => logged(row).length > lines_before, () => log);
  const line = logged(row).at(-1);
  if (row.status) assert.match(line, new RegExp(` status=${row.status}\\b`));
  row.check?.(line);
  if (row.dropped) {
    const notice = await until(() => notices().slice(notices_before).at(-1), () => log);
    assert.match(notice, new RegExp(`${app} .* dropped_bytes=${row.dropped}$`));
  }
  assert.equal(notices().length, notices_before + (row.dropped ? 1 : 0));
  const after = await counters();
  const expected = { [row.outcome]: 1 };
  if (row.others) expected.ok = n - 1;
  changes(before, after, row.rule ? 'none' : app, expected, `at ${n}`);
  assert.equal(after.all[row.outcome] - before.all[row.outcome], 1, 'the sum');
  assert.equal(after[app].log_dropped_bytes - before[app].log_dropped_bytes, row.dropped ?? 0);
}

async function bytes_and_time() {
  const before = (await counters())[app];
  await post(1000);
  await send('/answer?2000');
  await send('/spin?20');
  const after = (await counters())[app];
  assert.equal(after.request_bytes - before.request_bytes, 1000);
  assert.equal(after.response_bytes - before.response_bytes, '1000\n'.length + 2000 + 'done\n'.length);
  const cpu_us = after.cpu_us - before.cpu_us;
  assert.ok(cpu_us > 5000 && cpu_us < 40_000 * SLOW, `${cpu_us} us`);
}

let passed = 0;
let failed = 0;
async function check(name, run) {
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
}

await send('/sleep?0');
for (const row of rows) {
  await check(row.name, async () => {
    const n = row.find ? await row.find() : row.n;
    await at_limit(row, n);
    await past_limit(row, row.past ?? n + 1);
    await at_limit(row, n);
  });
}
await check('bytes and CPU time are counted', bytes_and_time);
await check('it ends when asked to', async () => {
  child.kill('SIGTERM');
  assert.equal((await ended)[0], 0, log);
});
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
child.kill('SIGKILL');
process.exit(failed ? 1 : 0);
