// Checks what the rows of src/*/CMakeLists.txt promise: a module includes only its own headers and
// the doors of the modules that it USES; the rows have no cycle; no file outgrows its limit.
// Prints one line for each breach and ends with 1 if there is any.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

const FILE_BYTES_MAX = 50_000;
const breaches = [];

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true })
    .map((name) => path.join(folder, name))
    .filter((name) => statSync(name).isFile());
}

function readModule(name) {
  const text = readFileSync(`src/${name}/CMakeLists.txt`, 'utf8').replace(/#.*/g, '');
  const row = /mayfly_module\(([^)]*)\)/.exec(text);
  if (!row) return undefined;
  const words = row[1].trim().split(/\s+/);
  const lists = { USES: [], DOORS: [], LINKS: [] };
  let list = [];
  for (const word of words.slice(1)) {
    if (lists[word]) list = lists[word];
    else list.push(word);
  }
  if (!lists.DOORS.length) lists.DOORS.push(`${name}.h`);
  return { uses: lists.USES, doors: lists.DOORS };
}

const modules = new Map();
for (const name of readdirSync('src')) {
  if (!existsSync(`src/${name}/CMakeLists.txt`)) continue;
  const module = readModule(name);
  if (module) modules.set(name, module);
}

function checkCycle(name, trail) {
  if (trail.includes(name)) return breaches.push(`cycle: ${[...trail, name].join(' -> ')}`);
  for (const used of modules.get(name)?.uses ?? []) {
    if (!modules.has(used)) breaches.push(`src/${name}/CMakeLists.txt: no module ${used}`);
    else checkCycle(used, [...trail, name]);
  }
}

function checkInclude(file, owner, included) {
  const other = included.split('/')[0];
  if (!modules.has(other) || !included.includes('/')) return;
  const door = included.slice(other.length + 1);
  const own = other === owner || path.dirname(file).startsWith(`src/${other}`);
  if (own) return;
  if (!modules.get(owner).uses.includes(other)) {
    breaches.push(`${file}: ${owner} may not use ${other} (${included})`);
  } else if (!modules.get(other).doors.includes(door)) {
    breaches.push(`${file}: ${included} is private to ${other}`);
  }
}

for (const [owner, module] of modules) {
  checkCycle(owner, []);
  for (const door of module.doors) {
    if (!existsSync(`src/${owner}/${door}`)) breaches.push(`src/${owner}: door ${door} is missing`);
  }
  for (const file of filesBelow(`src/${owner}`)) {
    if (!/\.[chS]$/.test(file)) continue;
    const text = readFileSync(file, 'utf8');
    if (text.length > FILE_BYTES_MAX) breaches.push(`${file}: over ${FILE_BYTES_MAX} bytes`);
    for (const [, included] of text.matchAll(/^\s*#\s*include\s+"([^"]+)"/gm)) {
      if (included.startsWith('..')) breaches.push(`${file}: climbs out with ${included}`);
      checkInclude(file, owner, included);
    }
  }
}

for (const breach of new Set(breaches)) console.log(breach);
process.exit(breaches.length ? 1 : 0);
