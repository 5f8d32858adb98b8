// Usage: node requests.mjs MAYFLY GUEST.wasm
//
// Prints a line for each check and ends with `N passed, N failed, N skipped`.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';

const [mayfly, guest] = process.argv.slice(2);

// Sanitizer builds are several times slower; times below are multiplied by this.
const SLOW = Number(process.env.MAYFLY_SLOW ?? 1);

const CHECK_MS_MAX = 20_000 * SLOW;

async function serve(...options) {
  const child = spawn(mayfly, ['serve', '--listen', '127.0.0.1:0', ...options, guest],
    { stdio: ['ignore', 'pipe', 'pipe'] });
  const server = { child, log: '', out: '' };
  child.stderr.on('data', (bytes) => { server.log += bytes; });
  await new Promise((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`ended with ${code}: ${server.log}`)));
    child.stdout.on('data', (bytes) => {
      server.out += bytes;
      const found = /listening on http:\/\/127\.0\.0\.1:(\d+)\n/.exec(server.out);
      if (!found) return;
      server.port = Number(found[1]);
      resolve();
    });
  });
  return server;
}

async function stop(server, signal = 'SIGTERM') {
  server.child.kill(signal);
  const [code] = await once(server.child, 'exit');
  assert.equal(code, 0, server.log);
}

function get(server, path, { method = 'GET', headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({ port: server.port, path, method, headers, agent: false },
      async (response) => {
        let text = '';
        let cut = false;
        try {
          for await (const piece of response) text += piece;
        } catch {
          cut = true;
        }
        resolve({ status: response.statusCode, headers: response.headers, text, cut });
      });
    request.on('error', reject);
    request.end(body);
  });
}

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

async function until(condition, what) {
  for (let i = 0; i < 400; i++) {
    if (condition()) return;
    await pause(10);
  }
  assert.fail(`never: ${what()}`);
}

const lines = (server, word) => server.log.split('\n').filter((line) => line.includes(word));

const tests = {
  async 'every request has a fresh instance'(server) {
    for (let i = 0; i < 5; i++) assert.equal((await get(server, '/')).text, 'count 0\n');
  },

  async 'the environment is RFC 3875 and what the client sent'(server) {
    const { text } = await get(server, '/env/a%20b?x=1&y=%20', {
      headers: { 'X-Two': ['a', 'b'], Proxy: 'http://evil', under_score: 'x', Host: 'h.example:81',
        Cookie: ['c=1', 'd=2'], 'Content-Type': 'text/x' },
      method: 'POST',
      body: '12345',
    });
    const env = Object.fromEntries(text.trim().split('\n').map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    }));
    assert.equal(env.GATEWAY_INTERFACE, 'CGI/1.1');
    assert.equal(env.REQUEST_METHOD, 'POST');
    assert.equal(env.PATH_INFO, '/env/a b');
    assert.equal(env.SCRIPT_NAME, '');
    assert.equal(env.QUERY_STRING, 'x=1&y=%20');
    assert.equal(env.REQUEST_URI, '/env/a%20b?x=1&y=%20');
    assert.equal(env.SERVER_NAME, 'h.example');
    assert.equal(env.SERVER_PORT, '81');
    assert.equal(env.SERVER_PROTOCOL, 'HTTP/1.1');
    assert.match(env.SERVER_SOFTWARE, /^mayfly\//);
    assert.equal(env.REMOTE_ADDR, '127.0.0.1');
    assert.equal(env.CONTENT_LENGTH, '5');
    assert.equal(env.CONTENT_TYPE, 'text/x');
    assert.equal(env.HTTP_X_TWO, 'a, b');
    assert.equal(env.HTTP_COOKIE, 'c=1; d=2');
    assert.equal(env.GIVEN, 'to all');
    for (const absent of ['HTTP_PROXY', 'HTTP_UNDER_SCORE', 'HTTP_CONTENT_LENGTH', 'HTTP_CONTENT_TYPE',
      'HTTP_CONNECTION', 'HOME', 'PATH'])
      assert.equal(env[absent], undefined, absent);
  },

  async 'a broken percent-encoding is a 400'(server) {
    for (const path of ['/%', '/%4', '/%zz', '/a%00b'])
      assert.equal((await get(server, path)).status, 400, path);
  },

  async 'bodies stream both ways at once'(server) {
    const request = http.request({ port: server.port, path: '/copy', method: 'POST', agent: false });
    request.write('first');
    const [response] = await once(request, 'response');
    const [piece] = await once(response, 'data');
    assert.equal(String(piece), 'first'); // an answer, while the request goes on
    request.end('second');
    let rest = '';
    for await (const more of response) rest += more;
    assert.equal(rest, 'second');
  },

  async 'guests that wait do not hold up others'(server) {
    const start = Date.now();
    const answers = await Promise.all(Array.from({ length: 8 }, () => get(server, '/sleep')));
    for (const answer of answers) assert.equal(answer.text, 'slept\n');
    assert.ok(Date.now() - start < 8 * 300, 'they slept one after the other');
  },

  async 'poll waits for input, or for the time'(server) {
    const request = http.request({ port: server.port, path: '/wait', method: 'POST', agent: false });
    request.flushHeaders();
    await pause(50);
    request.write('x');
    let [response] = await once(request, 'response');
    assert.equal(String((await once(response, 'data'))[0]), 'ready 1\n');
    request.destroy();
    const silent = http.request({ port: server.port, path: '/wait', method: 'POST', agent: false });
    silent.flushHeaders();
    [response] = await once(silent, 'response');
    assert.equal(String((await once(response, 'data'))[0]), 'ready 0\n');
    silent.destroy();
  },

  async 'HEAD has no body'(server) {
    const { status, text } = await get(server, '/flood', { method: 'HEAD' });
    assert.equal(status, 200);
    assert.equal(text, '');
  },

  async 'a slow reader gets all of a large answer'(server) {
    const socket = net.connect(server.port, '127.0.0.1');
    socket.write('GET /flood HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    socket.pause();
    await pause(300);
    let size = 0;
    socket.on('data', (bytes) => { size += bytes.length; });
    socket.resume();
    await once(socket, 'end');
    assert.ok(size > 256 * 65536, `${size} bytes`);
  },

  async 'a trap is a 500, and one line with a backtrace'(server) {
    const before = lines(server, 'outcome=trap').length;
    const { status, text } = await get(server, '/trap');
    assert.equal(status, 500);
    assert.match(text, /trap, request [0-9a-f]{16}/);
    await until(() => lines(server, 'outcome=trap').length === before + 1, () => server.log);
    const line = lines(server, 'outcome=trap').at(-1);
    assert.match(line, /trap=unreachable/);
    assert.match(line, /backtrace=".* at trap \(\S*guest\.c:\d+\)/);
    assert.match(line, /status=500 method=GET path=\/trap/);
    assert.match(line, new RegExp(`request=${/request ([0-9a-f]{16})/.exec(text)[1]}`));
    assert.equal((await get(server, '/')).status, 200);
  },

  async 'an answer that fails is taken back, or cut where it has begun to leave'(server) {
    for (const [path, expected, outcome] of [['/trap', 500, 'trap'], ['/short', 502, 'bad-response'],
      ['/long', 502, 'bad-response']]) {
      const before = lines(server, `outcome=${outcome}`).length;
      const early = await get(server, path === '/trap' ? '/trap-early' : path);
      assert.equal(early.status, expected, path);
      assert.match(early.text, new RegExp(`\\(${outcome}, request`));
      const late = await get(server, `${path}-late`).catch(() => ({ cut: true }));
      if (path !== '/long') assert.ok(late.cut, `${path}-late`); // all that was promised had left
      await until(() => lines(server, `outcome=${outcome}`).length === before + 2, () => server.log);
    }
  },

  async 'an answer without a valid head is a 502'(server) {
    for (const path of ['/silent', '/no-head', '/half-head', '/bad-status', '/bad-name']) {
      const { status, text } = await get(server, path);
      assert.equal(status, 502, path);
      assert.match(text, /bad-response/);
    }
    await until(() => lines(server, 'reason=').length >= 5, () => server.log);
  },

  async 'an exit code does not spoil an answer'(server) {
    assert.equal((await get(server, '/exit')).status, 200);
  },

  async 'standard error is the log, escaped'(server) {
    await get(server, '/log');
    await until(() => lines(server, 'no end').length, () => server.log);
    assert.equal(lines(server, 'message=one').length, 1);
    assert.ok(server.log.includes(String.raw`message="two \"quoted\" \x1b[31m"`), server.log);
  },

  async 'a guest cannot flood the log'(server) {
    const before = server.log.length;
    await get(server, '/log-flood');
    await pause(200);
    const grown = server.log.length - before;
    assert.ok(grown > 10000 && grown < 1 << 20, `${grown} bytes`);
  },

  async 'several that compute all end'(server) {
    const answers = await Promise.all(Array.from({ length: 8 }, () => get(server, '/compute')));
    for (const answer of answers) assert.equal(answer.text, '1\n');
  },

  async 'a client that goes away ends its guest'(server) {
    const request = http.request({ port: server.port, path: '/sleep-long', agent: false });
    request.on('error', () => {});
    request.end();
    await until(() => lines(server, 'message=begun').length, () => server.log);
    request.destroy();
    await until(() => lines(server, 'outcome=canceled').length, () => server.log);
    assert.equal((await get(server, '/')).status, 200);
  },

  async 'nobody answers for "*"'(server) {
    assert.equal((await get(server, '*', { method: 'OPTIONS' })).status, 404);
  },
};

const alone = {
  async 'wall-limit: 504'() {
    const server = await serve('--timeout', '1');
    assert.equal((await get(server, '/sleep')).status, 200);
    const { status, text } = await get(server, '/sleep-long');
    assert.equal(status, 504);
    assert.match(text, /wall-limit/);
    await stop(server);
  },

  async 'overloaded: 503 and Retry-After at one instance too many'() {
    const server = await serve('--instances', '2');
    const [a, b, c] = await Promise.all([get(server, '/sleep-second'), get(server, '/sleep-second'),
      pause(400).then(() => get(server, '/sleep'))]);
    assert.deepEqual([a.status, b.status], [200, 200]);
    assert.equal(c.status, 503);
    assert.equal(c.headers['retry-after'], '1');
    assert.equal((await get(server, '/sleep')).status, 200);
    await stop(server);
  },

  async 'cpu-limit: 503, with a backtrace'() {
    const server = await serve();
    const { status, text } = await get(server, '/spin');
    assert.equal(status, 503);
    assert.match(text, /cpu-limit/);
    await until(() => lines(server, 'outcome=cpu-limit').length, () => server.log);
    const line = lines(server, 'outcome=cpu-limit')[0];
    assert.match(line, /trap="cpu time limit reached"/);
    assert.match(line, /at spin \(\S*guest\.c:\d+\)/);
    const cpu = Number(/cpu_us=(\d+)/.exec(line)[1]);
    assert.ok(cpu >= 50_000 && cpu < 60_000, line);
    await stop(server);
  },

  async 'memory-limit: 503'() {
    const server = await serve('--cpu-limit', '20000', '--memory', '16');
    const { status, text } = await get(server, '/hoard');
    assert.equal(status, 503);
    assert.match(text, /memory-limit/);
    assert.equal((await get(server, '/')).status, 200);
    await stop(server);
  },

  async 'a newcomer does not wait for those who compute'() {
    const server = await serve('--workers', '1', '--cpu-limit', '600000', '--timeout', '8');
    const median = async (spinners) => {
      const gone = [];
      for (let i = 0; i < spinners; i++) {
        const request = http.request({ port: server.port, path: '/spin', agent: false });
        request.on('error', () => {});
        request.end();
        gone.push(() => request.destroy());
      }
      await pause(100);
      const times = [];
      for (let i = 0; i < 40; i++) {
        const start = performance.now();
        assert.equal((await get(server, '/')).status, 200);
        times.push(performance.now() - start);
      }
      for (const leave of gone) leave();
      return times.sort((a, b) => a - b)[20];
    };
    // In one queue with everybody, sixteen would take sixteen times as long as one.
    const one = await median(1);
    const many = await median(16);
    assert.ok(many < 4 * one + 2, `${one} ms behind one, ${many} ms behind sixteen`);
    await stop(server);
  },

  // Pages that no request has written for long are read-only then; the system stores a large body in
  // the guest's memory itself.
  async 'what a thousand requests did not do the next one may'() {
    const server = await serve('--workers', '1', '--cpu-limit', '10000', '--level', 'optimised');
    // The body follows once the guest waits for it, so that nothing of it goes where the head goes.
    const copy = async (body, wait) => {
      const request = http.request({ port: server.port, path: '/copy-pieces', method: 'POST', agent: false,
        headers: { 'Content-Length': body.length } });
      const answer = once(request, 'response');
      request.on('error', () => {}); // the answer's end tells
      request.flushHeaders();
      await wait();
      request.end(body);
      const [response] = await answer;
      let text = '';
      for await (const piece of response) text += piece;
      assert.equal(response.statusCode, 200);
      assert.ok(text === String(body), `${text.length} bytes`);
    };
    for (let round = 0; round < 2; round++) {
      for (let k = 0; k < 1000; k++) await copy(Buffer.from('small'), () => {});
      for (let k = 0; k < 2; k++) await copy(Buffer.alloc(1 << 20, 'larger than any before. '), () => pause(50));
    }
    await stop(server);
  },

  async 'SIGTERM lets requests finish'() {
    const server = await serve();
    const answer = get(server, '/sleep');
    await pause(100);
    await stop(server);
    assert.equal((await answer).text, 'slept\n');
  },

  async 'the access log has a line a request'() {
    const server = await serve('--access-log');
    await get(server, '/');
    await until(() => lines(server, 'outcome=ok').length === 1, () => server.log);
    assert.match(lines(server, 'outcome=ok')[0], /access app=guest .* status=200 method=GET path=\//);
    await stop(server);
  },
};

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

// Sanitizer builds take more CPU time than the default limit grants.
const server = await serve('--env', 'GIVEN=to all', '--cpu-limit', '10000');
for (const [name, run] of Object.entries(tests)) await check(name, () => run(server));
await check('it ends when asked to', () => stop(server));
for (const [name, run] of Object.entries(alone)) await check(name, run);
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
server.child.kill('SIGKILL');
process.exit(failed ? 1 : 0);
