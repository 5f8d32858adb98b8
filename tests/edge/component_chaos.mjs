// Usage: node component_chaos.mjs MAYFLY GUEST.wasm
//
// Clients that stop sending or reading or go away at any moment, and guests that fail in every way,
// for some seconds: no worker ends, and who behaves is answered all the time. MAYFLY_SEED repeats a
// run. Ends with `N passed, N failed, N skipped`.
import assert from 'node:assert/strict';
import http from 'node:http';

import { ask, lines, serveMayfly, SLOW, stop } from './component_server.mjs';

const [mayfly, guest] = process.argv.slice(2);
const RUN_MS = 6000;
const CLIENTS = 16;
const CLIENT_MS_MAX = 500;
const PATHS = ['/same/copy', '/same/splice', '/same/poll', '/same/count', '/same/flood?300000', '/same/flood?5000000',
  '/same/piecewise', '/same/rules', '/drop', '/drop?late', '/keep', '/short', '/short?late', '/long', '/none', '/twice',
  '/trap', '/trap-body?late', '/trap-finished', '/behind?1', '/same/early', '/same/early?x', '/parent', '/unfinished',
  '/trailers-in', '/trailers-in?unread', '/trailers-out', '/log', '/wait'];

let seed = Number(process.env.MAYFLY_SEED ?? Date.now() % 1e9);
console.log(`seed ${seed}`);
function random() { // xorshift32
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return (seed >>> 0) / 2 ** 32;
}
const below = (limit) => Math.floor(random() * limit);

function disturb(server) {
  return new Promise((resolve) => {
    const hasBody = random() < 0.6;
    const headers = hasBody && random() < 0.3 ? { 'content-length': below(200_000) } : {};
    const request = http.request({ host: '127.0.0.1', port: server.port, path: PATHS[below(PATHS.length)],
      method: hasBody ? 'POST' : 'GET', agent: false, headers }, (response) => {
      if (random() < 0.3) response.pause();
      else response.resume();
      response.on('error', resolve);
      response.on('close', resolve);
    });
    request.on('error', resolve);
    request.on('close', resolve);
    if (!hasBody) request.end();
    else {
      request.write('b'.repeat(below(100_000) + 1));
      if (random() < 0.7) setTimeout(() => request.destroyed || request.end(), below(20));
    }
    if (random() < 0.5) setTimeout(() => request.destroy(), below(60));
    setTimeout(() => request.destroy(), CLIENT_MS_MAX);
  });
}

process.on('uncaughtException', (error) => { // of requests whose length is not what was said
  if (!/content-length|after end|body/i.test(error.message)) throw error;
});

const server = await serveMayfly(mayfly, guest, '--workers', '1', '--timeout', '2');
const end = Date.now() + RUN_MS;
let disturbed = 0, answered = 0;
await Promise.all([
  ...Array.from({ length: CLIENTS }, async () => {
    for (; Date.now() < end; disturbed++) await disturb(server);
  }),
  (async () => {
    for (; Date.now() < end; answered++) assert.equal((await ask(server, '/same/hello')).text, 'hello\n');
  })(),
]);
const dead = lines(server, 'worker');
assert.deepEqual(dead, []);
assert.equal(await stop(server), 0, server.log.slice(-2000));
assert.ok(disturbed > 100 / SLOW && answered > 20 / SLOW, `${disturbed} and ${answered}`);
console.log(`${disturbed} disturbed, ${answered} answered\n1 passed, 0 failed, 0 skipped`);
process.exit(0);
