// Usage: node world.mjs MAYFLY
//
// Components that import every function of the worlds of wasi:http and wasi:cli, in several versions
// of WASI 0.2: they are to be linked, which compares each function's type. And one that looks for a
// value of its configuration. Prints a line for each and ends with `N passed, N failed, N skipped`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

import { configStore } from '../components/guests.mjs';

const mayfly = process.argv[2];
const jco = createRequire(path.join(import.meta.dirname, '../tools/x')).resolve('@bytecodealliance/jco');
const { componentEmbed, componentNew, parse } = await import(jco);
const wit = path.join(path.dirname(jco), '../lib/wit/builtin/0.2.12');
const folder = mkdtempSync(path.join(os.tmpdir(), 'world-'));

const WORLDS = { proxy: 'include wasi:http/proxy', everything: 'include wasi:http/proxy@V; include wasi:cli/imports' };
let passed = 0, failed = 0;

async function serves(file) {
  const child = spawn(mayfly, ['serve', '--listen', '127.0.0.1:0', '--level', 'fast', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  child.stdout.on('data', (bytes) => {
    out += bytes;
    if (/ component\n/.test(out)) child.kill();
  });
  child.stderr.on('data', (bytes) => { out += bytes; });
  await once(child, 'exit');
  return out;
}

for (const version of ['0.2.0', '0.2.6', '0.2.12']) {
  const packages = readdirSync(wit).map((name) =>
    readFileSync(path.join(wit, name, 'package.wit'), 'utf8').replaceAll('0.2.12', version)
      .replace(/^package ([^;]+);/m, 'package $1 {') + '\n}\n');
  for (const [world, includes] of Object.entries(WORLDS)) {
    const head = `package test:app;\nworld w { ${includes.replaceAll('@V', `@${version}`)}@${version}; }\n`;
    const core = await componentEmbed({ dummy: true, witSource: [head, ...packages].join(''), world: 'w' });
    const file = path.join(folder, `${world}.wasm`);
    writeFileSync(file, await componentNew(core, []));
    const out = await serves(file);
    if (/ component\n/.test(out)) {
      console.log(`ok   ${world} ${version}`);
      passed++;
    } else {
      console.log(`FAIL ${world} ${version}\n${out}`);
      failed++;
    }
  }
}

// Traps unless "greeting" is five bytes long; otherwise it gives no answer.
const CONFIGURED = `(component
  (import "wasi:http/types@0.2.0" (instance $types
    (export "incoming-request" (type (sub resource)))
    (export "response-outparam" (type (sub resource)))))
  (alias export $types "incoming-request" (type $request))
  (alias export $types "response-outparam" (type $outparam))
  ${configStore}
  (core func $get (canon lower (func $store "get")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core module $m
    (import "libc" "memory" (memory 1))
    (import "host" "get" (func $get (param i32 i32 i32)))
    (data (i32.const 16) "greeting")
    (func (export "handle") (param i32 i32)
      (call $get (i32.const 16) (i32.const 8) (i32.const 64))
      (if (i32.ne (i32.load (i32.const 76)) (i32.const 5)) (then unreachable))))
  (core instance $i (instantiate $m
    (with "libc" (instance $libc))
    (with "host" (instance (export "get" (func $get))))))
  (func $handle (param "request" (own $request)) (param "response-out" (own $outparam))
    (canon lift (core func $i "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))`;
const configured = path.join(folder, 'configured.wasm');
writeFileSync(configured, await parse(CONFIGURED));

async function outcomeWith(...options) {
  const child = spawn(mayfly, ['serve', '--listen', '127.0.0.1:0', '--workers', '1', '--level', 'fast', ...options, configured],
    { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  let out = '', log = '';
  child.stderr.on('data', (bytes) => { log += bytes; });
  for await (const bytes of child.stdout) {
    out += bytes;
    if (/ component\n/.test(out)) break;
  }
  const port = /http:\/\/127\.0\.0\.1:(\d+)/.exec(out)?.[1];
  const text = port ? await fetch(`http://127.0.0.1:${port}/`).then((answer) => answer.text()) : log;
  child.kill();
  await ended;
  return /\(([a-z-]+), request/.exec(text)?.[1] ?? text;
}

for (const [options, expected] of [[['--config', 'greeting=hello'], 'bad-response'],
  [['--config', 'greeting=hell'], 'trap'], [['--config', 'greetings=hello'], 'trap'], [[], 'trap']]) {
  const outcome = await outcomeWith(...options);
  console.log(`${outcome === expected ? 'ok  ' : 'FAIL'} ${options.join(' ') || 'no configuration'}: ${outcome}`);
  if (outcome === expected) passed++;
  else failed++;
}
rmSync(folder, { recursive: true });
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exit(failed ? 1 : 0);
