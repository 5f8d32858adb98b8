// Makes components with the tools of tests/tools, each once: what is in the folder is taken as it
// is, under a name that says what it was made of.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const scope = path.join(import.meta.dirname, '../tools/node_modules/@bytecodealliance');
const jco = path.join(scope, 'jco');

if (!existsSync(jco) || !existsSync(path.join(scope, 'componentize-js'))) {
  console.log('skipped: needs the packages of tests/tools');
  process.exit(77);
}

const tools = await import(pathToFileURL(path.join(jco, 'dist/api.js')));

const versionOf = (name) =>
  JSON.parse(readFileSync(path.join(scope, name, 'package.json'), 'utf8')).version;

// `make` gives the bytes of NAME-<digest of what is in `of`>.wasm below `folder`; the path.
async function once(folder, name, of, make) {
  mkdirSync(folder, { recursive: true });
  const digest = createHash('sha256').update(JSON.stringify(of)).digest('hex').slice(0, 16);
  const file = path.join(folder, `${name}-${digest}.wasm`);
  if (existsSync(file)) return file;
  writeFileSync(`${file}.${process.pid}`, await make());
  renameSync(`${file}.${process.pid}`, file);
  return file;
}

// The text format of components.
export function fromText(folder, name, text) {
  return once(folder, name, [text, versionOf('jco')], () => tools.parse(text));
}

function clang(folder, name, source, options) {
  const c = path.join(folder, `${name}.${process.pid}.c`);
  const out = path.join(folder, `${name}.${process.pid}.core`);
  writeFileSync(c, source);
  const target = existsSync('/usr/include/wasm32-wasi') ? 'wasm32-wasi' : 'wasm32-wasip1';
  execFileSync('clang-19', [`--target=${target}`, '-O2', '-Wall', '-Werror', ...options, c, '-o', out]);
  return readFileSync(out);
}

const adapter = (kind) => readFileSync(path.join(jco, `lib/wasi_snapshot_preview1.${kind}.wasm`));

// A preview 1 command in C as a component, as `jco new --wasi-command` makes it.
export function fromCommand(folder, name, source) {
  return once(folder, name, [source, 'command', versionOf('jco')], () =>
    tools.componentNew(clang(folder, name, source, []),
      [['wasi_snapshot_preview1', adapter('command')]]));
}

// The same in Rust, with Debian's compiler.
export function fromRust(folder, name, source) {
  return once(folder, name, [source, 'rust', versionOf('jco')], () => {
    const rs = path.join(folder, `${name}.${process.pid}.rs`);
    const out = path.join(folder, `${name}.${process.pid}.core`);
    const target = existsSync('/usr/lib/rustlib/wasm32-wasip1') ? 'wasm32-wasip1' : 'wasm32-wasi';
    writeFileSync(rs, source);
    execFileSync('/usr/bin/rustc', ['--edition', '2021', '--target', target, '--crate-name', name,
      '-D', 'warnings', '-C', 'opt-level=s', '-C', 'panic=abort', '-C', 'linker=wasm-ld',
      '-C', 'linker-flavor=wasm-ld', rs, '-o', out]);
    return tools.componentNew(readFileSync(out),
      [['wasi_snapshot_preview1', adapter('command')]]);
  });
}

// A C program of the world `world` of the package that `wit` describes.
export function fromReactor(folder, name, source, wit, world) {
  return once(folder, name, [source, wit, world, versionOf('jco')], async () => {
    const binary = clang(folder, name, source, ['-mexec-model=reactor']);
    const embedded = await tools.componentEmbed({ binary, witSource: wit, world });
    return tools.componentNew(embedded, [['wasi_snapshot_preview1', adapter('reactor')]]);
  });
}

// WASI 0.2's packages as one source, under some version of the track.
function wasiSource(version) {
  let text = '';
  for (const name of ['cli', 'clocks', 'filesystem', 'http', 'io', 'random', 'sockets']) {
    const file = path.join(jco, `lib/wit/builtin/0.2.12/wasi-${name}/package.wit`);
    text += readFileSync(file, 'utf8')
      .replaceAll('0.2.12', version)
      .replace(/^package ([^;]*);/m, 'package $1 {');
    text += '}\n';
  }
  return text;
}

// A component without sense that imports and exports all of a world of WASI 0.2.
export function fromWorld(folder, world, version) {
  const [name] = world.split('/').slice(1);
  const wit = `package test:worlds;\nworld w { include wasi:${world}@${version}; }\n` +
    wasiSource(version);
  return once(folder, `world-${name}`, [wit, versionOf('jco')], async () => {
    const core = await tools.componentEmbed({ dummy: true, witSource: wit, world: 'w' });
    return tools.componentNew(core, []);
  });
}

// A fetch handler for wasi:http/proxy by ComponentizeJS; takes 10 to 30 s.
export function fromJavaScript(folder, name, source) {
  return once(folder, name, [source, versionOf('componentize-js')], async () => {
    const file = path.join(scope, 'componentize-js/src/componentize.js');
    const { componentize } = await import(pathToFileURL(file));
    // It knows no later version.
    const witWorld =
      `package test:app;\nworld app { include wasi:http/proxy@0.2.10; }\n${wasiSource('0.2.10')}`;
    const { component } = await componentize(source, { witWorld, worldName: 'app' });
    return component;
  });
}
