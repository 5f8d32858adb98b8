// Usage: node component_peer.mjs MAYFLY GUEST.wasm
//
// The same component behind Mayfly and behind `jco serve --isolate-requests instance` gets the same
// requests; status, fields and body must be the same. Prints a line for each request and ends with
// `N passed, N failed, N skipped`.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { ask, serveJco, serveMayfly, stop } from './component_server.mjs';

const [mayfly, guest] = process.argv.slice(2);
const jco = path.join(import.meta.dirname, '../tools/node_modules/@bytecodealliance/jco/dist/jco.js');

// What belongs to the connection or the server, not to the guest; and what the peer gets wrong: of
// repeated fields it sends the last.
const OWN_FIELDS = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding', 'content-length', 'set-cookie']);

const PEER_MS_MAX = 30_000;

const KIB = 1024;
const MIB = 1024 * KIB;

// Bytes that are the same every time and not all alike.
function body(size) {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >> 8) * 7) & 0xff;
  return bytes;
}

async function* chunks(total, each) {
  const bytes = body(total);
  for (let at = 0; at < total; at += each) yield bytes.subarray(at, at + each);
}

const cases = [];
const add = (path_, options = {}) => cases.push({ path: path_, ...options });

for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])
  add('/same/show', { method });
for (const target of ['/same/show?', '/same/show?a=1&b=%20%2F&c=+', '/same/show?q=?', '/same/show?x=[1]',
  `/same/show?${'long'.repeat(500)}`])
  add(target);
for (const headers of [{}, { 'x-a': '1' }, { 'X-MIXED-Case': 'Kept As It Is' }, { 'x-list': 'a, b,c' },
  { 'x-spaces': 'a  b' }, { 'x-empty': '' }, { 'x-long': 'v'.repeat(4000) },
  Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`x-${i}`, `value ${i}`])), { 'x-quoted': '"a\\"b"; c=d' }])
  add('/same/fields', { headers });
add('/same/find?x-find', { headers: { 'X-Find': 'found' } });
add('/same/find?x-missing');
add('/same/find?cookie', { headers: { cookie: 'a=1; b=2' } });
add('/same/find?host');
add('/same/find?connection', { headers: { connection: 'keep-alive' } });
add('/same/find?authorization', { headers: { authorization: 'Bearer abc' } });
add('/same/find?user-agent', { headers: { 'user-agent': 'test/1.0' } });
for (const status of [200, 201, 202, 204, 206, 226, 299, 301, 302, 304, 307, 308, 400, 401, 403, 404, 418, 429,
  451, 499, 500, 502, 503, 599])
  add(`/same/status?${status}`);
for (const size of [0, 1, 100, 4095, 4096, 4097, 65535, 65536, 65537, MIB, 5 * MIB + 3])
  add('/same/copy', { method: 'POST', body: body(size) });
add('/same/copy?l', { method: 'POST', body: body(100000) });
for (const [total, each] of [[1, 1], [10000, 7], [300000, 65536], [3 * MIB, 100000]]) {
  add('/same/copy', { method: 'POST', chunked: [total, each] });
  add('/same/splice', { method: 'PUT', chunked: [total, each] });
}
for (const size of [0, 5, 70000, MIB]) {
  add('/same/poll', { method: 'POST', body: body(size) });
  add('/same/splice', { method: 'POST', body: body(size) });
}
add('/same/count', { method: 'POST', body: body(64 * MIB) });
add('/same/count', { method: 'POST' });
for (const size of [0, 1, 4096, 65537, MIB, 64 * MIB]) add(`/same/flood?${size}`);
for (const name of ['reply-fields', 'fresh', 'fresh', 'piecewise', 'nap', 'hello', 'early'])
  add(`/same/${name}`);
add('/same/rules', { method: 'POST', body: 'unread' });
add('/same/hello', { method: 'POST', body: body(50000) }); // that nobody reads
add('/no-such-path');
add('/same/hello?'.padEnd(3000, 'x'));
// Guests that fail have no answer at all there: component.mjs says what they get here.

function essence(answer) {
  const fields = Object.entries(answer.headers).filter(([name]) => !OWN_FIELDS.has(name)).sort();
  return {
    status: answer.status,
    fields: JSON.stringify(fields),
    cut: answer.cut,
    size: answer.bytes.length,
    digest: createHash('sha256').update(answer.bytes).digest('hex'),
    start: answer.bytes.subarray(0, 400).toString('latin1'),
  };
}

const put = (server, one) => ask(server, one.path, { method: one.method, body: one.chunked ? chunks(...one.chunked) : one.body,
  headers: { host: 'same.example:8080', ...one.headers } });

const soon = (promise) => Promise.race([promise, new Promise((_, reject) => {
  setTimeout(() => reject(new Error('no answer')), PEER_MS_MAX).unref();
})]);

const folder = mkdtempSync(path.join(os.tmpdir(), 'peer-'));
const here = await serveMayfly(mayfly, guest, '--workers', '1', '--cpu-limit', '0');
let there = await serveJco(jco, guest, folder);
let passed = 0, failed = 0, skipped = 0;

for (const one of cases) {
  const name = `${one.method ?? 'GET'} ${one.path.slice(0, 60)} ${JSON.stringify(one.headers ?? {}).slice(0, 40)} ${one.body?.length ?? one.chunked ?? ''}`;
  try {
    const ours = essence(await put(here, one));
    let theirs;
    try {
      theirs = essence(await soon(put(there, one)));
    } catch (error) {
      // Some requests end the peer.
      console.log(`skip ${name}: the peer fails: ${error.message}`);
      skipped++;
      await stop(there, 'SIGKILL').catch(() => {});
      there = await serveJco(jco, guest, folder);
      continue;
    }
    assert.deepEqual(ours, theirs);
    console.log(`ok   ${name}`);
    passed++;
  } catch (error) {
    console.log(`FAIL ${name}\n${error.message}`);
    failed++;
  }
}

there.child.kill('SIGKILL');
await stop(here);
rmSync(folder, { recursive: true });
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed ? 1 : 0);
