// node convert.mjs WASM_SUITE_FOLDER OUT_FOLDER
//
// Converts every .wast file of the core test suite (and of its legacy/ folder) into
// OUT/NAME.script and OUT/NAME.bin, and spectest.wat into OUT/spectest.wasm; see script.mjs for the
// format. A file whose text, converter and text parser did not change is left as it is.
// OUT/index lists the names, in order.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { convert } from './script.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const jco = join(here, '../tools/node_modules/@bytecodealliance/jco');
const [suite, out] = process.argv.slice(2);
if (!suite || !out) {
  console.error('usage: node convert.mjs WASM_SUITE_FOLDER OUT_FOLDER');
  process.exit(2);
}

const digest = (...parts) => {
  const h = createHash('sha256');
  for (const p of parts) h.update(p);
  return h.digest('hex');
};
const sources = ['convert.mjs', 'script.mjs', 'sexpr.mjs', 'numbers.mjs', 'spectest.wat'];
const converterKey = digest(
  readFileSync(join(jco, 'package.json')),
  ...sources.map((name) => readFileSync(join(here, name))),
);

let parser = null;
async function parseText(text) {
  parser ??= await import(pathToFileURL(join(jco, 'dist/api.js')));
  return parser.parse(text);
}

// The legacy exception instructions are gone from the parser above; wabt still reads them.
async function parseLegacyText(text) {
  try {
    return await parseText(text);
  } catch (refusal) {
    const wat = join(out, 'legacy.wat');
    const wasm = join(out, 'legacy.wasm');
    writeFileSync(wat, text);
    const args = ['--enable-exceptions', '--enable-tail-call', '--no-check', wat, '-o', wasm];
    if (spawnSync('wat2wasm', args).status !== 0) throw refusal;
    return readFileSync(wasm);
  }
}

function put(path, bytes) {
  writeFileSync(path + '.new', bytes);
  renameSync(path + '.new', path);
}

const wastNames = (folder, prefix) =>
  existsSync(join(suite, folder))
    ? readdirSync(join(suite, folder))
        .filter((name) => name.endsWith('.wast'))
        .sort()
        .map((name) => ({ path: join(folder, name), name: prefix + name.slice(0, -5) }))
    : [];

const files = [...wastNames('.', ''), ...wastNames('legacy', 'legacy-')];
if (files.length === 0) {
  console.error(`convert: no .wast files in ${suite}`);
  process.exit(1);
}
mkdirSync(out, { recursive: true });
let converted = 0;
for (const { path, name } of files) {
  const source = readFileSync(join(suite, path));
  const first = `spec ${digest(converterKey, source)} ${path}`;
  const script = join(out, name + '.script');
  if (existsSync(script) && readFileSync(script, 'utf8').startsWith(first + '\n')) continue;
  const { lines, bytes } = await convert(
    source.toString('latin1'),
    name.startsWith('legacy-') ? parseLegacyText : parseText,
  );
  put(join(out, name + '.bin'), bytes);
  put(script, [first, ...lines, ''].join('\n'));
  converted++;
}
if (converted > 0 || !existsSync(join(out, 'spectest.wasm')))
  put(join(out, 'spectest.wasm'), await parseText(readFileSync(join(here, 'spectest.wat'), 'utf8')));
put(join(out, 'index'), files.map((f) => f.name + '\n').join(''));
console.log(`${files.length} files, ${converted} converted`);
