// Usage: node node_host.mjs FILE.wasm FOLDER [ARGUMENT...]
//
// Runs a preview 1 command under Node's own WASI: what our outputs are compared with.
import { readFile } from 'node:fs/promises';
import { WASI } from 'node:wasi';

const [file, folder, ...args] = process.argv.slice(2);
const wasi = new WASI({
  version: 'preview1',
  args,
  env: { KEY: 'value' },
  preopens: { '/': folder },
  returnOnExit: true,
});
const module = await WebAssembly.compile(await readFile(file));
process.exitCode = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
