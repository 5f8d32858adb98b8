// Usage: node turns.mjs MAYFLY GUEST.wasm LOG
//
// Guests that compute on one worker: they take turns, begin in the order in which they came, and
// what waits for its turn ends by its limit, or with its client. Ends with `N passed, N failed, N
// skipped`.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import http from 'node:http';

const [mayfly, guest, logFile] = process.argv.slice(2);
const SLOW = Number(process.env.MAYFLY_SLOW ?? 1); // sanitizer builds are several times slower
const LIMIT_S = 1;
const CROWD = 900; // that take a slice each to begin, with one for those that go on between them
const GONE = 100;

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

async function serve(options, check) {
  const child = spawn(mayfly, ['serve', '--listen', '127.0.0.1:0', '--workers', '1', '--level', 'optimised', ...options, guest],
    { stdio: ['ignore', 'pipe', openSync(logFile, 'w')] }); // a file is never too slow for it
  const ended = once(child, 'exit');
  const server = { out: '', child, log: () => readFileSync(logFile, 'utf8') };
  child.stdout.on('data', (bytes) => { server.out += bytes; });
  while (!/listening on/.test(server.out)) {
    assert.equal(child.exitCode, null, server.log());
    await pause(5);
  }
  server.port = Number(/listening on http:\/\/127\.0\.0\.1:(\d+)\n/.exec(server.out)[1]);
  try {
    await check(server);
  } finally {
    child.kill();
    await ended;
  }
  assert.doesNotMatch(server.log(), /worker \d+ (died|was killed)/);
}

// { status, text, ms }, or { gone } for a request that was given up.
function spin(server, rounds) {
  const begin = performance.now();
  let request;
  const answer = new Promise((resolve) => {
    request = http.get({ port: server.port, path: `/?${rounds}`, agent: false }, async (response) => {
      let text = '';
      for await (const piece of response) text += piece;
      resolve({ status: response.statusCode, text, ms: performance.now() - begin });
    });
    request.on('error', () => resolve({ gone: true }));
  });
  answer.request = request;
  return answer;
}

// How many rounds take so long here.
async function rounds_of(server, ms) {
  for (let rounds = 1e6; ; rounds *= 2) {
    const answer = await spin(server, rounds);
    assert.equal(answer.status, 200, answer.text);
    if (answer.ms > ms / 2) return Math.round(rounds * ms / answer.ms);
  }
}

const tests = {
  // Two that compute for long do not keep the one that computes for less, though nothing else
  // happens meanwhile.
  async 'a short one ends before a long one that came first'() {
    await serve(['--cpu-limit', '20000'], async (server) => {
      const rounds = await rounds_of(server, 400);
      for (let round = 0; round < 3; round += 1) {
        const order = [];
        const note = (name) => (answer) => { assert.equal(answer.status, 200); order.push(name); };
        const long = spin(server, rounds).then(note('long'));
        await pause(20);
        const short = spin(server, Math.round(rounds / 10)).then(note('short'));
        await Promise.all([long, short]);
        assert.deepEqual(order, ['short', 'long']);
      }
    });
  },

  // Nothing else happens that would interrupt the one that runs.
  async 'two long ones share the processor'() {
    await serve(['--cpu-limit', '20000'], async (server) => {
      const rounds = await rounds_of(server, 500);
      const both = await Promise.all([spin(server, rounds), spin(server, rounds)]);
      const [first, last] = both.map((answer) => answer.ms).sort((a, b) => a - b);
      assert.ok(first > 0.75 * last, `one took ${first.toFixed(0)} ms, the other ${last.toFixed(0)}`);
    });
  },

  // Each is over within its first turn, but for the odd one.
  async 'in the order in which they came'() {
    await serve([], async (server) => {
      const rounds = await rounds_of(server, 40) / 100;
      for (let k = 0; k < 20; k += 1) await spin(server, rounds);
      const order = [];
      await Promise.all(Array.from({ length: 200 }, (_, k) => spin(server, rounds).then(() => order.push(k))));
      const near = order.filter((k, place) => Math.abs(k - place) <= 20);
      assert.ok(near.length > 180, order.join(' '));
    });
  },

  async 'a limit of time, and clients that leave, before the turn came'() {
    await serve(['--cpu-limit', '20000', '--timeout', String(LIMIT_S)], async (server) => {
      const rounds = await rounds_of(server, 100);
      const crowd = Array.from({ length: CROWD }, () => spin(server, rounds));
      await pause(300);
      crowd.slice(-GONE).forEach((answer) => answer.request.socket.resetAndDestroy());
      const answers = await Promise.all(crowd);
      const late = answers.filter((answer) => answer.status === 504);
      assert.equal(answers.filter((answer) => answer.gone).length, GONE);
      assert.ok(late.length > CROWD / 2, `${late.length} of ${CROWD} were late`);
      late.forEach((answer) => assert.match(answer.text, /\(wall-limit, request [0-9a-f]{16}\)\n$/));
      late.forEach((answer) => assert.ok(answer.ms < (LIMIT_S * 1000 + 3000) * SLOW, `late by ${answer.ms} ms`));
      const after = await spin(server, 10);
      assert.equal(after.status, 200, 'it serves on');
      assert.match(server.log(), /outcome=wall-limit status=504 reason="its turn did not come in time"/);
      server.child.kill('SIGUSR1');
      while (!/^mayfly: usage all .*\n/m.test(server.log())) await pause(5);
      const usage = /^mayfly: usage all .*$/m.exec(server.log())[0];
      assert.equal(Number(/ wall-limit=(\d+)/.exec(usage)[1]), late.length, usage);
      assert.equal(Number(/ canceled=(\d+)/.exec(usage)[1]), GONE, usage);
    });
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  const problem = await test().then(() => undefined, (error) => error);
  if (problem) failed += 1;
  console.log(problem ? `FAILED ${name}: ${problem.stack}` : `ok ${name}`);
}
console.log(`${Object.keys(tests).length - failed} passed, ${failed} failed, 0 skipped`);
process.exit(failed ? 1 : 0);
