// Usage: node header_commands.mjs compile_commands.json
//
// Prints, for each header below src/, a command that compiles it alone: the one of a source in the
// same folder, or further up, with the header in the source's place.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = process.cwd();
const commands = new Map(); // by folder
for (const { file, command } of JSON.parse(readFileSync(process.argv[2], 'utf8'))) {
  const folder = path.dirname(path.relative(root, file));
  if (file.endsWith('.c') && !commands.has(folder)) commands.set(folder, { file, command });
}

// Any source below `folder` has the flags of its module.
function commandFor(folder) {
  for (let at = folder; at !== 'src'; at = path.dirname(at)) {
    for (const [key, value] of commands) if (key === at || key.startsWith(`${at}/`)) return value;
  }
  return undefined;
}

for (const name of readdirSync('src', { recursive: true })) {
  const header = path.join('src', name);
  const found = header.endsWith('.h') && commandFor(path.dirname(header));
  if (!found || /^\.macro/m.test(readFileSync(header, 'utf8'))) continue; // or the assembler's
  const flags = found.command.split(' -o ')[0];
  console.log(`${flags} -Wno-unused-function -fsyntax-only -x c ${path.resolve(header)}`);
}
