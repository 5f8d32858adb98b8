// Usage: node make-component.mjs CORE.wasm COMPONENT.wasm
//
// Makes a component for wasi:http/proxy of a core module that was built with wasi_http.h, with the
// npm package @bytecodealliance/jco, which has the WIT as well. Node looks for it from the folder
// of this file upwards; JCO=FOLDER names another place that has it in its node_modules.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [core, component] = process.argv.slice(2);
if (!component) {
  console.error('usage: make-component.mjs CORE.wasm COMPONENT.wasm');
  process.exit(2);
}

const from = process.env.JCO ? pathToFileURL(path.resolve(process.env.JCO, 'x')) : import.meta.url;
const entry = createRequire(from).resolve('@bytecodealliance/jco');
const { componentEmbed, componentNew, preview1AdapterReactorPath } = await import(pathToFileURL(entry));

// All packages of WIT as one text: jco reads no folders in every version.
const wit = path.join(path.dirname(entry), '../lib/wit/builtin/0.2.12');
const packages = readdirSync(wit).map((name) =>
  readFileSync(path.join(wit, name, 'package.wit'), 'utf8').replace(/^package ([^;]+);/m, 'package $1 {') + '\n}\n');
const witSource = ['package app:server;\nworld server { include wasi:http/proxy@0.2.12; }\n', ...packages].join('');

const binary = await componentEmbed({ binary: readFileSync(core), witSource, world: 'server' });
const adapter = ['wasi_snapshot_preview1', readFileSync(preview1AdapterReactorPath())];
writeFileSync(component, await componentNew(binary, [adapter]));
