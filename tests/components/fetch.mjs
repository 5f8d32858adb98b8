// Usage: node fetch.mjs PROGRAMS FOLDER
//
// fetch() in JavaScript: a component by ComponentizeJS that asks an origin. It is built once and kept
// in FOLDER. Ends with `N passed, N failed, N skipped`.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';

import { ask, serveMayfly, stop, until } from '../edge/component_server.mjs';
import { fromJavaScript } from './build.mjs';
import { check, finish } from './harness.mjs';

const [programs, folder] = process.argv.slice(2);
const work = path.join(folder, `work-fetch-${process.pid}`);
mkdirSync(work, { recursive: true });
process.env.XDG_CACHE_HOME = work;

const guest = await fromJavaScript(folder, 'fetch', `
addEventListener('fetch', (event) => event.respondWith(answer(event.request)));
async function answer(request) {
  const url = new URL(request.url);
  const to = url.searchParams.get('to');
  try {
    if (url.pathname.endsWith('/many')) {
      const all = await Promise.all(Array.from({ length: 8 }, (_, i) => fetch(to + i).then((got) => got.text())));
      return new Response(all.join(' '));
    }
    const body = request.method === 'POST' ? await request.text() : undefined;
    const got = await fetch(to, { method: request.method, body, headers: { 'x-from': 'guest' } });
    return new Response(got.body, { status: got.status, headers: { 'x-origin': got.headers.get('x-origin') } });
  } catch (error) {
    return new Response('caught ' + error.name, { status: 502 });
  }
}`);

const origin = http.createServer(async (request, response) => {
  response.setHeader('x-origin', request.headers['x-from'] ?? 'nobody');
  if (request.url.startsWith('/large')) {
    for (let i = 0; i < 64; i += 1) if (!response.write(Buffer.alloc(65536, 'j'))) await once(response, 'drain');
    response.end();
  } else if (request.url === '/cut') request.socket.destroy();
  else {
    response.write(`${request.method} ${request.url} `);
    request.pipe(response);
  }
}).listen(0, '127.0.0.1');
await once(origin, 'listening');
const at = `http://127.0.0.1:${origin.address().port}`;

const server = await serveMayfly(path.join(programs, 'mayfly'), guest, '--workers', '1', '--level', 'fast',
  '--cpu-limit', '0', '--allow', new URL(at).host);
const get = (to, options) => ask(server, `/?to=${encodeURIComponent(to)}`, options);

await check('fetch() of an origin', async () => {
  const got = await get(`${at}/a?b=c`);
  assert.equal(got.status, 200, got.text + server.log);
  assert.equal(got.text, 'GET /a?b=c ');
  assert.equal(got.headers['x-origin'], 'guest');
});

await check('with a body', async () => {
  const body = '{"x":1}'.repeat(1000);
  assert.equal((await get(`${at}/p`, { method: 'POST', body })).text, `POST /p ${body}`);
});

await check('a large response is passed on', async () => {
  const got = await get(`${at}/large`);
  assert.equal(createHash('sha256').update(got.bytes).digest('hex'),
    createHash('sha256').update(Buffer.alloc(64 * 65536, 'j')).digest('hex'));
});

await check('several at a time', async () => {
  const got = await ask(server, `/many?to=${encodeURIComponent(`${at}/`)}`);
  assert.equal(got.text, Array.from({ length: 8 }, (_, i) => `GET /${i} `).join(' '));
});

await check('what was not granted, and what breaks off, is an error to catch', async () => {
  assert.match((await get('http://other.example/')).text, /^caught /);
  assert.match((await get(`${at}/cut`)).text, /^caught /);
  await until(() => /outbound=not-granted authority=other\.example/.test(server.log), () => server.log);
  assert.equal((await get(`${at}/again`)).text, 'GET /again ');
});

assert.equal(await stop(server), 0, server.log);
origin.close();
origin.closeAllConnections();
rmSync(work, { recursive: true, force: true });
finish();
