// code_check.mjs ARTIFACT…: disassembles the code of artifacts and proves, function by function,
// that it cannot leave its sandbox. Exit code 1 when something is not proved.
//
// Every access to memory must be one of: the guest's memory, at the base register plus an index
// that is at most 32 bits wide and zero-extended, inside one lane (or, in 64-bit memories, plus an
// index that was compared with the memory's size); the context at constant places or inside a
// table; this function's own frame; read-only data; pointers to helpers. Calls go to functions,
// through the function table, or to helpers. Only known instructions occur. Callee-saved registers,
// the stack pointer and the return address are as they were when a function ends.
import { existsSync } from 'node:fs';
import { readArtifact } from './artifact.mjs';
import { disassemble } from './disassemble.mjs';
import { checkProgram } from './function_check.mjs';

const ERRORS_SHOWN = 10;

const paths = process.argv.slice(2).filter((path) => existsSync(path));
if (!paths.length) {
  console.log('skipped: no artifacts are there');
  process.exit(77);
}
const total = { functions: 0, instructions: 0, guest: 0, checked64: 0, counters: 0, unreached: 0 };
let failed = 0, passed = 0;
for (const path of paths) {
  const program = readArtifact(path);
  const { counts, errors } = checkProgram(program, disassemble(program.code));
  for (const key of Object.keys(total)) total[key] += counts[key];
  for (const e of errors.slice(0, ERRORS_SHOWN))
    console.log(`FAIL ${path}: ${e.fn} at 0x${e.at.toString(16)}: ${e.text}: ${e.why}`);
  if (errors.length) {
    console.log(`${path}: ${errors.length} not proved`);
    failed++;
  } else passed++;
}
console.log(`${total.instructions} instructions of ${total.functions} functions: ` +
  `${total.guest} accesses to 32-bit memories, ${total.checked64} checked ones to 64-bit memories, ` +
  `${total.counters} by loop counters, ${total.unreached} instructions unreachable`);
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exit(failed ? 1 : 0);
