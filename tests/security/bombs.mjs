// bombs.mjs MAYFLY [--long|--only NAME]: compiles modules that are made to be expensive. Each must end before its
// deadline: compiled, be it at a slower level, or refused with one line that says why. The short form
// leaves out those that take long.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bombs } from './bomb_modules.mjs';

const DEADLINE_S = 60; // on two idle cores nearly all end in a third of it
const GRACE_S = 60;    // on a busy machine, to write and clean up

const LINE_MAX = 4096; // a backtrace stands on it

const mayfly = process.argv[2], only = process.argv[4];
const long = process.argv[3] === '--long' || process.env.SECURITY_LONG;
const chosen = bombs.filter((b) => (only ? b.name.includes(only) : long || !b.slow));

function compile(folder, bomb) {
  const path = join(folder, 'bomb.wasm');
  writeFileSync(path, bomb.bytes());
  const start = Date.now();
  const run = spawnSync(mayfly, ['compile', '--deadline', `${DEADLINE_S}`, path, '-o',
    join(folder, 'bomb.mfa')], { encoding: 'utf8', timeout: (DEADLINE_S + GRACE_S) * 1000,
    env: { ...process.env, XDG_CACHE_HOME: folder } }); // a function cache that knows nothing
  return { ...run, seconds: (Date.now() - start) / 1000 };
}

// '' when the outcome is one of the two that are allowed.
function judge(run, bomb) {
  if (run.error) return `did not end: ${run.error.code}`;
  if (run.signal) return `killed by ${run.signal}`;
  if (run.status === 0) return '';
  if (bomb.compiles) return `refused: ${run.stderr.slice(0, 200)}`;
  if (run.status !== 1) return `exit code ${run.status}`;
  const lines = run.stderr.trimEnd().split('\n');
  return lines[0].startsWith('mayfly') && lines[0].length < LINE_MAX ? '' : `says: ${run.stderr.slice(0, 200)}`;
}

const folder = mkdtempSync(join(tmpdir(), 'mayfly-bombs-'));
let failed = 0;
try {
  for (const bomb of chosen) {
    const run = compile(folder, bomb), why = judge(run, bomb);
    if (why) failed++;
    console.log(`${why ? 'FAIL' : 'ok'} ${run.seconds.toFixed(1)} s ${bomb.name}: ` +
      (why || (run.status ? run.stderr.split('\n')[0].replace(folder, '') : 'compiled')));
  }
} finally {
  rmSync(folder, { recursive: true });
}
console.log(`${chosen.length - failed} passed, ${failed} failed, 0 skipped`);
process.exit(failed ? 1 : 0);
