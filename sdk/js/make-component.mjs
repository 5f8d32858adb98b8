// Usage: node make-component.mjs SOURCE COMPONENT.wasm
//
// Makes a component for wasi:http/proxy of a module with a fetch handler, in JavaScript or TypeScript
// (.js, .ts, .jsx, .tsx), with what it imports from other files and from npm. Needs the npm packages
// @bytecodealliance/jco, which has the WIT and the bundler, and @bytecodealliance/componentize-js.
// Node looks for them from the folder of this file upwards; JCO=FOLDER names another place that has
// them in its node_modules.
//
// Beside the proxy's world there is wasi:cli/environment, for settings:
//   import { getEnvironment } from 'wasi:cli/environment@0.2.10';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [source, out] = process.argv.slice(2);
if (!out) {
  console.error('usage: make-component.mjs SOURCE COMPONENT.wasm');
  process.exit(2);
}

const { resolve } = createRequire(process.env.JCO ? pathToFileURL(path.resolve(process.env.JCO, 'x')) : import.meta.url);
// Some can be imported, not required: so not by their names.
const folders = resolve.paths('@bytecodealliance/componentize-js');
async function load(file) {
  const found = folders.map((folder) => path.join(folder, file)).find(existsSync);
  if (!found) throw new Error(`the npm package of ${file} is not there`);
  return import(pathToFileURL(found));
}
const { componentize } = await load('@bytecodealliance/componentize-js/src/componentize.js');

// One file of plain JavaScript; what the host gives is left as an import.
async function bundle(from, to) {
  const { build } = await load('rolldown/dist/index.mjs');
  await build({
    input: from,
    external: [/^wasi:/],
    platform: 'neutral',
    resolve: { modules: ['node_modules', ...folders], mainFields: ['module', 'main'], conditionNames: ['import', 'default'] },
    output: { file: to, format: 'esm' },
    logLevel: 'warn',
  });
}

// The engine is built for this version of WIT; hosts take every 0.2.x alike.
const VERSION = '0.2.10';
const wit = path.join(path.dirname(resolve('@bytecodealliance/jco')), '../lib/wit/builtin/0.2.12');
const packages = readdirSync(wit).map((name) =>
  readFileSync(path.join(wit, name, 'package.wit'), 'utf8').replaceAll('0.2.12', VERSION)
    .replace(/^package ([^;]+);/m, 'package $1 {') + '\n}\n');
const witWorld = [`package app:server;\nworld server { include wasi:http/proxy@${VERSION}; import wasi:cli/environment@${VERSION}; }\n`, ...packages].join('');

const bundled = `${path.resolve(out)}.bundle.js`;
try {
  await bundle(path.resolve(source), bundled);
  const { component } = await componentize({ sourcePath: bundled, witWorld, worldName: 'server' });
  writeFileSync(out, component);
} finally {
  rmSync(bundled, { force: true });
}
