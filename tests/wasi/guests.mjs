// Usage: node guests.mjs FOLDER MAYFLY [--record]
//
// Runs the guests that guests/build has put into FOLDER under the program MAYFLY, and compares what
// they print with guests/NAME.expected and with Node's own WASI. Prints a line for each check and
// ends with `N passed, N failed, N skipped`. With --record it writes the expected outputs instead.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  lstatSync, mkdtempSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const RUN_MS_MAX = 120_000;
const FUNCTIONS = 46;
const here = path.join(import.meta.dirname, 'guests');
const [folder, mayfly, mode] = process.argv.slice(2);

// name, exit code, whether the module calls every function by itself
const guests = [['calls', 42, true], ['libc', 7, false], ['std', 9, true], ['shim', 3, true]];

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

// A fresh granted folder with a neighbour that must not change.
function makeTree() {
  const base = mkdtempSync(path.join(tmpdir(), 'mayfly-wasi-'));
  mkdirSync(path.join(base, 'root'));
  writeFileSync(path.join(base, 'root', 'host.txt'), 'hello host');
  symlinkSync('..', path.join(base, 'root', 'out'));
  return base;
}

// input: a string, a Buffer, or a function that gets the child's stdin.
function run(command, args, { input = '', readMax = Infinity } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'pipe', timeout: RUN_MS_MAX });
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

async function runInTree(command, makeArgs) {
  const base = makeTree();
  try {
    const before = lstatSync(base).mtimeNs;
    const result = await run(command, makeArgs(path.join(base, 'root')), { input: 'from stdin' });
    assert.deepEqual(readdirSync(base), ['root'], 'something was made outside the folder');
    assert.equal(lstatSync(base).mtimeNs, before);
    return result;
  } finally {
    rmSync(base, { recursive: true });
  }
}

function underMayfly(file, ...args) {
  return runInTree(mayfly, (root) =>
    ['run', '--env', 'KEY=value', '--dir', `${root}::/`, path.join(folder, file), ...args]);
}

function underNode(file, ...args) {
  const wasm = path.join(folder, file);
  return runInTree(process.execPath, (root) =>
    ['--no-warnings', path.join(here, 'node_host.mjs'), wasm, root, wasm, ...args]);
}

async function checkGuest(name, exitCode, callsAll) {
  const expected = path.join(here, `${name}.expected`);
  if (mode === '--record') {
    writeFileSync(expected, (await underMayfly(`${name}.wasm`, 'one', 'all')).stdout);
    return;
  }
  for (const kind of ['wasm', 'mfa']) {
    await check(`${name}.${kind} prints what is expected`, async () => {
      const result = await underMayfly(`${name}.${kind}`, 'one', 'all');
      assert.equal(result.stdout.toString(), readFileSync(expected, 'utf8'));
      assert.equal(result.code, exitCode);
      if (name !== 'calls') assert.equal(result.stderr, 'to stderr\n');
    });
  }
  await check(`${name} prints the same under Node`, async () => {
    const [ours, theirs] = await Promise.all(
      [underMayfly(`${name}.wasm`, 'one'), underNode(`${name}.wasm`, 'one')]);
    // Node rounds a wait down now and then; that ours was long enough is checked above.
    const timeless = (bytes) => bytes.toString().replace(/slept(:?) (\d|true|false)/g, 'slept$1 ?');
    assert.equal(timeless(ours.stdout), timeless(theirs.stdout));
    assert.equal(ours.code, theirs.code);
  });
  if (!callsAll) return;
  await check(`${name} imports every function`, async () => {
    const module = await WebAssembly.compile(readFileSync(path.join(folder, `${name}.wasm`)));
    assert.equal(WebAssembly.Module.imports(module).length, FUNCTIONS);
  });
}

const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

async function checkPipes() {
  const cat = path.join(folder, 'cat.wasm');
  await check('16 MiB through a guest', async () => {
    const bytes = randomBytes(16 << 20);
    const result = await run(mayfly, ['run', cat], { input: bytes });
    assert.equal(result.code, 0);
    assert.equal(digest(result.stdout), digest(bytes));
  });
  for (const argument of [[], ['poll']]) {
    await check(`input in pieces ${argument}`, async () => {
      const result = await run(mayfly, ['run', cat, ...argument], {
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
    const result = await run(mayfly, ['run', cat, '1000'], { input: randomBytes(8 << 20) });
    assert.equal(result.stdout.length, 1000);
    assert.equal(result.code, 0);
  });
  await check('output that nobody reads', async () => {
    const result = await run(mayfly, ['run', cat], { input: randomBytes(8 << 20), readMax: 1 });
    assert.equal(result.code, 4);
    assert.match(result.stderr, /^write: Broken pipe\n$/);
  });
}

async function checkGrants() {
  await check('nothing granted: no folder, no variable', async () => {
    const { stdout } = await run(mayfly, ['run', path.join(folder, 'libc.wasm'), 'one']);
    assert.match(stdout.toString(), /^argument: one\ngetenv: none\nno HOME: 1\nfgets: none\n/);
  });
  await check('a read-only folder', async () => {
    const base = makeTree();
    const root = path.join(base, 'root');
    const result = await run(mayfly, ['run', '--dir', `${root}::/:ro`,
      path.join(folder, 'calls.wasm'), 'one'], { input: 'x' });
    assert.match(result.stdout.toString(), /open_at\("new".*: ROFS\n/);
    assert.match(result.stdout.toString(), /path_create_directory\(3?ROOT, "folder"\): ROFS\n/);
    assert.deepEqual(readdirSync(root).sort(), ['host.txt', 'out']);
    rmSync(base, { recursive: true });
  });
}

for (const guest of guests) await checkGuest(...guest);
if (mode !== '--record') {
  await checkPipes();
  await checkGrants();
  console.log(`${passed} passed, ${failed} failed, 0 skipped`);
  process.exitCode = failed ? 1 : 0;
}
