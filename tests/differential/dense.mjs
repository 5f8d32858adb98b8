// Makes the text of random modules that are dense in instructions which `wasm-opt -ttf` seldom
// emits: every plain instruction of src/wasm/opcode.def (vectors above all), several and 64-bit
// memories, bulk operations, tables, tail calls. Every function ends: loops count down, calls spend
// fuel. The bits of a NaN are never seen: where a float becomes bits, NaNs are made canonical.

import { readFileSync } from 'node:fs';

const kinds = ['i', 'l', 'f', 'd', 'v'];
const typeNames = { i: 'i32', l: 'i64', f: 'f32', d: 'f64', v: 'v128', r: 'funcref' };
const FUEL = 300;
const FUNCTIONS_MAX = 8;

// { result letter: [instruction] } of what takes plain operands; stores are under ''.
export function readInstructions(opcodeDef) {
  const found = {};
  const line = /^OP\(\w+, 0x\w+, "([^"]+)", (NONE|MEMARG|MEMARG_LANE|LANE|SHUFFLE), "([ilfdva]*):([ilfdv]?)"\)/gm;
  for (const [, text, immediate, operands, result] of opcodeDef.matchAll(line)) {
    if (text.includes('relaxed') || text === 'nop') continue;
    (found[result] ??= []).push({ text, immediate, operands });
  }
  return found;
}

const floatsBecomeBits = /reinterpret|\.store|splat|replace_lane/;
const vectorOfFloats = /^f(32x4|64x2)\.(?!eq|ne|lt|gt|le|ge|splat|replace|extract)/;

class Generator {
  constructor(random, instructions) {
    this.random = random;
    this.instructions = instructions;
    this.memories = 1 + this.below(3);
    this.wide = Array.from({ length: this.memories }, () => this.below(4) === 0);
    this.functions = [];
  }

  below(n) {
    return this.random() % n;
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  types(max, from = kinds) {
    return Array.from({ length: this.below(max + 1) }, () => this.pick(from)).join('');
  }

  constant(type) {
    const small = () => this.pick([0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255]);
    const word = () => this.random() >>> 0;
    const hex = (n) => '0x' + n.toString(16);
    switch (type) {
      case 'i':
        return `(i32.const ${this.pick([small(), -1 - small(), hex(word()), '0x80000000'])})`;
      case 'l':
        return `(i64.const ${this.pick([small(), -1 - small(), hex(word()) + word().toString(16).padStart(8, '0'), '0x8000000000000000'])})`;
      case 'f':
        return `(f32.const ${this.pick(['0', '-0', '1', '-1.5', 'inf', '-inf', 'nan', '0x1p-149', '0x1.fffffep127', '2147483648', '9.3e18', `${word() / 65536}`])})`;
      case 'd':
        return `(f64.const ${this.pick(['0', '-0', '1', '-1.5', 'inf', '-inf', 'nan', '0x1p-1074', '1e308', '4294967296', '-9.3e18', `${word() / 65536}`])})`;
      default:
        return `(v128.const i32x4 ${Array.from({ length: 4 }, () => this.pick([0, -1, hex(word()), '0x3f800000', '0x80000000'])).join(' ')})`;
    }
  }

  // An address within memory `m`, mostly inside of its first page.
  address(m, depth) {
    const type = this.wide[m] ? 'l' : 'i';
    const any = this.expression(type, depth);
    const name = typeNames[type];
    return this.below(200) === 0 ? any : `(${name}.and ${any} (${name}.const 0x7fff))`;
  }

  immediate(op, memory) {
    const lanes = /(8x16|16x8|32x4|64x2)\./.exec(op.text);
    const laneBits = /(?:load|store)(8|16|32|64)_lane/.exec(op.text);
    const offset = () => this.below(200) === 0 ? ' offset=65529' : this.pick(['', '', ' offset=1', ' offset=13', ' offset=4096']);
    switch (op.immediate) {
      case 'MEMARG':
        return ` $m${memory}${offset()}`;
      case 'MEMARG_LANE':
        return ` $m${memory}${offset()} ${this.below(128 / Number(laneBits[1]))}`;
      case 'LANE':
        return ` ${this.below(Number(lanes[1].split('x')[1]))}`;
      case 'SHUFFLE':
        return ' ' + Array.from({ length: 16 }, () => this.below(32)).join(' ');
      default:
        return '';
    }
  }

  instruction(op, depth) {
    const memory = this.below(this.memories);
    const operands = [...op.operands].map((type, index) => {
      if (type === 'a') return this.address(memory, depth - 1);
      let text = this.expression(type, depth - 1);
      const bits = floatsBecomeBits.test(op.text) || (index === 1 && /copysign/.test(op.text));
      if (bits && (type === 'f' || type === 'd')) text = `(call $canonical_${type} ${text})`;
      if (index === 1 && /\.(div|rem)_/.test(op.text) && this.below(12) > 0)
        text = `(${typeNames[type]}.or ${text} (${typeNames[type]}.const 1))`;
      return text;
    });
    const all = `(${op.text}${this.immediate(op, memory)} ${operands.join(' ')})`;
    const vector = vectorOfFloats.exec(op.text);
    return vector && op.result === 'v' ? `(call $canonical_${vector[1]} ${all})` : all;
  }

  call(f, depth, tail) {
    const args = [...f.params].map((type) => this.expression(type, depth - 1)).join(' ');
    if (!f.inTable || this.below(2) === 0) return `(${tail}call $f${f.number} ${args})`;
    const index = this.below(10) === 0 ? this.expression('i', 1) : `(i32.const ${f.slot})`;
    return `(${tail}call_indirect $table (type $t${f.number}) ${args} ${index})`;
  }

  expression(type, depth) {
    const locals = this.locals.filter((l) => l.type === type);
    if (depth <= 0 || this.budget <= 0) {
      if (locals.length > 0 && this.below(3) > 0) return `(local.get $${this.pick(locals).name})`;
      return this.below(4) === 0 ? `(global.get $g_${type})` : this.constant(type);
    }
    this.budget--;
    const callees = this.functions.filter((f) => f.results === type);
    switch (this.below(16)) {
      case 0:
        return `(if (result ${typeNames[type]}) ${this.expression('i', depth - 1)} (then ${this.expression(type, depth - 1)}) (else ${this.expression(type, depth - 1)}))`;
      case 1:
        return `(select ${this.expression(type, depth - 1)} ${this.expression(type, depth - 1)} ${this.expression('i', depth - 1)})`;
      case 2:
        if (locals.length > 0)
          return `(local.tee $${this.pick(locals).name} ${this.expression(type, depth - 1)})`;
        return this.expression(type, depth - 1);
      case 3:
        if (callees.length > 0 && this.calls-- > 0) return this.call(this.pick(callees), depth, '');
        return this.expression(type, depth - 1);
      case 4:
        return `(block $b${depth} (result ${typeNames[type]}) (drop (br_if $b${depth} ${this.expression(type, depth - 1)} ${this.expression('i', depth - 1)})) ${this.expression(type, depth - 1)})`;
      case 5:
        return this.special(type, depth);
      default: {
        let op = this.pick(this.instructions[type]);
        if (/trunc_f/.test(op.text) && this.below(8) > 0) op = this.pick(this.instructions[type]);
        return this.instruction({ ...op, result: type }, depth);
      }
    }
  }

  special(type, depth) {
    const memory = this.below(this.memories);
    const memoryType = this.wide[memory] ? 'l' : 'i';
    if (type === memoryType && this.below(2) === 0)
      return this.below(3) > 0
        ? `(memory.size $m${memory})`
        : `(memory.grow $m${memory} (${typeNames[type]}.const ${this.below(3)}))`;
    if (type === 'i')
      return this.pick([
        '(table.size $spare)',
        `(table.grow $spare (ref.func $f${this.below(this.functions.length || 1)}) (i32.const ${this.below(3)}))`,
        `(ref.is_null (table.get $spare (i32.and ${this.expression('i', depth - 1)} (i32.const 7))))`,
      ]);
    return this.expression(type, depth - 1);
  }

  bulk(depth) {
    const to = this.below(this.memories);
    const from = this.below(this.memories);
    const wide = this.wide[to] && this.wide[from];
    const count = this.below(50) === 0 ? 70000 : this.pick([0, 1, 5, 64, 300, 4096]);
    const small = `(i32.and ${this.expression('i', depth)} (i32.const 15))`;
    switch (this.below(6)) {
      case 0:
        return `(memory.fill $m${to} ${this.address(to, depth)} ${this.expression('i', depth)} (${this.wide[to] ? 'i64' : 'i32'}.const ${count}))`;
      case 1:
        return `(memory.copy $m${to} $m${from} ${this.address(to, depth)} ${this.address(from, depth)} (${wide ? 'i64' : 'i32'}.const ${count}))`;
      case 2:
        return `(memory.init $m${to} $data ${this.address(to, depth)} (i32.const ${this.below(9)}) (i32.const ${this.below(12)}))`;
      case 3:
        return `(table.set $spare ${small} (ref.func $f0))`;
      case 4:
        return `(table.fill $spare ${small} (table.get $table (i32.const 0)) (i32.const ${this.below(4)}))`;
      default:
        return `(table.copy $spare $table ${small} (i32.const ${this.below(4)}) (i32.const ${this.below(4)}))`;
    }
  }

  statement(depth) {
    this.budget--;
    const own = this.locals.filter((l) => !l.counter);
    const block = () => this.statements(1 + this.below(3), depth - 1);
    switch (this.below(depth > 0 ? 11 : 6)) {
      case 0:
      case 1: {
        const local = this.pick(own);
        return `(local.set $${local.name} ${this.expression(local.type, 4)})`;
      }
      case 2: {
        const type = this.pick(kinds);
        return `(global.set $g_${type} ${this.expression(type, 4)})`;
      }
      case 3:
      case 4:
        return this.instruction({ ...this.pick(this.instructions['']), result: '' }, 4);
      case 5:
        return this.bulk(2);
      case 6:
      case 7:
        return `(if ${this.expression('i', 3)} (then ${block()}) (else ${block()}))`;
      case 8: {
        const counter = `c${depth}`;
        return `(local.set $${counter} (i32.const ${1 + this.below(6)})) (loop $l${depth} ${block()} (br_if $l${depth} (local.tee $${counter} (i32.sub (local.get $${counter}) (i32.const 1)))))`;
      }
      case 9:
        return `(block $x${depth} (block $y${depth} (block $z${depth} (br_table $x${depth} $y${depth} $z${depth} (i32.and ${this.expression('i', 3)} (i32.const 3)))) ${block()}) ${block()})`;
      default:
        return `(block $o${depth} ${block()} (br_if $o${depth} ${this.expression('i', 3)}) ${block()})`;
    }
  }

  statements(count, depth) {
    return Array.from({ length: count }, () => this.statement(depth)).join('\n    ');
  }

  function(number) {
    const f = { number, params: this.types(4), results: this.types(this.below(4) === 0 ? 4 : 1) };
    f.inTable = number < 4;
    f.slot = number;
    this.budget = 40 + this.below(200);
    this.calls = 3;
    this.locals = [...f.params].map((type, i) => ({ type, name: `p${i}` }));
    for (const type of kinds)
      for (let i = 0; i < 2; i++) this.locals.push({ type, name: `v${type}${i}` });
    const declared = this.locals.slice(f.params.length).concat(
      [1, 2, 3].map((n) => ({ type: 'i', name: `c${n}`, counter: true })));
    const body = this.statements(2 + this.below(6), 3);
    const twins = this.functions.filter((g) => g.results === f.results);
    const last =
      twins.length > 0 && this.below(3) === 0
        ? this.call(this.pick(twins), 3, 'return_')
        : [...f.results].map((type) => this.expression(type, 3)).join(' ');
    const list = (types, prefix) =>
      [...types].map((t, i) => `(param $${prefix}${i} ${typeNames[t]})`).join(' ');
    const results = f.results ? `(result ${[...f.results].map((t) => typeNames[t]).join(' ')})` : '';
    const zero = [...f.results].map((t) => (t === 'v' ? '(v128.const i32x4 0 0 0 0)' : `(${typeNames[t]}.const 0)`));
    f.type = `(type $t${number} (func ${[...f.params].map((t) => `(param ${typeNames[t]})`).join(' ')} ${results}))`;
    f.text = `(func $f${number} (export "f${number}") (type $t${number}) ${list(f.params, 'p')} ${results}
    ${declared.map((l) => `(local $${l.name} ${typeNames[l.type]})`).join(' ')}
    (if (i32.eqz (global.get $fuel)) (then (return ${zero.join(' ')})))
    (global.set $fuel (i32.sub (global.get $fuel) (i32.const 1)))
    ${body}
    ${last})`;
    this.functions.push(f);
    return f;
  }

  module() {
    const count = 2 + this.below(FUNCTIONS_MAX - 1);
    for (let i = 0; i < count; i++) this.function(i);
    const memories = this.wide.map(
      (wide, i) => `(memory $m${i} (export "m${i}") ${wide ? 'i64 ' : ''}1 3)`);
    const globals = kinds.map(
      (t) => `(global $g_${t} (export "g_${t}") (mut ${typeNames[t]}) ${this.constant(t)})`);
    const inTable = this.functions.filter((f) => f.inTable);
    return `(module
  ${this.functions.map((f) => f.type).join('\n  ')}
  ${memories.join('\n  ')}
  ${globals.join('\n  ')}
  (global $fuel (mut i32) (i32.const ${FUEL}))
  (table $table 6 funcref) (table $spare 4 12 funcref)
  (elem (table $table) (i32.const 0) func ${inTable.map((f) => `$f${f.number}`).join(' ')})
  (elem declare func ${this.functions.map((f) => `$f${f.number}`).join(' ')})
  (data (memory $m0) (${this.wide[0] ? 'i64' : 'i32'}.const 100) "\\01\\80\\ff\\7f\\00\\c0\\7f\\ff\\f0")
  (data $data "abc\\00\\ff\\fe\\7f\\80")
  (func (export "hangLimitInitializer") (global.set $fuel (i32.const ${FUEL})))
  (func $canonical_f (param f32) (result f32)
    (select (f32.const nan) (local.get 0) (f32.ne (local.get 0) (local.get 0))))
  (func $canonical_d (param f64) (result f64)
    (select (f64.const nan) (local.get 0) (f64.ne (local.get 0) (local.get 0))))
  (func $canonical_32x4 (param v128) (result v128)
    (v128.bitselect (local.get 0) (v128.const f32x4 nan nan nan nan) (f32x4.eq (local.get 0) (local.get 0))))
  (func $canonical_64x2 (param v128) (result v128)
    (v128.bitselect (local.get 0) (v128.const f64x2 nan nan) (f64x2.eq (local.get 0) (local.get 0))))
  ${this.functions.map((f) => f.text).join('\n  ')})`;
  }
}

// The text of one module.
export const denseModule = (random, instructions) => new Generator(random, instructions).module();

export const readOpcodes = (path) => readInstructions(readFileSync(path, 'utf8'));
