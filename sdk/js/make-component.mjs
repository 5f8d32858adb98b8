// Usage: node make-component.mjs SOURCE.js COMPONENT.wasm
//
// Makes a component for wasi:http/proxy of a JavaScript module with a fetch handler, with the npm
// packages @bytecodealliance/jco, which has the WIT, and @bytecodealliance/componentize-js, which it
// depends on. Node looks for them from the folder of this file upwards; JCO=FOLDER names another
// place that has them in its node_modules.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [source, out] = process.argv.slice(2);
if (!out) {
  console.error('usage: make-component.mjs SOURCE.js COMPONENT.wasm');
  process.exit(2);
}

const { resolve } = createRequire(process.env.JCO ? pathToFileURL(path.resolve(process.env.JCO, 'x')) : import.meta.url);
// It can be imported, not required: so not by its name.
const componentizer = resolve.paths('@bytecodealliance/componentize-js')
  .map((folder) => path.join(folder, '@bytecodealliance/componentize-js/src/componentize.js')).find(existsSync);
if (!componentizer) throw new Error('the npm package @bytecodealliance/componentize-js is not there');
const { componentize } = await import(pathToFileURL(componentizer));

// The engine is built for this version of WIT; hosts take every 0.2.x alike.
const VERSION = '0.2.10';
const wit = path.join(path.dirname(resolve('@bytecodealliance/jco')), '../lib/wit/builtin/0.2.12');
const packages = readdirSync(wit).map((name) =>
  readFileSync(path.join(wit, name, 'package.wit'), 'utf8').replaceAll('0.2.12', VERSION)
    .replace(/^package ([^;]+);/m, 'package $1 {') + '\n}\n');
const witWorld = [`package app:server;\nworld server { include wasi:http/proxy@${VERSION}; }\n`, ...packages].join('');

const { component } = await componentize({ sourcePath: path.resolve(source), witWorld, worldName: 'server' });
writeFileSync(out, component);
