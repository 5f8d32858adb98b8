// Checks of the examples that are components. `ask(target, options)` as in examples.mjs; `origin` is
// the server behind the rate-limiting proxy.
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import http from 'node:http';

export const SECRETS = {
  SIGN_SEED: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', // RFC 8032, 7.1, test 1
  RATE_LIMIT_SECRET: 'of the tests',
  RATE_LIMIT_PER_SECOND: '1000',
  RATE_LIMIT_BURST: '3',
};
const PUBLIC_KEY = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
const HOST = { host: 'rate-limit.localhost' }; // where the whole path is the proxy's

// An origin that says what it was asked.
export async function startOrigin() {
  const origin = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      response.writeHead(request.url === '/teapot' ? 418 : 200, { 'content-type': 'application/json', 'x-origin': 'here' });
      response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers,
        body: Buffer.concat(chunks).toString() }));
    });
  });
  await new Promise((resolve) => { origin.listen(0, '127.0.0.1', resolve); });
  return origin;
}

function isSigned(message, signature) {
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(PUBLIC_KEY, 'hex')]);
  return verify(null, Buffer.from(message), createPublicKey({ key: spki, format: 'der', type: 'spki' }), Buffer.from(signature, 'hex'));
}

const signing = (ask) => async () => {
  const { status, body } = await ask('/sign/');
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(body), { public_key: PUBLIC_KEY });
  for (const message of ['{"to":"alice","amount":"12.50","nonce":7}', 'x', 'ä'.repeat(1000), 'y'.repeat(65536), '\0']) {
    const { public_key: key, signature } = JSON.parse((await ask('/sign/', { method: 'POST', body: message })).body);
    assert.equal(key, PUBLIC_KEY);
    assert.ok(isSigned(message, signature), message.slice(0, 40));
    assert.ok(!isSigned(`${message} `, signature));
  }
};

const signingRefusals = (ask) => async () => {
  assert.equal((await ask('/sign/', { method: 'POST', body: 'z'.repeat(65537) })).status, 413);
  assert.equal((await ask('/sign/', { method: 'POST', body: '' })).status, 400);
  const put = await ask('/sign/', { method: 'PUT', body: 'x' });
  assert.equal(put.status, 405);
  assert.equal(put.headers.allow, 'GET, POST');
};

const page = (ask) => async () => {
  const plain = await ask('/design-page/');
  assert.equal(plain.status, 200);
  assert.equal(plain.headers['content-type'], 'text/html; charset=utf-8');
  assert.match(plain.body, /^<!doctype html><html lang="en">[^]*<\/html>\n$/);
  assert.match(plain.body, /<h2>Hello, stranger!<\/h2>/);
  const known = await ask('/design-page/', { headers: { cookie: 'a=b; name=%C5%81ucja; theme=dark' } });
  assert.match(known.body, /<title>Hello, Łucja<\/title>/);
  assert.match(known.body, /<span class="badge">dark<\/span>/);
  assert.match(known.headers['cache-control'], /private/);
  assert.equal(known.headers.vary, 'cookie');
};

const pageEscapes = (ask) => async () => {
  const evil = '</title><script>alert(1)</script>"\'&<img src=x onerror=y>';
  const { body } = await ask('/design-page/', { headers: { cookie: `name=${encodeURIComponent(evil)}` } });
  assert.doesNotMatch(body, /<script|<img/);
  assert.equal(body.split('</title>').length, 2);
  assert.match(body, /&lt;script/);
  assert.match(body, /value="&lt;\/title/);
  for (const cookie of ['name=%', 'name=%ff', 'name', 'theme=</style>', `name=${'x'.repeat(5000)}`]) {
    const answer = await ask('/design-page/', { headers: { cookie } });
    assert.equal(answer.status, 200, cookie);
    assert.doesNotMatch(answer.body, /x{61}/);
  }
};

const pageGreets = (ask) => async () => {
  const answer = await ask('/design-page/greet?name=A%3B%20b%0d%0a&theme=dark');
  assert.equal(answer.status, 303);
  assert.equal(answer.headers.location, '/design-page/');
  const cookies = answer.headers['set-cookie'];
  assert.match(cookies[0], /^name=A%3B%20b%0D%0A; Path=\/design-page\/; .*HttpOnly/);
  assert.match(cookies[1], /^theme=dark; /);
  const jar = cookies.map((cookie) => cookie.split(';')[0]).join('; ');
  assert.match((await ask('/design-page/', { headers: { cookie: jar } })).body, /<h2>Hello, A; b/);
  assert.equal((await ask('/design-page/other')).status, 404);
  assert.equal((await ask('/design-page/', { method: 'POST', body: 'x' })).status, 405);
};

const bucketOf = (answer) => answer.headers['set-cookie'][0].split(';')[0];
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

const limit = (ask) => async () => {
  const first = await ask('/a?b=1', { headers: HOST });
  assert.equal(first.status, 429);
  assert.equal(first.headers['retry-after'], '1');
  await sleep(50);
  const second = await ask('/a?b=1', { headers: { ...HOST, cookie: bucketOf(first), 'x-thing': '1' } });
  assert.equal(second.status, 200);
  assert.equal(second.headers['x-origin'], 'here');
  assert.equal(second.headers['ratelimit-limit'], '3');
  assert.equal(second.headers['ratelimit-remaining'], '2');
  const seen = JSON.parse(second.body);
  assert.deepEqual([seen.method, seen.url, seen.headers['x-thing'], seen.headers.cookie], ['GET', '/a?b=1', '1', undefined]);
  await sleep(10);
  const third = await ask('/teapot', { method: 'POST', body: 'some', headers: { ...HOST, cookie: bucketOf(second) } });
  assert.equal(third.status, 418);
  assert.equal(JSON.parse(third.body).body, 'some');
};

const limitTrustsNobody = (ask) => async () => {
  const cookie = bucketOf(await ask('/', { headers: HOST }));
  await sleep(50);
  const [, tokens, at, mac] = /^bucket=([\d.]+)_(\d+)_(\w+)$/.exec(cookie);
  const forged = [`bucket=3.000_${at}_${mac}`, `bucket=${tokens}_${at - 1000}_${mac}`, `bucket=${tokens}_${at}_${'0'.repeat(64)}`,
    'bucket=', 'bucket=x_y_z', `bucket=${tokens}_${at}`, ''];
  for (const wrong of forged) assert.equal((await ask('/', { headers: { ...HOST, cookie: wrong } })).status, 429, wrong);
  // Another client's.
  assert.equal((await ask('/', { headers: { ...HOST, cookie, 'x-api-key': 'k' } })).status, 429);
  assert.equal((await ask('/', { headers: { ...HOST, cookie } })).status, 200);
};

export const componentChecks = (ask) => [
  ['sign: signatures that others verify', signing(ask)],
  ['sign: refusals', signingRefusals(ask)],
  ['design-page: a page', page(ask)],
  ['design-page: what cookies say is escaped', pageEscapes(ask)],
  ['design-page: cookies are set', pageGreets(ask)],
  ['rate-limit: a bucket fills, the origin answers', limit(ask)],
  ['rate-limit: forged buckets are empty', limitTrustsNobody(ask)],
];
