// Usage: node examples.mjs FOLDER --node | --mayfly PATH
//
// Requests to each example in FOLDER behind a server, and what must come back. Prints a line for
// each check and ends with `N passed, N failed, N skipped`.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { Readable } from 'node:stream';
import { componentChecks, SECRETS, startOrigin } from './component_checks.mjs';

const START_MS_MAX = 300_000; // the JavaScript engine may have to be compiled
const MEMORY_GROWTH_BYTES_MAX = 32 << 20;

const [folder, host, program] = process.argv.slice(2);
const isMayfly = host === '--mayfly';
// A gigabyte for mayfly itself; sanitizer builds and the other host get less to do.
const BIG_BODY_BYTES = Number(process.env.MAYFLY_EXAMPLES_BIG_BYTES
  ?? (isMayfly ? 1 << 30 : 64 << 20));

// The origin of the rate-limiting proxy, and what the components find in their environment.
const origin = isMayfly ? await startOrigin() : undefined;
const originPlace = `127.0.0.1:${origin?.address().port}`;
const componentSettings = ['--allow-private', `rate-limit=${originPlace}`,
  ...Object.entries({ ...SECRETS, ORIGIN: `http://${originPlace}` }).flatMap(([name, value]) => ['--env', `${name}=${value}`])];

function start() {
  const [command, args] = isMayfly
    ? [program, ['serve', '--listen', '127.0.0.1:0', '--timeout', '600', '--cpu-limit', '600000',
      '--request-body', String(4 << 20), '--response-body', String(8 << 20), ...componentSettings, folder]]
    : [process.execPath, [path.join(import.meta.dirname, 'cgi_host.mjs'), folder]];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const log = [];
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no "listening on" line:\n${log.join('')}`)),
      START_MS_MAX);
    const look = (chunk) => {
      log.push(chunk.toString());
      const url = /listening on (http:\/\/\S+)/.exec(log.join(''))?.[1];
      if (!url) return;
      clearTimeout(timer);
      resolve({ child, url, log });
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    child.on('exit', (code) => reject(new Error(`server ended with ${code}:\n${log.join('')}`)));
  });
}

// body: a string, a Buffer or a stream. Resolves to { status, headers, body }.
function ask(target, { method = 'GET', headers = {}, body, onData } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(new URL(target, server.url), { method, headers }, (response) => {
      const chunks = [];
      response.on('data', onData ?? ((chunk) => chunks.push(chunk)));
      response.on('error', reject);
      response.on('end', () => {
        resolve({
          status: response.statusCode,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        });
      });
    });
    request.on('error', reject);
    if (body instanceof Readable) body.pipe(request);
    else request.end(body);
  });
}

async function hello(name, language) {
  const answer = await ask(`/${name}/`);
  assert.equal(answer.status, 200);
  assert.match(answer.headers['content-type'], /^text\/plain/);
  assert.equal(answer.body, `Hello from ${language}\n`);
}

async function nftToken() {
  const answer = await ask('/nft/42');
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-type'], 'application/json');
  assert.equal(Number(answer.headers['content-length']), Buffer.byteLength(answer.body));
  assert.match(answer.headers['cache-control'], /max-age=300/);
  const token = JSON.parse(answer.body);
  assert.equal(token.name, 'Mayfly #42');
  assert.equal(token.image, `${server.url}/nft/42.svg`);
  assert.deepEqual(token.attributes.map((a) => a.trait_type), ['Wings', 'Body', 'Tails', 'Hour']);
  assert.equal((await ask('/nft/42')).headers.etag, answer.headers.etag);
  assert.notEqual((await ask('/nft/43')).headers.etag, answer.headers.etag);
}

async function nftNotModified() {
  const { etag } = (await ask('/nft/7')).headers;
  assert.match(etag, /^"[0-9a-f]{16}"$/);
  for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
    const answer = await ask('/nft/7', { headers: { 'if-none-match': known } });
    assert.equal(answer.status, 304, known);
    assert.equal(answer.headers.etag, etag);
    assert.equal(answer.body, '');
  }
  for (const other of ['"x"', etag.slice(0, -2) + '"']) {
    assert.equal((await ask('/nft/7', { headers: { 'if-none-match': other } })).status, 200);
  }
}

async function nftRefusals() {
  for (const bad of ['0', '10001', '01', '-1', '+1', '1x', '99999999999999999999', '1/2', '.svg']) {
    const answer = await ask(`/nft/${bad}`);
    assert.equal(answer.status, 404, bad);
    assert.deepEqual(JSON.parse(answer.body), { error: 'no such token' });
  }
  const answer = await ask('/nft/1', { method: 'DELETE' });
  assert.equal(answer.status, 405);
  assert.equal(answer.headers.allow, 'GET, HEAD');
}

async function nftEdges() {
  assert.equal((await ask('/nft/1')).status, 200);
  assert.equal((await ask('/nft/10000')).status, 200);
  const collection = JSON.parse((await ask('/nft/')).body);
  assert.equal(collection.total_supply, 10000);
  const picture = await ask('/nft/10000.svg');
  assert.equal(picture.headers['content-type'], 'image/svg+xml');
  assert.match(picture.body, /^<svg [^]*<\/svg>\n$/);
  const head = await ask('/nft/42', { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(head.body, '');
}

async function csv(table, options = {}) {
  const answer = await ask('/csv/', { method: 'POST', body: table, ...options });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-type'], 'application/x-ndjson');
  return answer.body.split('\n').slice(0, -1).map((line) => JSON.parse(line));
}

async function csvTables() {
  const rows = [
    ['a,b\n1,2\n', [{ a: '1', b: '2' }]],
    ['a,b\r\n1,2\r\n3,4', [{ a: '1', b: '2' }, { a: '3', b: '4' }]],
    ['a,b\r1,2\r', [{ a: '1', b: '2' }]],
    ['\ufeffa\n1\n', [{ a: '1' }]],
    ['a\n', []],
    ['a\n\n\n1\n\n', [{ a: '1' }]],
    ['a,b\n,\n', [{ a: '', b: '' }]],
    ['a\n""\n', [{ a: '' }]],
    ['a\n"x,y"\n', [{ a: 'x,y' }]],
    ['a\n"two\r\nlines"\n', [{ a: 'two\r\nlines' }]],
    ['a\n"say ""hi"""\n', [{ a: 'say "hi"' }]],
    ['a\n5" tube\n', [{ a: '5" tube' }]],
    ['a\n"x"y\n', [{ a: 'xy' }]],
    ['a\n"open', [{ a: 'open' }]],
    ['"a ""q""","b,c"\n1,2\n', [{ 'a "q"': '1', 'b,c': '2' }]],
    ['a,b\n1,2,3\n', [{ a: '1', b: '2', column_3: '3' }]],
    ['a,,c\n1,2,3\n', [{ a: '1', column_2: '2', c: '3' }]],
    ['a,b\n1\n', [{ a: '1' }]],
    ['a\nC:\\dir\ttab\u0001\u007f\n', [{ a: 'C:\\dir\ttab\u0001\u007f' }]],
    ['näme\n日本語 🪰 é\n', [{ näme: '日本語 🪰 é' }]],
  ];
  for (const [table, expected] of rows) {
    assert.deepEqual(await csv(table), expected, JSON.stringify(table));
  }
  const broken = Buffer.from('a\n\xff|\xc3(|\xe2\x82|\xed\xa0\x80|\xf0\x9f\xaa', 'latin1');
  const [{ a }] = await csv(broken);
  assert.equal(a, '\ufffd|\ufffd(|\ufffd|\ufffd\ufffd\ufffd|\ufffd');
}

async function csvRefusals() {
  for (const empty of ['', '\n\n', '\r\n']) {
    assert.equal((await ask('/csv/', { method: 'POST', body: empty })).status, 400);
  }
  const get = await ask('/csv/');
  assert.equal(get.status, 405);
  assert.equal(get.headers.allow, 'POST, PUT');
  const most = await csv(`${'x'.repeat(65536)}\n1\n`);
  assert.equal(Object.keys(most[0])[0].length, 65536);
  const long = { method: 'POST', body: `${'x'.repeat(65537)}\n1\n` };
  assert.equal((await ask('/csv/', long)).status, 413);
  assert.equal((await csv(`${','.repeat(4095)}\n1\n`)).length, 1);
  const wide = { method: 'POST', body: `${','.repeat(4096)}\n1\n` };
  assert.equal((await ask('/csv/', wide)).status, 413);
}

// The answer to a first row comes while the rest of the table has not been sent.
async function csvStreams() {
  const body = new Readable({ read() {} });
  let first;
  const arrived = new Promise((resolve) => { first = resolve; });
  const chunks = [];
  const done = ask('/csv/', {
    method: 'POST',
    body,
    onData: (chunk) => {
      chunks.push(chunk);
      first();
    },
  });
  body.push('a\n1\n');
  await arrived;
  body.push('2\n');
  body.push(null);
  await done;
  assert.equal(Buffer.concat(chunks).toString(), '{"a":"1"}\n{"a":"2"}\n');
}

// Of a process and its children: the supervisor and its workers.
function peakMemory(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return [pid, ...children].reduce((sum, one) => {
    const kib = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${one}/status`, 'utf8'))?.[1] ?? 0;
    return sum + Number(kib) * 1024;
  }, 0);
}

async function csvBig() {
  const row = Buffer.from('1234567,"some, text",äöü,another value\n');
  const rows = Math.ceil(BIG_BODY_BYTES / row.length);
  const chunk = Buffer.alloc(row.length * 2000, row);
  let left = rows;
  const body = new Readable({
    read() {
      if (!left) return this.push(null);
      const now = Math.min(left, 2000);
      left -= now;
      this.push(chunk.subarray(0, now * row.length));
    },
  });
  body.unshift(Buffer.from('id,text,umlauts,more\n'));
  const line = '{"id":"1234567","text":"some, text","umlauts":"äöü","more":"another value"}\n';
  const before = isMayfly ? peakMemory(server.child.pid) : 0;
  let bytes = 0;
  const answer = await ask('/csv/', {
    method: 'PUT',
    body,
    headers: { 'content-length': String(21 + rows * row.length) },
    onData: (piece) => { bytes += piece.length; },
  });
  assert.equal(answer.status, 200);
  assert.equal(bytes, rows * Buffer.byteLength(line));
  if (!isMayfly) return;
  const grown = peakMemory(server.child.pid) - before;
  assert.ok(grown < MEMORY_GROWTH_BYTES_MAX, `the server grew by ${grown} bytes`);
}

const checks = [
  ['hello-c', () => hello('hello-c', 'C')],
  ['hello-rust', () => hello('hello-rust', 'Rust')],
  ['hello-as', () => hello('hello-as', 'AssemblyScript')],
  // The other host knows no components; tests/edge/component_peer.mjs asks one that does.
  ...isMayfly ? [
    ['hello-component-c', () => hello('hello-component-c', 'a component in C')],
    ['hello-component-js', () => hello('hello-component-js', 'a component in JavaScript')],
    ...componentChecks(ask),
  ] : [],
  ['nft: a token', nftToken],
  ['nft: 304 for a known ETag', nftNotModified],
  ['nft: refusals', nftRefusals],
  ['nft: first, last, picture, collection, HEAD', nftEdges],
  ['csv: tables', csvTables],
  ['csv: refusals and limits', csvRefusals],
  ['csv: answers while it reads', csvStreams],
  [`csv: ${BIG_BODY_BYTES >> 20} MiB in constant memory`, csvBig],
];

const server = await start();
let failed = 0;
for (const [name, check] of checks) {
  try {
    await check();
    console.log(`ok: ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok: ${name}: ${error.message}`);
  }
}
server.child.removeAllListeners('exit');
server.child.kill();
if (failed) console.log(server.log.join('').slice(-4000));
console.log(`${checks.length - failed} passed, ${failed} failed, 0 skipped`);
process.exit(failed ? 1 : 0);
