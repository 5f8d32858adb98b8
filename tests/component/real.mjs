// node real.mjs VALIDATE_STREAM OUT
//
// Makes components as toolchains make them, writes them to OUT, and has each decoded, validated and
// planned: a C program as a command, every world of WASI 0.2 and 0.3 with all it imports and
// exports, and a world with every kind of type. Exit code 77 without the packages of tests/tools.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const jco = join(here, '../tools/node_modules/@bytecodealliance/jco');
const [stream, out] = process.argv.slice(2);
if (!existsSync(jco)) {
  console.log('skipped: needs the packages of tests/tools');
  process.exit(77);
}
const tools = await import(pathToFileURL(join(jco, 'dist/api.js')));
mkdirSync(out, { recursive: true });
let passed = 0;
let failed = 0;

function check(name, bytes) {
  writeFileSync(join(out, name), bytes);
  const head = Buffer.alloc(4);
  head.writeUInt32LE(bytes.length);
  const run = spawnSync(stream, { input: Buffer.concat([head, bytes]) });
  const verdict = run.stdout.toString().trim();
  if (verdict === 'ok') passed++;
  else failed++;
  if (verdict !== 'ok') console.log(`FAIL ${name}: ${verdict} ${run.stderr}`);
}

// All packages of one version in one text: "package a:b;" with a file of its own becomes a block.
function packages(version) {
  const folder = join(jco, 'lib/wit/builtin', version);
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name, 'package.wit'), 'utf8'))
    .map((text) => text.replace(/^([^]*?)package ([^;]*);([^]*)$/, '$1package $2 {\n$3\n}\n'))
    .join('\n');
}

async function world(name, body, version) {
  const witSource = `package a:b;\nworld w { ${body} }\n${version ? packages(version) : ''}`;
  const core = await tools.componentEmbed({ dummy: true, witSource, world: 'w' });
  check(name, Buffer.from(await tools.componentNew(core, [])));
}

const everyType = `
  import t: interface {
    resource q {
      constructor(a: list<string>);
      m: func(x: option<result<u8, string>>) -> tuple<f32, f64>;
      s: static func() -> own<q>;
    }
    flags bits { a, b, c }
    enum e { x, y }
    record p { a: u8, b: bits, c: list<e> }
    variant v { a(p), b(list<u8>), c }
    f: func(p: p, v: v, r: borrow<q>) -> result<v, e>;
    g: func(a: string, b: char, c: bool, d: s64, e: u16) -> list<tuple<string, u32>>;
    h: async func(s: stream<u8>) -> future<p>;
  }
  export run: func(x: list<string>) -> string;
  export later: async func(x: result<_, string>) -> option<list<u64>>;`;

const c = join(out, 'command.c');
const core = join(out, 'command.core');
writeFileSync(c, '#include <stdio.h>\nint main(void) { char b[9]; return !fgets(b, 9, stdin) || puts(b); }\n');
const clang = spawnSync('clang-19', ['--target=wasm32-wasi', '-O2', c, '-o', core]);
if (clang.status === 0) {
  const adapter = readFileSync(tools.preview1AdapterCommandPath());
  const made = await tools.componentNew(readFileSync(core), [['wasi_snapshot_preview1', adapter]]);
  check('command.wasm', Buffer.from(made));
} else {
  console.log(`skipped: no C for wasm32-wasi here: ${clang.stderr ?? clang.error}`);
}
for (const [version, names] of [
  ['0.2.12', ['cli/command', 'cli/imports', 'http/proxy']],
  ['0.3.0', ['cli/command', 'cli/imports', 'http/service', 'http/middleware']],
])
  for (const name of names)
    await world(`${version}-${name.replace('/', '-')}.wasm`, `include wasi:${name}@${version};`, version);
await world('types.wasm', everyType, null);
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exit(failed ? 1 : 0);
