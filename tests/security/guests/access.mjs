// access.mjs OUT.wat: a function for each class of access to each kind of memory. An export's name
// is "KIND MEMORY WIDTH OFFSET WHAT": test_boundaries.c reads it.
import { writeFileSync } from 'node:fs';

const MEMORIES = [{ name: 0, type: 'i32' }, { name: 1, type: 'i64' }, { name: 2, type: 'i32' }];
const OFFSETS = [0, 7, 65536, 0xfffffff0, 0xffffffff];

const loads = [];
for (const [type, op, width] of [
  ['i32', 'load', 4], ['i32', 'load8_s', 1], ['i32', 'load8_u', 1], ['i32', 'load16_s', 2],
  ['i32', 'load16_u', 2], ['i64', 'load', 8], ['i64', 'load8_s', 1], ['i64', 'load8_u', 1],
  ['i64', 'load16_s', 2], ['i64', 'load16_u', 2], ['i64', 'load32_s', 4], ['i64', 'load32_u', 4],
  ['f32', 'load', 4], ['f64', 'load', 8], ['v128', 'load', 16], ['v128', 'load8x8_s', 8],
  ['v128', 'load8x8_u', 8], ['v128', 'load16x4_s', 8], ['v128', 'load16x4_u', 8],
  ['v128', 'load32x2_s', 8], ['v128', 'load32x2_u', 8], ['v128', 'load8_splat', 1],
  ['v128', 'load16_splat', 2], ['v128', 'load32_splat', 4], ['v128', 'load64_splat', 8],
  ['v128', 'load32_zero', 4], ['v128', 'load64_zero', 8]])
  loads.push({ type, op: `${type}.${op}`, width });
const laneLoads = [8, 16, 32, 64].map((bits) => ({ op: `v128.load${bits}_lane`, width: bits / 8 }));
const laneStores = [8, 16, 32, 64].map((bits) => ({ op: `v128.store${bits}_lane`, width: bits / 8 }));
const stores = [['i32', 'store', 4], ['i32', 'store8', 1], ['i32', 'store16', 2], ['i64', 'store', 8],
  ['i64', 'store8', 1], ['i64', 'store16', 2], ['i64', 'store32', 4], ['f32', 'store', 4],
  ['f64', 'store', 8], ['v128', 'store', 16]].map(([type, op, width]) =>
  ({ type, op: `${type}.${op}`, width }));

const CONSTANTS = { i32: '(i32.const -1)', i64: '(i64.const -1)',
  f32: '(f32.reinterpret_i32 (i32.const -1))', f64: '(f64.reinterpret_i64 (i64.const -1))',
  v128: '(v128.const i32x4 -1 -1 -1 -1)' };

// What may swallow a load as an operand: [operation, type of the loaded value, its load, width].
const FOLDED = [];
for (const [f, width] of [['f32', 4], ['f64', 8]]) {
  for (const op of ['abs', 'neg', 'sqrt', 'ceil', 'floor', 'trunc', 'nearest'])
    FOLDED.push([(x) => `(${f}.${op} ${x})`, f, `${f}.load`, width]);
  for (const op of ['copysign', 'add', 'sub', 'mul', 'div', 'min', 'max']) {
    FOLDED.push([(x) => `(${f}.${op} ${x} (local.get $${f}))`, f, `${f}.load`, width]);
    FOLDED.push([(x) => `(${f}.${op} (local.get $${f}) ${x})`, f, `${f}.load`, width]);
  }
}
FOLDED.push([(x) => `(f64.promote_f32 ${x})`, 'f64', 'f32.load', 4]);
FOLDED.push([(x) => `(f32.demote_f64 ${x})`, 'f32', 'f64.load', 8]);
FOLDED.push([(x) => `(f64.convert_i32_s ${x})`, 'f64', 'i32.load', 4]);
FOLDED.push([(x) => `(f64.convert_i64_u ${x})`, 'f64', 'i64.load', 8]);
FOLDED.push([(x) => `(i64.popcnt ${x})`, 'i64', 'i64.load', 8]);
for (const [load, width] of [['load32_zero', 4], ['load64_zero', 8], ['load32_splat', 4],
  ['load64_splat', 8], ['load8x8_u', 8], ['load16x4_s', 8], ['load32x2_u', 8]])
  for (const op of ['f32x4.add', 'f64x2.mul', 'i32x4.add', 'i64x2.sub', 'i8x16.swizzle', 'v128.xor',
    'i8x16.add_sat_u', 'i16x8.q15mulr_sat_s', 'i32x4.dot_i16x8_s', 'f32x4.pmin', 'i8x16.min_u'])
    FOLDED.push([(x) => `(${op} (local.get $v128) ${x})`, 'v128', `v128.${load}`, width]);

let text = `(module
  (memory $m0 0 65536) (memory $m1 i64 0 65536) (memory $m2 0 65536)
  (data $d "0123456789abcdef")
`;
const define = (kind, m, width, offset, what, params, result, body) => {
  text += `  (func (export "${kind} ${m.name} ${width} ${offset} ${what}") ${params} ${result}\n` +
    '    (local $f32 f32) (local $f64 f64) (local $v128 v128)\n' + `    ${body})\n`;
};
for (const m of MEMORIES) {
  const param = `(param $at ${m.type})`, at = '(local.get $at)';
  for (const o of OFFSETS) {
    const offset = `${o}`, place = `$m${m.name} offset=${o}`;
    for (const l of loads)
      define('load', m, l.width, offset, l.op, param, `(result ${l.type})`, `(${l.op} ${place} ${at})`);
    for (const l of laneLoads)
      define('load', m, l.width, offset, l.op, param, '(result v128)',
        `(${l.op} ${place} 0 ${at} (local.get $v128))`);
    for (const s of stores)
      define('store', m, s.width, offset, s.op, param, '', `(${s.op} ${place} ${at} ${CONSTANTS[s.type]})`);
    for (const s of laneStores)
      define('store', m, s.width, offset, s.op, param, '',
        `(${s.op} ${place} 0 ${at} ${CONSTANTS.v128})`);
  }
  FOLDED.forEach(([wrap, type, load, width], i) =>
    define('load', m, width, 0, `folded${i}`, param, `(result ${type})`,
      wrap(`(${load} $m${m.name} ${at})`)));
  const n = m.type, pair = `(param $at ${n}) (param $n ${n})`;
  define('range', m, 0, 0, 'memory.fill', pair, '',
    `(memory.fill $m${m.name} ${at} (i32.const 255) (local.get $n))`);
  define('range', m, 0, 0, 'memory.copy to', pair, '',
    `(memory.copy $m${m.name} $m${m.name} ${at} (${n}.const 0) (local.get $n))`);
  define('range', m, 0, 0, 'memory.copy from', pair, '',
    `(memory.copy $m${m.name} $m${m.name} (${n}.const 0) ${at} (local.get $n))`);
  define('init', m, 0, 0, 'memory.init', '(param $at ' + n + ') (param $n i32)', '',
    `(memory.init $m${m.name} $d ${at} (i32.const 0) (local.get $n))`);
  define('size', m, 0, 0, 'memory.grow', `(param $at ${n})`, `(result ${n})`,
    `(memory.grow $m${m.name} ${at})`);
}
writeFileSync(process.argv[2], `${text})\n`);
