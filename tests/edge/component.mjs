// Usage: node component.mjs MAYFLY GUEST.wasm
//
// Prints a line for each check and ends with `N passed, N failed, N skipped`.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';

import { ask, lines, pause, serveMayfly, SLOW, stop, until } from './component_server.mjs';

const [mayfly, guest] = process.argv.slice(2);
const CHECK_MS_MAX = 20_000 * SLOW;

// The request's line in the log, once it is there.
async function logged(server, path, word = ' outcome=') {
  const found = () => lines(server, `path=${path} `).filter((line) => line.includes(word)).at(-1);
  await until(() => found(), () => `a line of ${path} in ${server.log}`);
  return found();
}

// A guest that fails before anything has left gets a 500 (or what the outcome says); the
// connection goes on.
async function fails(server, path, { status = 500, outcome, reason }) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const failed = await ask(server, path, { agent });
  assert.equal(failed.status, status);
  assert.match(failed.text, new RegExp(outcome));
  assert.equal((await ask(server, '/same/hello', { agent })).text, 'hello\n');
  agent.destroy();
  const line = await logged(server, path.split('?')[0], `outcome=${outcome}`);
  assert.match(line, reason);
}

// When some of it has left, the client sees that the rest is missing.
async function cuts(server, path, { text, outcome, reason }) {
  const got = await ask(server, path);
  assert.equal(got.status, 200);
  assert.equal(got.text, text);
  assert.ok(got.cut, 'the end is not missing');
  const line = await logged(server, path.split('?')[0], 'status=200');
  assert.match(line, new RegExp(`outcome=${outcome}`));
  assert.match(line, reason);
}

function raw(server, text) {
  return new Promise((resolve, reject) => {
    let got = '';
    const socket = net.connect(server.port, '127.0.0.1', () => { socket.write(text); });
    socket.setTimeout(5000 * SLOW, () => socket.destroy());
    socket.on('data', (bytes) => { got += bytes; });
    socket.on('close', () => resolve(got));
    socket.on('error', reject);
  });
}

const tests = {
  async 'every request has a fresh instance'(server) {
    for (let i = 0; i < 20; i++) assert.equal((await ask(server, '/same/fresh')).text, 'requests 1\n');
  },

  async 'a short answer has a length, in one piece'(server) {
    const got = await ask(server, '/same/hello');
    assert.equal(got.headers['content-length'], '6');
    assert.equal(got.headers['content-type'], 'text/plain');
  },

  async 'an answer streams while the guest goes on'(server) {
    const request = http.get({ host: '127.0.0.1', port: server.port, path: '/same/piecewise' });
    const [response] = await once(request, 'response');
    const began = Date.now();
    const [first] = await once(response, 'data');
    assert.equal(String(first), 'piece 0\n');
    let rest = '';
    for await (const piece of response) rest += piece;
    assert.equal(rest, 'piece 1\npiece 2\n');
    assert.ok(Date.now() - began > 150, 'it did not stream');
  },

  async 'bodies stream both ways at once'(server) {
    for (const path of ['/same/copy', '/same/poll', '/same/splice']) {
      const request = http.request({ host: '127.0.0.1', port: server.port, path, method: 'POST', agent: false });
      request.write('first');
      const [response] = await once(request, 'response');
      const [piece] = await once(response, 'data');
      assert.equal(String(piece), 'first', path); // an answer, while the request goes on
      request.end('second');
      let rest = '';
      for await (const more of response) rest += more;
      assert.equal(rest, 'second', path);
    }
  },

  async 'guests that wait do not hold up others'(server) {
    const start = Date.now();
    const answers = await Promise.all(Array.from({ length: 16 }, () => ask(server, '/same/nap')));
    for (const answer of answers) assert.equal(answer.text, 'slept\n');
    assert.ok(Date.now() - start < 16 * 300, 'they slept one after the other');
  },

  async 'the client has its answer while the guest goes on behind it'(server) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const start = Date.now();
    assert.equal((await ask(server, '/behind?1', { agent })).text, 'answered\n');
    assert.ok(Date.now() - start < 350 * SLOW, 'it waited for the guest');
    assert.equal((await ask(server, '/same/hello', { agent })).text, 'hello\n');
    agent.destroy();
    await until(() => lines(server, 'behind /behind?1').length, () => server.log);
    assert.match(await logged(server, '/behind'), /outcome=ok status=200/);
  },

  async 'stdout and stderr are lines of the log with the request'(server) {
    assert.equal((await ask(server, '/log')).text, 'logged\n');
    const id = /request=(\w+)/.exec(await logged(server, '/log'))[1];
    const said = lines(server, id).filter((line) => line.includes(' guest '));
    assert.deepEqual(said.map((line) => /message="?([^"]*)/.exec(line)[1]), ['to stdout', 'to stderr', 'unended']);
  },

  async 'what may be had once is had once'(server) {
    assert.equal((await ask(server, '/once')).text,
      'consume 0\nconsume again 1\nstream 0\nstream again 1\nwrite again 1\n');
  },

  async 'a clone of fields is its own'(server) {
    assert.equal((await ask(server, '/clone')).text, 'entries of the clone 3\nentries 2\n');
  },

  async 'fields that belong to the connection'(server) {
    const forbidden = ['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection',
      'transfer-encoding', 'upgrade', 'host', 'HTTP2-Settings', 'Transfer-Encoding'];
    const others = ['te', 'trailer', 'content-length', 'x-connection'];
    assert.equal((await ask(server, '/forbidden')).text,
      [...forbidden.map((name) => `${name} 1\n`), ...others.map((name) => `${name} 0\n`)].join(''));
  },

  async 'a request shows no fields of its connection'(server) {
    for (const name of ['host', 'connection', 'keep-alive', 'upgrade', 'http2-settings', 'proxy-connection'])
      assert.equal((await ask(server, `/same/find?${name}`, { headers: { [name]: 'close' } })).text, 'none', name);
  },

  async 'repeated fields of a response'(server) {
    const got = await ask(server, '/same/reply-fields');
    assert.deepEqual(got.headers['set-cookie'], ['a=1; Path=/', 'b=2']);
  },

  async 'no response'(server) {
    await fails(server, '/none', { outcome: 'bad-response', reason: /without setting a response/ });
  },
  async 'an error instead of a response'(server) {
    await fails(server, '/error', { outcome: 'bad-response', reason: /error DNS-timeout/ });
  },
  async 'a response that is set twice'(server) {
    await fails(server, '/twice', { outcome: 'trap', reason: /backtrace=.*unknown handle.*do_twice/ });
  },
  async 'a body that is dropped'(server) {
    await fails(server, '/drop', { outcome: 'bad-response', reason: /half-way/ });
    await cuts(server, '/drop?late', { text: 'half\n', outcome: 'bad-response', reason: /half-way/ });
  },
  async 'a body that is kept for ever'(server) {
    await fails(server, '/keep', { outcome: 'bad-response', reason: /half-way/ });
  },
  async 'a body shorter than its length'(server) {
    await fails(server, '/short', { outcome: 'bad-response', reason: /shorter than its Content-Length/ });
    await cuts(server, '/short?late', { text: 'short\n', outcome: 'bad-response', reason: /shorter/ });
  },
  async 'a body longer than its length'(server) {
    await fails(server, '/long', { outcome: 'bad-response', reason: /longer than its Content-Length/ });
  },
  async 'a trap before the head'(server) {
    await fails(server, '/trap', { outcome: 'trap', reason: /backtrace=.*do_trap/ });
  },
  async 'a trap behind the head'(server) {
    await fails(server, '/trap-body', { outcome: 'trap', reason: /backtrace=.*do_trap_body/ });
    await cuts(server, '/trap-body?late', { text: 'half\n', outcome: 'trap', reason: /do_trap_body/ });
  },
  async 'a trap behind a whole response'(server) {
    const got = await ask(server, '/trap-finished');
    assert.equal(got.text, 'whole\n');
    assert.ok(!got.cut);
    assert.match(await logged(server, '/trap-finished'), /outcome=trap status=200.*do_trap_finished/);
  },
  async 'CPU time'(server) {
    await fails(server, '/spin', { status: 503, outcome: 'cpu-limit', reason: /do_spin/ });
  },
  async 'memory'(server) {
    await fails(server, '/memory', { status: 503, outcome: 'memory-limit', reason: /do_memory/ });
  },
  async 'a parent that is dropped before its child'(server) {
    await fails(server, '/parent', { outcome: 'trap', reason: /before what was made from it/ });
    await fails(server, '/unfinished', { outcome: 'trap', reason: /has children/ });
  },
  async 'fields at their limit and past it'(server) {
    const left = (128 << 10) - (100 << 10) - 2; // two names of one letter
    assert.equal((await ask(server, `/fields-large?${left}`)).text, 'fits\n');
    await fails(server, `/fields-large?${left + 1}`, { outcome: 'trap', reason: /larger than 128 KiB/ });
  },
  async 'heads that cannot be sent'(server) {
    await fails(server, '/head-large', { outcome: 'bad-response', reason: /head of more than/ });
    await fails(server, '/bad-status', { outcome: 'bad-response', reason: /status 102/ });
    await fails(server, '/bad-length', { outcome: 'bad-response', reason: /Content-Length/ });
  },

  async 'a client that goes away cancels the guest'(server) {
    const request = http.get({ host: '127.0.0.1', port: server.port, path: '/wait' });
    request.on('error', () => {});
    await pause(100 * SLOW);
    request.destroy();
    await until(() => lines(server, 'outcome=canceled').length, () => server.log);
  },

  async 'a client that reads slowly holds its guest, not the server'(server) {
    const size = 8 << 20;
    const request = http.get({ host: '127.0.0.1', port: server.port, path: `/same/flood?${size}`, agent: false });
    const [response] = await once(request, 'response');
    response.pause();
    await pause(200);
    assert.equal(lines(server, 'path=/same/flood').length, 0); // still writing
    assert.equal((await ask(server, '/same/hello')).text, 'hello\n');
    let total = 0;
    for await (const piece of response) total += piece.length;
    assert.equal(total, size);
  },

  async 'HEAD has no body, and its length'(server) {
    const got = await ask(server, '/same/hello', { method: 'HEAD' });
    assert.equal(got.headers['content-length'], '6');
    assert.equal(got.text, '');
  },

  async 'trailers of a response'(server) {
    const text = await raw(server, 'GET /trailers-out HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    assert.match(text, /\r\n\r\n0*5\r\nbody\n\r\n0\r\nx-checksum: abc\r\n\r\n$/);
    const old = await raw(server, 'GET /trailers-out HTTP/1.0\r\n\r\n');
    assert.match(old, /\r\n\r\nbody\n$/);
  },

  async 'trailers of a request'(server) {
    // Where one chunk ends and the next begins is the time's to say.
    const ask2 = async (query) => (await raw(server, `POST /trailers-in${query} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n`
      + 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: abc\r\nx-two:  d e \r\n\r\n')).replace(/\r\n[0-9a-f]+\r\n/g, '');
    assert.match(await ask2(''), /body 5\nsome 1\nerror 0\ntrailers 1\nx-sum: abc\nx-two: d e\ntaken 1\n/);
    assert.match(await ask2('?unread'), /body 0\nsome 1\nerror 0\ntrailers 1\nx-sum: abc\nx-two: d e\ntaken 1\n/);
    const none = await ask(server, '/trailers-in', { method: 'POST', body: 'hello' });
    assert.equal(none.text, 'body 5\nsome 1\nerror 0\ntrailers 0\ntaken 1\n');
    const bodiless = await ask(server, '/trailers-in');
    assert.equal(bodiless.text, 'body 0\nsome 1\nerror 0\ntrailers 0\ntaken 1\n');
  },
};

const limited = {
  async 'a wait ends with the wall limit'(server) {
    await fails(server, '/wait', { status: 504, outcome: 'wall-limit', reason: /wall-limit/ });
  },
  async 'a request body past its limit'(server) {
    const got = await ask(server, '/same/count', { method: 'POST', body: 'x'.repeat(4096) });
    assert.equal(got.text.split('\n')[0], 'bytes 4096');
    assert.equal((await ask(server, '/same/count', { method: 'POST', body: 'x'.repeat(4097) })).status, 413);
    async function* chunks() { for (let i = 0; i < 5; i++) yield 'x'.repeat(1000); }
    const refused = await ask(server, '/same/count', { method: 'POST', body: chunks() });
    assert.equal(refused.status, 413);
  },
  async 'a log past its limit'(server) {
    assert.equal((await ask(server, '/log-much')).text, 'logged\n');
    await until(() => lines(server, 'dropped_bytes').length, () => server.log);
    assert.equal(lines(server, 'a hundred or so').length, 1024 / 64);
    assert.match(lines(server, 'dropped_bytes')[0], new RegExp(`dropped_bytes=${100 * 64 - 1024}`));
  },
  async 'a response body past its limit'(server) {
    assert.equal((await ask(server, '/same/flood?4096')).bytes.length, 4096);
    await fails(server, '/same/flood?4097', { outcome: 'bad-response', reason: /larger than the limit/ });
  },
  async 'instances at their limit'(server) {
    const both = [1, 2].map(() => {
      const request = http.request({ host: '127.0.0.1', port: server.port, path: '/same/count', method: 'POST', agent: false });
      request.write('half');
      return request;
    });
    let refused = 0;
    for (let i = 0; i < 100 && !refused; i++) {
      if ((await ask(server, '/same/hello')).status === 503) refused++;
      else await pause(10);
    }
    assert.equal(refused, 1);
    for (const request of both) {
      request.end(' and half');
      const [response] = await once(request, 'response');
      let text = '';
      for await (const piece of response) text += piece;
      assert.match(text, /^bytes 13\n/);
    }
    assert.equal((await ask(server, '/same/hello')).status, 200);
  },
};

async function runAll(server, checks) {
  for (const [name, run] of Object.entries(checks)) {
    let late;
    try {
      await Promise.race([run(server), new Promise((_, reject) => {
        late = setTimeout(() => reject(new Error('too slow')), CHECK_MS_MAX);
      })]);
      console.log(`ok   ${name}`);
      counts.passed++;
    } catch (error) {
      console.log(`FAIL ${name}\n${error.stack}`);
      counts.failed++;
    } finally {
      clearTimeout(late);
    }
  }
}

const counts = { passed: 0, failed: 0 };
const server = await serveMayfly(mayfly, guest, '--workers', '1');
await runAll(server, tests);
assert.equal(await stop(server), 0, server.log);
const small = await serveMayfly(mayfly, guest, '--workers', '1', '--timeout', '1', '--instances', '2',
  '--request-body', '4', '--response-body', '4', '--guest-log', '1');
await runAll(small, limited);
assert.equal(await stop(small), 0, small.log);
console.log(`${counts.passed} passed, ${counts.failed} failed, 0 skipped`);
process.exit(counts.failed ? 1 : 0);
