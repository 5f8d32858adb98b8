// Usage: node outbound.mjs MAYFLY GUEST.wasm
//
// A guest that sends requests, and origins of every kind. Prints a line for each check and ends with
// `N passed, N failed, N skipped`.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';

import { ask, lines, pause, serveMayfly, SLOW, stop, until } from './component_server.mjs';

const [mayfly, guest] = process.argv.slice(2);

const DESTINATION_PROHIBITED = 'error 4\n';
const CONNECTION_REFUSED = 'error 6\n';
const CONNECTION_TERMINATED = 'error 7\n';
const READ_TIMEOUT = 'error 9\n';
const DNS_ERROR = /^error [01]\n$/;
const REQUEST_DENIED = 'error 15\n';
const HEAD_TOO_LARGE = 'error 26\n';

const sockets = new Set();
let aborted = 0;

const origin = http.createServer(async (request, response) => {
  const url = new URL(request.url, 'http://origin');
  sockets.add(request.socket.remotePort);
  request.on('error', () => {});
  request.on('close', () => { if (!response.writableEnded) aborted++; });
  if (url.pathname === '/echo') {
    response.writeHead(200, { 'x-method': request.method, 'x-url': request.url, 'x-host': request.headers.host,
      'x-fields': JSON.stringify(request.rawHeaders), 'x-two': ['a', 'b'] });
    for await (const piece of request) if (!response.write(piece)) await once(response, 'drain');
    response.end();
  } else if (url.pathname === '/status') {
    response.writeHead(Number(url.search.slice(1)), { 'x-kept': 'yes', location: 'http://127.0.0.1/elsewhere' }).end();
  } else if (url.pathname === '/flood') {
    const piece = Buffer.alloc(65536, 'o');
    for (let left = Number(url.search.slice(1)); left > 0; left -= piece.length)
      if (!response.write(piece.subarray(0, left))) await once(response, 'drain');
    response.end();
  } else if (url.pathname === '/slow') {
    response.flushHeaders();
    for (let i = 0; i < 3; i++) {
      response.write(`piece ${i}\n`);
      await pause(100);
    }
    response.end();
  } else if (url.pathname === '/cut') {
    response.write('half');
    setTimeout(() => request.socket.destroy(), 100);
  } else if (url.pathname === '/reset') {
    request.socket.destroy();
  } else if (url.pathname === '/large') {
    response.writeHead(200, { 'x-large': 'v'.repeat(100_000) }).end();
  } else if (url.pathname === '/never') {
    // no answer
  } else response.end('hello from the origin\n');
}).listen(0, '127.0.0.1');
await once(origin, 'listening');
const at = `127.0.0.1:${origin.address().port}`;

const tests = {
  async 'a request goes out and its response comes back'(server) {
    const got = await ask(server, `/GET/http/${at}/echo?a=1&b=%20`, { headers: { 'x-own': 'kept' } });
    assert.equal(got.status, 200);
    assert.equal(got.headers['x-method'], 'GET');
    assert.equal(got.headers['x-url'], '/echo?a=1&b=%20');
    assert.equal(got.headers['x-host'], at);
    assert.equal(got.headers['x-two'], 'a, b');
    const names = JSON.parse(got.headers['x-fields']).filter((_, i) => i % 2 === 0);
    assert.deepEqual(names, ['Host', 'x-own']); // nothing that the guest has not sent
  },

  async 'bodies of every size, with and without a length'(server) {
    for (const size of [0, 1, 65536, 3 << 20]) {
      const body = Buffer.alloc(size, 'b');
      const got = await ask(server, `/POST/http/${at}/echo`, { method: 'POST', body });
      assert.equal(got.bytes.length, size);
      assert.ok(got.bytes.equals(body));
      async function* chunks() { for (let i = 0; i < size; i += 50000) yield body.subarray(i, i + 50000); }
      const chunked = await ask(server, `/PUT/http/${at}/echo`, { method: 'PUT', body: chunks(), headers: { 'x-chunked': '1' } });
      assert.ok(chunked.bytes.equals(body));
    }
  },

  async 'statuses are passed on, redirects are not followed'(server) {
    for (const status of [204, 301, 302, 404, 500, 503]) {
      const got = await ask(server, `/GET/http/${at}/status?${status}`);
      assert.equal(got.status, status);
      assert.equal(got.headers['x-kept'], 'yes');
    }
  },

  async 'HEAD'(server) {
    assert.equal((await ask(server, `/HEAD/http/${at}/echo`)).headers['x-method'], 'HEAD');
  },

  async 'a large response streams in constant memory'(server) {
    const size = 64 << 20;
    const got = await ask(server, `/GET/http/${at}/flood?${size}`);
    assert.equal(createHash('sha256').update(got.bytes).digest('hex'),
      createHash('sha256').update(Buffer.alloc(size, 'o')).digest('hex'));
  },

  async 'a response streams as it comes'(server) {
    const request = http.get({ host: '127.0.0.1', port: server.port, path: `/GET/http/${at}/slow`, agent: false });
    const [response] = await once(request, 'response');
    const start = Date.now();
    const [first] = await once(response, 'data');
    assert.equal(String(first), 'piece 0\n');
    let rest = '';
    for await (const piece of response) rest += piece;
    assert.equal(rest, 'piece 1\npiece 2\n');
    assert.ok(Date.now() - start > 150);
  },

  async 'connections are used again'(server) {
    sockets.clear();
    for (let i = 0; i < 20; i++) assert.equal((await ask(server, `/GET/http/${at}/`)).text, 'hello from the origin\n');
    assert.equal(sockets.size, 1);
  },

  async 'many at a time'(server) {
    const answers = await Promise.all(Array.from({ length: 64 }, () => ask(server, `/GET/http/${at}/slow`)));
    for (const answer of answers) assert.equal(answer.text, 'piece 0\npiece 1\npiece 2\n');
  },

  async 'a host that was not granted'(server) {
    assert.equal((await ask(server, '/GET/http/other.example/')).text, REQUEST_DENIED);
    assert.equal((await ask(server, '/GET/https/other.example:8443/x')).text, REQUEST_DENIED);
    assert.equal((await ask(server, `/GET/http/127.0.0.1:1/`)).text, REQUEST_DENIED); // another port
    await until(() => lines(server, 'not-granted').length >= 3, () => server.log);
    const [plain, port] = lines(server, 'not-granted');
    assert.match(plain, /outbound=not-granted authority=other\.example grant="--allow guest=other\.example"/);
    assert.match(port, /grant="--allow guest=other\.example:8443"/);
  },

  async 'a name that leads inside'(server) {
    assert.equal((await ask(server, `/GET/http/inside.localhost:${origin.address().port}/`)).text, DESTINATION_PROHIBITED);
  },

  async 'a name that does not exist'(server) {
    assert.match((await ask(server, '/GET/http/no-such-name.invalid/')).text, DNS_ERROR);
  },

  async 'nobody listens'(server) {
    assert.equal((await ask(server, `/GET/http/127.0.0.1:${closed}/`)).text, CONNECTION_REFUSED);
  },

  async 'an origin that hangs up'(server) {
    assert.equal((await ask(server, `/GET/http/${at}/reset`)).text, CONNECTION_TERMINATED);
    const got = await ask(server, `/GET/http/${at}/cut`);
    assert.equal(got.text, 'half');
    assert.ok(got.cut);
  },

  async 'an origin that says nothing'(server) {
    const got = await ask(server, `/GET/http/${at}/never`, { headers: { 'x-first-byte-ms': '200' } });
    assert.equal(got.text, READ_TIMEOUT);
  },

  async 'a head that is too large'(server) {
    assert.equal((await ask(server, `/GET/http/${at}/large`)).text, HEAD_TOO_LARGE);
  },

  async 'a future that is dropped gives the call up'(server) {
    assert.equal((await ask(server, `/GET/http/${at}/never`, { headers: { 'x-drop-future': '1' } })).text, 'dropped\n');
  },

  async 'a client that goes away takes the call along'(server) {
    const before = aborted;
    const request = http.get({ host: '127.0.0.1', port: server.port, path: `/GET/http/${at}/never`, agent: false });
    request.on('error', () => {});
    await pause(200 * SLOW);
    request.destroy();
    await until(() => aborted > before, () => 'the origin still waits');
    await until(() => lines(server, 'outcome=canceled').length, () => server.log);
  },

  async 'more subrequests than the limit'(server) {
    assert.equal((await ask(server, `/many/60/${at}`)).text, '10 of 60\n');
    await until(() => lines(server, 'too-many-subrequests').length === 10, () => server.log);
  },

  async 'authorities that are none'(server) {
    for (const authority of ['user@host', 'host:99999', 'ho%20st%zz@', '[::1'])
      assert.match((await ask(server, `/GET/http/${encodeURI(authority)}/`)).text, /cannot be asked|error/, authority);
  },
};

const idle = net.createServer().listen(0, '127.0.0.1');
await once(idle, 'listening');
const closed = idle.address().port;
idle.close();

const server = await serveMayfly(mayfly, guest, '--workers', '1', '--cpu-limit', '0', '--allow', at,
  '--allow', `guest=127.0.0.1:${closed}`, '--allow', `*.localhost:${origin.address().port}`, '--allow', 'no-such-name.invalid',
  '--allow', 'another=other.example');
let passed = 0, failed = 0;
for (const [name, run] of Object.entries(tests)) {
  let late;
  try {
    await Promise.race([run(server), new Promise((_, reject) => {
      late = setTimeout(() => reject(new Error('too slow')), 30_000 * SLOW);
    })]);
    console.log(`ok   ${name}`);
    passed++;
  } catch (error) {
    console.log(`FAIL ${name}\n${error.stack}`);
    failed++;
  } finally {
    clearTimeout(late);
  }
}
assert.equal(await stop(server), 0, server.log);
if (failed) console.log(server.log.slice(-3000));
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exit(failed ? 1 : 0);
