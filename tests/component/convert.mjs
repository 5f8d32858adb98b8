// node convert.mjs COMPONENT_SUITE_FOLDER OUT_FOLDER
//
// Converts every .wast file of the component model's suite into OUT/NAME.script and OUT/NAME.bin,
// NAME being the path with '-' for '/'; script.mjs describes the format. A file whose text,
// converter and text parser did not change is left as it is. OUT/index lists the names, in order.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { convert } from './script.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const jco = join(here, '../tools/node_modules/@bytecodealliance/jco');
const [suite, out] = process.argv.slice(2);
if (!suite || !out) {
  console.error('usage: node convert.mjs COMPONENT_SUITE_FOLDER OUT_FOLDER');
  process.exit(2);
}

const digest = (...parts) => {
  const h = createHash('sha256');
  for (const p of parts) h.update(p);
  return h.digest('hex');
};
const converterKey = digest(
  readFileSync(join(jco, 'package.json')),
  ...['convert.mjs', 'script.mjs', '../spec/sexpr.mjs'].map((name) => readFileSync(join(here, name))),
);

let parser = null;
async function parseText(text) {
  parser ??= await import(pathToFileURL(join(jco, 'dist/api.js')));
  return parser.parse(text);
}

function put(path, bytes) {
  writeFileSync(path + '.new', bytes);
  renameSync(path + '.new', path);
}

const files = readdirSync(suite, { recursive: true })
  .filter((path) => path.endsWith('.wast'))
  .sort()
  .map((path) => ({ path, name: path.slice(0, -5).replaceAll('/', '-') }));
if (files.length === 0) {
  console.error(`convert: no .wast files in ${suite}`);
  process.exit(1);
}
mkdirSync(out, { recursive: true });
let converted = 0;
for (const { path, name } of files) {
  const source = readFileSync(join(suite, path));
  const first = `component ${digest(converterKey, source)} ${path}`;
  const script = join(out, name + '.script');
  if (existsSync(script) && readFileSync(script, 'utf8').startsWith(first + '\n')) continue;
  const { lines, bytes } = await convert(source.toString('latin1'), parseText);
  put(join(out, name + '.bin'), bytes);
  put(script, [first, ...lines, ''].join('\n'));
  converted++;
}
put(join(out, 'index'), files.map((f) => f.name + '\n').join(''));
console.log(`${files.length} files, ${converted} converted`);
