// Usage: node outbound_names.mjs MAYFLY GUEST.wasm
//
// Names and certificates: a guest that sends requests, a name server that says what it is told to,
// and origins with certificates of a test's own. Prints a line for each check and ends with
// `N passed, N failed, N skipped`.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';

import { ask, lines, serveMayfly, SLOW, stop, until } from './component_server.mjs';

const [mayfly, guest] = process.argv.slice(2);
const folder = mkdtempSync(path.join(os.tmpdir(), 'outbound-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const DNS_TIMEOUT = 'error 0\n';
const DNS_ERROR = 'error 1\n';
const DESTINATION_PROHIBITED = 'error 4\n';
const TLS_PROTOCOL = 'error 12\n';
const TLS_CERTIFICATE = 'error 13\n';

// ---- the name server: A records of `names`; undefined: it says nothing; []: there is no such name ----

const names = new Map([
  ['good.test', ['127.0.0.1']], ['inside.test', ['10.1.2.3', '192.168.0.1', '169.254.169.254']],
  ['here.test', ['127.0.0.1']], ['none.test', []], ['silent.test', undefined], ['other.test', ['127.0.0.1']],
]);
const asked = [];
const resolver = dgram.createSocket('udp4', (query, from) => {
  const labels = [];
  let at = 12;
  for (; query[at]; at += query[at] + 1) labels.push(query.toString('latin1', at + 1, at + 1 + query[at]));
  const name = labels.join('.').toLowerCase();
  const type = query.readUInt16BE(at + 1);
  asked.push(`${name} ${type}`);
  if (names.has(name) && !names.get(name)) return;
  const addresses = type === 1 ? names.get(name) ?? [] : [];
  const exists = (names.get(name) ?? []).length > 0;
  const head = Buffer.from(query.subarray(0, at + 5));
  head.writeUInt16BE(exists ? 0x8180 : 0x8183, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt32BE(0, 8);
  const records = addresses.map((address) => Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4,
    ...address.split('.').map(Number)]));
  resolver.send(Buffer.concat([head, ...records]), from.port, from.address);
}).bind(0, '127.0.0.1');
await once(resolver, 'listening');

// ---- certificates ----

const at = (name) => path.join(folder, name);
const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe' });
function authority(name) {
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
    '-subj', `/CN=${name}`, '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`));
}
function certificate(name, issuer) {
  writeFileSync(at(`${name}.ext`), `subjectAltName=DNS:${name}\n`);
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`,
    '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`));
  openssl('x509', '-req', '-in', at(`${name}.csr`), '-CA', at(`${issuer}.pem`), '-CAkey', at(`${issuer}.key`),
    '-CAcreateserial', '-days', '2', '-extfile', at(`${name}.ext`), '-out', at(`${name}.pem`));
  return { key: readFileSync(at(`${name}.key`)), cert: readFileSync(at(`${name}.pem`)) };
}
authority('trusted');
authority('stranger');

// ---- origins ----

const connections = new Set();
function answer(request, response) {
  connections.add(request.socket.remotePort);
  response.setHeader('x-protocol', request.httpVersion);
  request.pipe(response);
}
const listen = async (server) => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
};
const plain = await listen(http.createServer(answer));
const secure = await listen(https.createServer(certificate('good.test', 'trusted'), answer));
const strange = await listen(https.createServer(certificate('other.test', 'stranger'), answer));

const get = (server, scheme, host, port) => ask(server, `/GET/${scheme}/${host}:${port}/`);

const tests = {
  async 'a name that the name server knows'(server) {
    assert.equal((await get(server, 'http', 'good.test', plain)).status, 200);
    assert.equal((await get(server, 'http', 'GOOD.test', plain)).status, 200);
  },

  async 'a name is asked for once while its answer lives'(server) {
    const before = asked.filter((one) => one === 'good.test 1').length;
    for (let i = 0; i < 20; i++) await get(server, 'http', 'good.test', plain);
    await Promise.all(Array.from({ length: 20 }, () => get(server, 'http', 'good.test', plain)));
    assert.equal(before, 1);
    assert.equal(asked.filter((one) => one === 'good.test 1').length, 1);
    assert.ok(asked.every((one) => /\.test \d+$/.test(one)), asked.join()); // nothing is appended to names
  },

  async 'a name that does not exist'(server) {
    assert.equal((await get(server, 'http', 'none.test', plain)).text, DNS_ERROR);
  },

  async 'a name server that says nothing'(server) {
    assert.equal((await get(server, 'http', 'silent.test', plain)).text, DNS_TIMEOUT);
  },

  async 'a name that leads inside'(server) {
    assert.equal((await get(server, 'http', 'inside.test', plain)).text, DESTINATION_PROHIBITED);
    await until(() => lines(server, 'address-prohibited').length, () => server.log);
    assert.match(lines(server, 'address-prohibited')[0], new RegExp(`grant="--allow-private guest=inside\\.test:${plain}"`));
  },

  async 'a name that leads to this machine'(server) {
    assert.equal((await get(server, 'http', 'here.test', plain)).text, DESTINATION_PROHIBITED);
  },

  async 'https with a certificate that is trusted, on one connection'(server) {
    connections.clear();
    for (let i = 0; i < 5; i++) {
      const got = await get(server, 'https', 'good.test', secure);
      assert.equal(got.status, 200, got.text);
      assert.equal(got.headers['x-protocol'], '1.1');
    }
    assert.equal(connections.size, 1);
  },

  async 'bodies over https'(server) {
    const body = Buffer.alloc(5 << 20, 's');
    const got = await ask(server, `/POST/https/good.test:${secure}/`, { method: 'POST', body });
    assert.ok(got.bytes.equals(body));
  },

  async 'a certificate of nobody that is trusted'(server) {
    assert.equal((await get(server, 'https', 'other.test', strange)).text, TLS_CERTIFICATE);
  },

  async 'a certificate of another host'(server) {
    assert.equal((await get(server, 'https', 'other.test', secure)).text, TLS_CERTIFICATE);
  },

  async 'https where there is none'(server) {
    assert.equal((await get(server, 'https', 'good.test', plain)).text, TLS_PROTOCOL);
  },
};

const ports = [plain, secure, strange];
const named = ['good.test', 'other.test', 'none.test', 'silent.test']
  .flatMap((name) => ports.flatMap((port) => ['--allow-private', `${name}:${port}`]));
process.env.HTTP_PROXY = process.env.http_proxy = process.env.ALL_PROXY = 'http://127.0.0.1:1'; // not for guests
const server = await serveMayfly(mayfly, guest, '--workers', '1', '--cpu-limit', '0', '--ca-file', at('trusted.pem'),
  '--resolver', `127.0.0.1:${resolver.address().port}`, ...named, '--allow', `inside.test:${plain}`, '--allow', `here.test:${plain}`);
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
