// What a fresh instance costs: in a slot that has served before, from the start of the request to
// the guest's first instruction plus the reset behind it, for several numbers of pages that each
// instance writes, on one thread and on two; and the first instance of an artifact ever.
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildRoot, fail, firstLine, mayfly, median, options, printMachine, printTable, root, run } from './lib.mjs';

const { rounds } = options({ rounds: 5 });
const PAGES_OF_RESULT = '4';
const program = process.env.BENCH_INSTANCE ?? path.join(buildRoot, 'release', 'bench_instance');
const folder = mkdtempSync(path.join(os.tmpdir(), 'mayfly-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true }));

function compile(name, wasm) {
  const artifact = path.join(folder, `${name}.mfa`);
  run(mayfly, ['compile', wasm, '-o', artifact]);
  return artifact;
}

const guest = path.join(folder, 'guest.wasm');
run('clang-19', ['--target=wasm32', '-O2', '-nostdlib', '-Wl,--no-entry',
  path.join(root, 'bench', 'instance_guest.c'), '-o', guest]);
const artifacts = [compile('guest', guest), compile('hello', path.join(buildRoot, 'examples', 'hello-c.wasm'))];

// Lines of "kind key=value …", gathered over the rounds: kind and what is measured to lists.
const warm = new Map();
const first = {};
function gather(into, fields) {
  for (const [key, value] of Object.entries(fields)) (into[key] ??= []).push(Number(value));
}
for (let round = 0; round < rounds; round += 1) {
  for (const line of run(program, artifacts).out.trim().split('\n')) {
    const [kind, ...rest] = line.split(' ');
    const fields = Object.fromEntries(rest.map((pair) => pair.split('=')));
    if (kind === 'first') {
      gather(first, fields);
    } else {
      const { threads, pages, stride, ...values } = fields;
      const key = `${threads} ${pages} ${stride}`;
      if (!warm.has(key)) warm.set(key, {});
      gather(warm.get(key), values);
    }
  }
}
const of = warm.get(`1 ${PAGES_OF_RESULT} 1`);
if (!of || !first.total_ns) fail('bench_instance printed no result');

const us = (values) => (median(values) / 1000).toFixed(2);
printMachine(`mayfly ${firstLine(mayfly, ['--version'])}`);
console.log(`instances one after the other in one slot a thread; medians of ${rounds} rounds; µs\n`);
printTable([['threads, pages written', 'p50', 'p99', 'p99.9', 'start p50', 'reset p50', 'faults/request'],
  ...[...warm].map(([key, values]) => {
    const [threads, pages, stride] = key.split(' ');
    return [`${threads}, ${pages}${stride > 1 ? ' scattered' : ''}`, us(values.p50_ns), us(values.p99_ns), us(values.p999_ns),
      us(values.start_ns), us(values.reset_ns), median(values.faults).toFixed(4)];
  })]);
console.log('\nfirst instance of hello in C, artifact in the page cache, up to its first output; µs\n');
printTable([['open', 'link', 'slot', 'run', 'in all', 'in all, verified anew'],
  ['open_ns', 'module_ns', 'instance_ns', 'run_ns', 'total_ns', 'verified_ns'].map((key) => us(first[key]))]);
console.log(`\nRESULT instance p50_us=${us(of.p50_ns)} p99_us=${us(of.p99_ns)} `
  + `faults=${Number(median(of.faults).toFixed(4))} first_us=${us(first.total_ns)}`);
