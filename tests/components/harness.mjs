// Checks that count themselves, and the programs under test.
import { spawnSync } from 'node:child_process';

let passed = 0;
let failed = 0;

export async function check(name, body) {
  try {
    await body();
    passed++;
    console.log(`ok ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}: ${error.message}`);
  }
}

export function finish() {
  console.log(`${passed} passed, ${failed} failed, 0 skipped`);
  process.exit(failed ? 1 : 0);
}

export function run(command, args, { input = '', env = {}, ms = 300_000 } = {}) {
  const done = spawnSync(command, args, {
    input, timeout: ms, maxBuffer: 1 << 28, env: { ...process.env, ...env },
  });
  return {
    code: done.status,
    signal: done.signal,
    stdout: done.stdout.toString(),
    stderr: done.stderr.toString(),
  };
}
