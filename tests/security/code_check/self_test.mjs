// self_test.mjs: the code check finds each instruction that was broken on purpose, and nothing in
// the whole ones. Assembled by clang.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { disassemble } from './disassemble.mjs';
import { checkProgram } from './function_check.mjs';

const SLOT_BYTES = 256;
const CONTEXT_BYTES = 4096;

// [name, what must be found ('' for nothing), instructions before the `ret`, more]. The base is
// r13, parameters come in edi, esi, edx; the memory's size stands at base - 8, a table's at
// base - 16, its 10 elements at base - 1024.
const CASES = [
  ['a load', '', 'mov eax, edi; mov eax, [r13 + rax + 8]'],
  ['a store of the farthest address', '', 'mov eax, edi; mov ecx, 0xffffffff; add rcx, rax; movups [r13 + rcx], xmm0'],
  ['a spilled address', '', 'sub rsp, 24; mov eax, edi; mov [rsp + 8], rax; call good; mov rax, [rsp + 8]; mov eax, [r13 + rax]; add rsp, 24'],
  ['an address through lea', '', 'mov eax, edi; lea rcx, [r13 + rax]; mov edx, [rcx + 100]'],
  ['an index that can only be 0', '', 'xor eax, eax; cmp edi, 1; adc eax, 2; jne 1f; mov eax, [r13 + 4*rax - 1024]; 1:'],
  ['the carry of an addition with carry', 'outside of the context', 'xor eax, eax; cmp edi, 1; adc eax, 2; jae 1f; mov eax, edi; mov eax, [r13 + 4*rax - 1024]; 1:'],
  ['a table element', '', 'cmp edi, [r13 - 16]; jae 1f; mov eax, edi; mov eax, [r13 + 4*rax - 1024]; 1:'],
  ['a 64-bit memory', '', 'mov rax, [r13 - 8]; sub rax, 4; cmp rdi, rax; ja 1f; mov eax, [r13 + rdi]; 1:', { memory64: true }],
  ['a counted loop', '', 'xor ecx, ecx; 1: mov [r13 + rcx], edi; add rcx, 16; cmp ecx, 160; jne 1b'],
  ['an index as it came', 'without bounds', 'mov eax, [r13 + rdi]'],
  ['a sign-extended index (CVE-2021-32629)', 'outside of the context', 'movsxd rax, edi; mov eax, [r13 + rax]'],
  ['a sign-extended reload (CVE-2021-32629)', 'outside of the context', 'sub rsp, 24; mov [rsp + 8], edi; movsxd rax, dword ptr [rsp + 8]; mov eax, [r13 + rax]; add rsp, 24'],
  ['an index wider than 32 bits reloaded', 'without bounds', 'sub rsp, 24; mov [rsp + 8], edi; mov rax, [rsp + 8]; mov eax, [r13 + rax]; add rsp, 24'],
  ['a folded shift (CVE-2023-26489)', 'leaves its lane', 'mov eax, edi; mov eax, [r13 + 8*rax]'],
  ['a shift in 64 bits', 'leaves its lane', 'mov eax, edi; shl rax, 3; mov eax, [r13 + rax]'],
  ['an addition of two addresses', 'leaves its lane', 'mov eax, edi; mov ecx, esi; add rax, rcx; add rax, rcx; mov eax, [r13 + rax]'],
  ['a subtraction in 64 bits', 'outside of the context', 'mov eax, edi; sub rax, 8; mov eax, [r13 + rax]'],
  ['a loop without its end', 'without bounds', 'mov ecx, edi; 1: mov [r13 + rcx], edi; sub rcx, 16; test edi, edi; jne 1b'],
  ['an unchecked 64-bit index', 'without bounds', 'mov eax, [r13 + rdi]', { memory64: true }],
  ['a wide load at the check’s end (CVE-2026-24116)', 'outside of the context', 'movups xmm0, [r13 - 8]'],
  ['a table without a check', 'outside of the context', 'mov eax, edi; mov eax, [r13 + 4*rax - 1024]'],
  ['a signed check of a table', 'outside of the context', 'cmp edi, [r13 - 16]; jge 1f; mov eax, edi; mov eax, [r13 + 4*rax - 1024]; 1:'],
  ['an absolute address', 'no pointer', 'mov eax, [0x1000]'],
  ['an address out of a register', 'no pointer', 'mov eax, [rdi]'],
  ['an address out of memory', 'no pointer', 'mov eax, edi; mov rax, [r13 + rax]; mov eax, [rax]'],
  ['thread-local memory', 'segment', 'mov rax, fs:[0]'],
  ['an index with a narrow address', 'segment or address size', 'mov eax, [r13d + edi]'],
  ['another base', 'no pointer', 'mov eax, edi; mov eax, [r12 + rax]'],
  ['a write to the host page', 'outside of the context', 'mov qword ptr [r13 - 0x40001000], rdi'],
  ['a write to read-only data', 'a write to code', 'mov dword ptr [rip + 64], edi'],
  ['a write to the return address', 'outside of the frame', 'mov [rsp], rdi'],
  ['a write to the caller’s frame', 'outside of the frame', 'mov [rsp + 80], rdi'],
  ['a write far below the stack', 'outside of the frame', 'mov [rsp - 4096], rdi'],
  ['a computed place of the stack', 'no pointer|computed place', 'mov eax, edi; mov [rsp + rax - 64], edi'],
  ['the stack’s address for the guest', 'goes to the guest', 'mov eax, edi; mov [r13 + rax], rsp'],
  ['the base’s address for the guest', 'goes to the guest', 'mov eax, edi; mov [r13 + rax], r13'],
  ['a system call', 'not allowed', 'syscall'],
  ['an interrupt', 'not allowed', 'int 0x80'],
  ['the time', 'not allowed', 'rdtsc'],
  ['the processor’s kind', 'not allowed', 'cpuid'],
  ['a privileged instruction', 'not allowed', 'hlt'],
  ['a port', 'not allowed|operand', 'out 0x80, al'],
  ['a string instruction', 'not allowed|operand|segment', 'rep stosb'],
  ['a gather', 'not allowed|operand', 'vpgatherdd xmm0, [r13 + 4*xmm1], xmm2'],
  ['a rounding mode', 'not allowed', 'sub rsp, 8; ldmxcsr [rsp]; add rsp, 8'],
  ['an atomic', 'not allowed', 'mov eax, edi; lock xadd [r13 + rax], ecx'],
  ['a call of an address', 'no function', 'sub rsp, 8; call rdi; add rsp, 8'],
  ['a call through memory', 'no function', 'sub rsp, 8; mov eax, edi; call [r13 + rax]; add rsp, 8'],
  ['a call into a function', 'no function', 'sub rsp, 8; call good + 4; add rsp, 8'],
  ['a jump elsewhere', 'no function', 'jmp rdi'],
  ['a call with another base', 'base register', 'sub rsp, 8; mov r13, rdi; call good; mov r13, [rsp]; add rsp, 8'],
  ['a changed register', 'register 3 changed', 'mov rbx, rdi'],
  ['a changed base', 'base register', 'add r13, 16'],
  ['a lost stack pointer', 'stack pointer', 'mov rsp, rdi'],
  ['a stack pointer that is off', 'another stack pointer', 'sub rsp, 8'],
];

function assemble(folder) {
  let text = '.intel_syntax noprefix\n.text\n.balign 256\ngood: ret\n';
  for (const [, , body] of CASES) text += `.balign ${SLOT_BYTES}\n${body.replace(/; /g, '\n')}\nret\n`;
  text += `.balign ${SLOT_BYTES}\n`;
  const source = join(folder, 'cases.s'), object = join(folder, 'cases.o'), code = join(folder, 'code');
  writeFileSync(source, text);
  execFileSync('clang-19', ['-c', '--target=x86_64-linux-gnu', '-mavx2', source, '-o', object]);
  execFileSync('llvm-objcopy-19', ['-O', 'binary', '--only-section=.text', object, code]);
  return readFileSync(code);
}

const folder = mkdtempSync(join(tmpdir(), 'code-check-'));
let failed = 0, passed = 0;
try {
  const code = assemble(folder), instrs = disassemble(code);
  const functionAt = (i) => ({ kind: 'function', name: `f${i}`, start: i * SLOT_BYTES,
    end: (i + 1) * SLOT_BYTES, params: 2, results: 1, argumentBytes: 0 });
  CASES.forEach(([name, wanted, , more], i) => {
    const program = { code, codeBytes: code.length, rodata: Buffer.alloc(4096), lanes: 1,
      contextBytes: CONTEXT_BYTES, functionTableBytes: 8, resultsMax: 1, memory64: false,
      functions: [functionAt(0), functionAt(i + 1)],
      sizes: new Map([[-8, { bytes: 8, min: 65536, max: 2 ** 32 }],
        [-16, { bytes: 4, min: 0, max: 10 }]]), ...more };
    const { errors } = checkProgram(program, instrs);
    const found = errors.map((e) => e.why).join('; ');
    const ok = wanted ? new RegExp(wanted).test(found) : !errors.length;
    if (ok) passed++;
    else failed++;
    if (!ok) console.log(`FAIL ${name}: wanted "${wanted}", found "${found}"`);
  });
} finally {
  rmSync(folder, { recursive: true });
}
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exit(failed ? 1 : 0);
