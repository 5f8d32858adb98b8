// Usage: node componentize.mjs TOOLS ADAPTER (IN OUT)…
//
// Makes components of preview 1 modules, as `jco new --wasi-ADAPTER IN -o OUT` does. TOOLS is a
// node_modules folder with jco, ADAPTER "command" or "reactor".
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [tools, kind, ...files] = process.argv.slice(2);
const jco = `${tools}/@bytecodealliance/jco`;
const { componentNew } = await import(pathToFileURL(`${jco}/dist/api.js`));
const adapter = readFileSync(`${jco}/lib/wasi_snapshot_preview1.${kind}.wasm`);

while (files.length) {
    const core = readFileSync(files.shift());
    writeFileSync(files.shift(), await componentNew(core, [['wasi_snapshot_preview1', adapter]]));
}
