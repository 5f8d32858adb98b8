// Usage: node world.mjs MAYFLY
//
// Components that import every function of the worlds of wasi:http and wasi:cli, in several versions
// of WASI 0.2: they are to be linked, which compares each function's type. Prints a line for each and
// ends with `N passed, N failed, N skipped`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

const mayfly = process.argv[2];
const jco = createRequire(path.join(import.meta.dirname, '../tools/x')).resolve('@bytecodealliance/jco');
const { componentEmbed, componentNew } = await import(jco);
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
rmSync(folder, { recursive: true });
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exit(failed ? 1 : 0);
