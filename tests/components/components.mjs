// Usage: node components.mjs PROGRAMS FOLDER
//
// Components through mayfly-compile, `mayfly run` and `mayfly inspect` of PROGRAMS; what is built on
// the way is kept in FOLDER. Ends with `N passed, N failed, N skipped`.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { fromCommand, fromReactor, fromRust, fromText, fromWorld } from './build.mjs';
import * as guests from './guests.mjs';
import { check, finish, run } from './harness.mjs';

const [programs, folder] = process.argv.slice(2);
const mayfly = path.join(programs, 'mayfly');
const compiler = path.join(programs, 'mayfly-compile');
const work = path.join(folder, `work-${process.pid}`);
mkdirSync(work, { recursive: true });
const env = { XDG_CACHE_HOME: path.join(work, 'cache') };
const levels = ['fast', 'optimised'];

function compile(file, ...options) {
  const out = path.join(work, `${path.basename(file, '.wasm')}.mfa`);
  const done = run(compiler, [...options, '--stats', '-o', out, file]);
  return { ...done, out };
}

function compiled(file, ...options) {
  const done = compile(file, ...options);
  assert.equal(done.code, 0, done.stderr);
  return done.out;
}

function refused(file, pattern) {
  const done = compile(file);
  assert.equal(done.code, 1, `exit ${done.code}`);
  assert.match(done.stderr, pattern);
  assert.equal(done.stderr.trim().split('\n').length, 1, done.stderr);
}

// ---- a command in C ----

const command = await fromCommand(folder, 'command', guests.command);

for (const level of levels) {
  await check(`a command, ${level}`, () => {
    const file = compiled(command, '--level', level);
    const done = run(mayfly, ['run', '--env', 'GREETING=hello', file, 'one', 'two'],
      { input: 'from stdin\n' });
    assert.equal(done.stdout, 'one two\nhello\nFROM STDIN\n');
    assert.equal(done.stderr, 'to stderr\n');
    assert.equal(done.code, 0);
  });
}

await check('a command from its component file, twice', () => {
  for (let i = 0; i < 2; i++) {
    const done = run(mayfly, ['run', command, 'x'], { env, input: 'abc' });
    assert.equal(done.stdout, 'x\n\nABC');
  }
});

await check('a command that reads a granted folder', () => {
  const data = path.join(work, 'data');
  mkdirSync(data, { recursive: true });
  writeFileSync(path.join(data, 'file.txt'), 'what the file says');
  const done = run(mayfly, ['run', '--dir', `${data}::/data`, command, 'read', '/data/file.txt'], { env });
  assert.match(done.stdout, /what the file says/);
});

await check('a command that exits', () => {
  const done = run(mayfly, ['run', command, 'exit'], { env });
  assert.equal(done.code, 1); // wasi:cli/exit 0.2 knows success and failure only
});

await check('a command that traps', () => {
  const done = run(mayfly, ['run', command, 'trap'], { env });
  assert.equal(done.code, 134);
  assert.match(done.stderr, /wasm trap: unreachable/);
  assert.match(done.stderr, /at _start .*\n.*at wasi:cli\/run@0\.2/);
});

await check('two builds, with different numbers of threads, give the same bytes', () => {
  for (const level of levels) {
    const first = readFileSync(compiled(command, '--level', level, '--threads', '1'));
    const second = readFileSync(compiled(command, '--level', level, '--threads', '3'));
    assert.ok(first.equals(second), level);
  }
});

await check('functions of a component are cached', () => {
  const cache = path.join(work, 'functions');
  const first = readFileSync(compiled(command, '--cache', cache));
  const again = compile(command, '--cache', cache, '--verify-cache');
  assert.equal(again.code, 0, again.stderr);
  const [, batches, cached] = again.stderr.match(/batches: (\d+), cached: (\d+)/);
  assert.ok(Number(cached) >= 4 && Number(cached) <= Number(batches), again.stderr);
  assert.ok(first.equals(readFileSync(again.out)));
});

await check('a command in Rust', async () => {
  const file = await fromRust(folder, 'words', guests.rust);
  const done = run(mayfly, ['run', compiled(file), 'one'], { input: 'b a b\nc a b' });
  assert.equal(done.stdout, '["one"] [("a", 2), ("b", 3), ("c", 1)]\n', done.stderr);
  assert.equal(done.code, 0);
});

// ---- inspect ----

await check('inspect prints the world of a component file', () => {
  const done = run(mayfly, ['inspect', command]);
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /WebAssembly component, \d+ bytes\ncore modules: 4/);
  assert.match(done.stdout, /^import wasi:io\/streams@0\.2\.\d+$/m);
  assert.match(done.stdout, /^  resource output-stream$/m);
  assert.ok(done.stdout.includes('  [method]output-stream.blocking-write-and-flush: ' +
    'func(self: borrow<output-stream>, contents: list<u8>) -> ' +
    'result<_, variant{last-operation-failed(own<error>), closed}>\n'));
  assert.match(done.stdout, /^export wasi:cli\/run@0\.2\.\d+\n  run: func\(\) -> result$/m);
});

await check('inspect says that an artifact is a component', () => {
  const done = run(mayfly, ['inspect', compiled(command)]);
  assert.match(done.stdout, /^component: 4 core instances, initialisation done$/m);
  assert.match(done.stdout, /^import wasi:cli\/stdout@0\.2\.\d+#get-stdout: func\(\) -> own<output-stream>$/m);
  assert.match(done.stdout, /^export wasi:cli\/run@0\.2\.\d+#run: func\(\) -> result$/m);
});

// ---- a reactor in C, with types of all kinds ----

await check('a component of a world of its own', async () => {
  const file = await fromReactor(folder, 'reactor', guests.reactor, guests.reactorWit, 'guest');
  for (const level of levels) {
    const done = run(mayfly, ['inspect', compiled(file, '--level', level)]);
    assert.ok(done.stdout.includes('export test:guest/shapes@1.0.0#area: func(s: variant{circle(f64), ' +
      'rectangle(record{width: u32, height: u32}), nothing}) -> result<f64, string>\n'), done.stdout);
    assert.ok(done.stdout.includes('export test:guest/shapes@1.0.0#names: func(which: flags{a, b, c}, ' +
      'more: option<list<string>>) -> tuple<u8, list<string>>\n'), done.stdout);
  }
  const done = run(mayfly, ['run', file], { env });
  assert.equal(done.code, 1);
  assert.match(done.stderr, /exports no wasi:cli\/run of version 0\.2/);
});

await check('constructors of a reactor run once, at deploy', async () => {
  const file = await fromReactor(folder, 'initialised', guests.initialised, guests.initialisedWit,
    'guest');
  for (const level of levels) {
    const built = compile(file, '--level', level);
    assert.equal(built.code, 0, built.stderr);
    assert.doesNotMatch(built.stderr, /initialisation is left/);
    const done = run(mayfly, ['run', built.out]);
    assert.equal(done.code, 0, done.stderr);
  }
});

// ---- worlds ----

for (const world of ['cli/command', 'cli/imports', 'http/proxy']) {
  for (const version of ['0.2.12', '0.2.3', '0.2.99']) {
    await check(`hosts have every function of wasi:${world}@${version}, with its type`, async () => {
      compiled(await fromWorld(folder, world, version), '--level', 'fast');
    });
  }
}

// ---- in the text format ----

for (const [name, { text, stats, options = [], out = '', code = 0, err = /^$/ }] of Object.entries(guests.texts)) {
  await check(name, async () => {
    const file = await fromText(folder, name.replaceAll(/[^a-z]+/g, '-'), text);
    for (const level of levels) {
      const built = compile(file, '--level', level);
      assert.equal(built.code, 0, built.stderr);
      if (stats) assert.match(built.stderr, stats);
      const done = run(mayfly, ['run', ...options, built.out]);
      assert.equal(done.code, code, done.stderr);
      assert.equal(done.stdout, out);
      assert.match(done.stderr, err);
    }
  });
}

for (const [name, { text, error }] of Object.entries(guests.refused)) {
  await check(`refused: ${name}`, async () => {
    refused(await fromText(folder, name.replaceAll(/[^a-z]+/g, '-'), text), error);
  });
}

await check('refused: a component that is cut short', () => {
  const bytes = readFileSync(command);
  for (const size of [8, 9, 100, bytes.length >> 1, bytes.length - 1]) {
    const file = path.join(work, 'cut.wasm');
    writeFileSync(file, bytes.subarray(0, size));
    refused(file, /cut\.wasm: /);
  }
});

rmSync(work, { recursive: true, force: true });
finish();
