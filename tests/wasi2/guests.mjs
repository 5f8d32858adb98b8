// Usage: node guests.mjs FOLDER MAYFLY
//
// Runs what guests/build has put into FOLDER under the program MAYFLY: each command of preview 1 as
// the module that it is and as the component that the adapter makes of it, which must print the
// same; and what calls WASI 0.2 itself. Prints a line for each check and ends with
// `N passed, N failed, N skipped`.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const RUN_MS_MAX = 120_000;
const TRAPPED = 134;
const [folder, mayfly] = process.argv.slice(2);

let passed = 0;
let failed = 0;
async function check(name, body) {
  try {
    await body();
    passed++;
    console.log(`ok ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}: ${error.message}`);
  }
}

// input: a string, a Buffer, or a function that gets the child's stdin.
function run(args, { input = '', readMax = Infinity } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(mayfly, ['run', ...args], { stdio: 'pipe', timeout: RUN_MS_MAX });
    const out = { stdout: [], stderr: [] };
    let size = 0;
    child.stdout.on('data', (chunk) => {
      out.stdout.push(chunk);
      size += chunk.length;
      if (size >= readMax) child.stdout.destroy();
    });
    child.stderr.on('data', (chunk) => out.stderr.push(chunk));
    child.stdin.on('error', () => {}); // the guest need not read it all
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({
      code: code ?? signal,
      stdout: Buffer.concat(out.stdout),
      stderr: Buffer.concat(out.stderr).toString(),
    }));
    if (typeof input === 'function') input(child.stdin);
    else child.stdin.end(input);
  });
}

// A folder to grant, with a neighbour that no guest may see.
function makeTree() {
  const base = mkdtempSync(path.join(tmpdir(), 'mayfly-wasi2-'));
  const root = path.join(base, 'root');
  mkdirSync(path.join(root, 'folder'), { recursive: true });
  writeFileSync(path.join(base, 'secret'), 'secret');
  writeFileSync(path.join(root, 'host.txt'), 'hello host');
  symlinkSync('host.txt', path.join(root, 'link'));
  symlinkSync('..', path.join(root, 'out'));
  const large = Buffer.alloc(300_000, 0).map((_, k) => (k * 7 + (k >> 8)) % 251);
  writeFileSync(path.join(root, 'folder', 'large'), large);
  for (let k = 0; k < 40; k++) writeFileSync(path.join(root, 'folder', `file-${k}`), '');
  return base;
}

const base = makeTree();
const granted = ['--env', 'KEY=value', '--dir', `${path.join(base, 'root')}::/:ro`];
const guest = (name) => path.join(folder, `${name}.wasm`);

async function checkTours() {
  for (const name of ['tour-c', 'tour-rs']) {
    await check(`${name}: the component prints what the module does`, async () => {
      const args = ['0', 'two words', ''];
      const input = 'from stdin';
      const module = await run([...granted, guest(name), ...args], { input });
      const component = await run([...granted, guest(`${name}.component`), ...args], { input });
      assert.equal(component.stdout.toString(), module.stdout.toString());
      assert.equal(component.stderr, module.stderr);
      assert.equal(module.code, 0);
      assert.equal(component.code, 0);
      assert.ok(module.stdout.length > 500);
    });
    await check(`${name}: the adapter knows failure, not its code`, async () => {
      const { code } = await run([...granted, guest(`${name}.component`), '7']);
      assert.equal(code, 1);
    });
    await check(`${name}: with nothing granted`, async () => {
      const module = await run([guest(name), '0']);
      const component = await run([guest(`${name}.component`), '0']);
      assert.equal(component.stdout.toString(), module.stdout.toString());
    });
  }
}

const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

async function checkPipes() {
  const cat = guest('cat.component');
  await check('16 MiB through a component', async () => {
    const bytes = randomBytes(16 << 20);
    const result = await run([cat], { input: bytes });
    assert.equal(result.code, 0);
    assert.equal(digest(result.stdout), digest(bytes));
  });
  for (const argument of [[], ['poll']]) {
    await check(`input in pieces ${argument}`, async () => {
      const result = await run([cat, ...argument], {
        input: (stdin) => {
          let left = 5;
          const next = () => {
            if (left-- === 0) stdin.end('end');
            else stdin.write(`piece ${left}\n`, () => setTimeout(next, 10));
          };
          next();
        },
      });
      assert.equal(result.stdout.toString(), 'piece 4\npiece 3\npiece 2\npiece 1\npiece 0\nend');
      assert.equal(result.code, 0);
    });
  }
  await check('input that is not read', async () => {
    const result = await run([cat, '1000'], { input: randomBytes(8 << 20) });
    assert.equal(result.stdout.length, 1000);
    assert.equal(result.code, 0);
  });
  await check('output that nobody reads', async () => {
    const result = await run([cat], { input: randomBytes(8 << 20), readMax: 1 });
    assert.equal(result.code, 1);
    assert.match(result.stderr, /^write: I\/O error\n$/);
  });
}

const direct = guest('direct');

async function checkDirect() {
  await check('check-write, write, flush, write-zeroes', async () => {
    const { stdout, code } = await run([direct, 'write']);
    assert.equal(code, 0);
    assert.equal(stdout.length, 200_003);
    assert.equal(stdout.subarray(0, 28).toString(), 'abcdefghijklmnopqrstuvwxyzab');
    assert.deepEqual([...stdout.subarray(-4)].map((byte) => byte === 0), [false, true, true, true]);
  });
  for (const name of ['splice', 'echo']) {
    await check(name, async () => {
      const bytes = randomBytes(100_000);
      const { stdout, code } = await run([direct, name], { input: bytes });
      assert.equal(code, 0);
      assert.equal(digest(stdout), digest(bytes));
    });
  }
  await check('poll over timers of another version', async () => {
    const { stdout, code } = await run([direct, 'poll']);
    assert.equal(stdout.toString(), 'ready: 1\nfirst: 1\nwaited: 1\n');
    assert.equal(code, 0);
  });
  await check('every small function', async () => {
    const { stdout, stderr, code } = await run([...granted, direct, 'small']);
    assert.equal(stdout.toString(), [
      'random: 16', 'seed: 1', 'cwd: 0', 'terminal: 0', 'config: 0', 'tcp: 101', 'lookup: 101',
      'folders: 1', 'type: 3', 'create: 133', ''].join('\n'));
    assert.match(stderr, /topic/);
    assert.match(stderr, /it works/);
    assert.equal(code, 0);
  });
  for (const [name, code] of [['exit-7', 7], ['exit-error', 1], ['unknown', 1]]) {
    await check(name, async () => assert.equal((await run([direct, name])).code, code));
  }
}

async function checkReactor() {
  await check('a reactor with libc and imports of its own', async () => {
    const { stdout, code } = await run([...granted, guest('reactor')]);
    assert.equal(stdout.toString(),
      'initialised: 42\nrandom: 1\nfile: hello host\nKEY: value\n');
    assert.equal(code, 0);
    assert.equal((await run([guest('reactor')])).code, 1);
  });
}

// What the guest does wrong, and what the trap says.
const wrong = [
  ['parent-first', /a resource is dropped before what was made from it/],
  ['dropped-twice', /unknown handle index/],
  ['type', /wrong type/],
  ['handle', /unknown handle index/],
  ['pointer', /out of bounds/],
  ['result', /out of bounds/],
  ['result-alignment', /unaligned/],
  ['list-alignment', /unaligned/],
  ['list-length', /poll: over 4096 pollables/],
  ['empty-poll', /poll: no pollables/],
  ['write-too-much', /larger than what check-write permitted/],
  ['text', /utf-8/],
  ['level', /no such level/],
  ['realloc', /not aligned/],
];

async function checkWrong() {
  for (const [name, text] of wrong) {
    await check(`a trap: ${name}`, async () => {
      const { stderr, code } = await run([direct, name]);
      assert.equal(code, TRAPPED);
      assert.match(stderr, text);
      assert.match(stderr, /wasi:cli\/run/); // a backtrace
    });
  }
}

try {
  await checkTours();
  await checkPipes();
  await checkDirect();
  await checkReactor();
  await checkWrong();
  await check('nothing was changed', () =>
    assert.deepEqual(readdirSync(path.join(base, 'root')), ['folder', 'host.txt', 'link', 'out']));
} finally {
  rmSync(base, { recursive: true });
}
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exitCode = failed ? 1 : 0;
