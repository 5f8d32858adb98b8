// Usage: node javascript.mjs PROGRAMS FOLDER
//
// JavaScript components: two apps by ComponentizeJS, at the fast level, with one function cache.
// The components are built once and kept in FOLDER. Ends with `N passed, N failed, N skipped`.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';

import { fromJavaScript } from './build.mjs';
import { check, finish, run } from './harness.mjs';

const [programs, folder] = process.argv.slice(2);
const mayfly = path.join(programs, 'mayfly');
const compiler = path.join(programs, 'mayfly-compile');
const work = path.join(folder, `work-javascript-${process.pid}`);
mkdirSync(work, { recursive: true });

const first = await fromJavaScript(folder, 'hello',
  `addEventListener('fetch', (event) => event.respondWith(new Response('hello')));`);
const second = await fromJavaScript(folder, 'echo', `
addEventListener('fetch', (event) => event.respondWith(echo(event.request)));
async function echo(request) {
  const body = await request.json();
  return new Response(JSON.stringify({ ...body, seen: true }));
}`);

let batches = 0;
function compile(file) {
  const out = path.join(work, `${path.basename(file, '.wasm')}.mfa`);
  const done = run(compiler, ['--level', 'fast', '--cache', path.join(work, 'functions'), '--stats',
    '-o', out, file], { ms: 1_000_000 });
  assert.equal(done.code, 0, done.stderr);
  console.log(done.stderr);
  const [, all, cached] = done.stderr.match(/batches: (\d+), cached: (\d+)/);
  batches = Number(all);
  return { out, cached: Number(cached) };
}

await check('a JavaScript component', () => {
  const { out, cached } = compile(first);
  assert.ok(batches > 500 && cached < batches / 10);
  assert.ok(statSync(out).size < 60e6);
  const world = run(mayfly, ['inspect', out]);
  assert.match(world.stdout, /^component: \d+ core instances, initialisation done$/m);
  assert.match(world.stdout,
    /^export wasi:http\/incoming-handler@0\.2\.\d+#handle: func\(request: own<incoming-request>, response-out: own<response-outparam>\)$/m);
});

await check('a second one takes the engine from the cache', () => {
  const { cached } = compile(second);
  assert.ok(batches - cached < 16, `${batches - cached} of ${batches} batches were compiled`);
});

rmSync(work, { recursive: true, force: true });
finish();
