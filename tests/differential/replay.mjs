// Replays in V8 what diff_runner did with a module, and gives the lines that it should have
// written.

import { createHash } from 'node:crypto';

const scratch = new DataView(new ArrayBuffer(8));
const hex = (n, digits) => n.toString(16).padStart(digits, '0');

function printFloat(value, bits) {
  if (Number.isNaN(value)) return `f${bits}:nan`;
  if (bits === 32) {
    scratch.setFloat32(0, value);
    return 'f32:' + hex(scratch.getUint32(0), 8);
  }
  scratch.setFloat64(0, value);
  return 'f64:' + hex(scratch.getBigUint64(0), 16);
}

function printValue(type, value) {
  switch (type) {
    case 'i':
      return 'i32:' + hex(value >>> 0, 8);
    case 'l':
      return 'i64:' + hex(BigInt.asUintN(64, value), 16);
    case 'f':
      return printFloat(value, 32);
    case 'd':
      return printFloat(value, 64);
    default:
      return value === null ? 'null' : 'ref';
  }
}

function parseValue(word) {
  const [type, bits] = word.split(':');
  if (type === 'null') return null;
  if (bits === 'nan') return NaN;
  if (type === 'i32') return parseInt(bits, 16) | 0;
  scratch.setBigUint64(0, BigInt('0x' + bits));
  if (type === 'i64') return scratch.getBigInt64(0);
  if (type === 'f64') return scratch.getFloat64(0);
  scratch.setUint32(0, parseInt(bits, 16));
  return scratch.getFloat32(0);
}

const trapWords = [
  [/unreachable/, 'unreachable'],
  [/memory access out of bounds|data segment/, 'memory'],
  [/table index is out of bounds|table access|table or element|element segment/, 'table'],
  [/null function|signature mismatch/, 'signature'],
  [/(divide|remainder) by zero/, 'divide'],
  [/divide result unrepresentable|float unrepresentable/, 'range'],
  [/call stack/, 'stack'],
  [/null pointer/, 'null'],
];

function trapName(error) {
  const found = trapWords.find(([pattern]) => pattern.test(error.message));
  return found ? found[1] : `unknown (${error.message})`;
}

const unescape = (word) =>
  word.slice(1).replace(/%([0-9a-f]{2})/g, (_, code) => String.fromCharCode(parseInt(code, 16)));

// JavaScript cannot take a v128, so a small module hands it over as two i64.
const vectorText = `(module (import "h" "log" (func $log (param i64 i64)))
  (func (export "log") (param v128)
    (call $log (i64x2.extract_lane 0 (local.get 0)) (i64x2.extract_lane 1 (local.get 0)))))`;

export async function makeReplay(parseText) {
  const vector = new WebAssembly.Module(await parseText(vectorText));

  return function replay(wasm, plan) {
    const lines = [];
    const log = (text) => lines.push('log ' + text);
    const logVector = (low, high) => {
      scratch.setBigUint64(0, BigInt.asUintN(64, low), true);
      let text = Buffer.from(scratch.buffer.slice(0)).toString('hex');
      scratch.setBigUint64(0, BigInt.asUintN(64, high), true);
      text += Buffer.from(scratch.buffer.slice(0)).toString('hex');
      log('v128:' + text);
    };
    const support = {
      'log-i32': (x) => log(printValue('i', x)),
      'log-i64': (x) => log(printValue('l', x)),
      'log-f32': (x) => log(printValue('f', x)),
      'log-f64': (x) => log(printValue('d', x)),
      'log-v128': new WebAssembly.Instance(vector, { h: { log: logVector } }).exports.log,
    };
    let instance;
    try {
      instance = new WebAssembly.Instance(new WebAssembly.Module(wasm), {
        'fuzzing-support': support,
      });
    } catch (e) {
      if (e instanceof WebAssembly.CompileError || e instanceof WebAssembly.LinkError) throw e;
      return [...lines, 'instantiate trap ' + trapName(e), 'end'];
    }
    lines.push('instantiate ok');
    for (const line of plan) {
      if (!line.startsWith('call ')) continue;
      const before = line.slice(0, line.indexOf(' ->') + 3);
      const words = before.split(' ');
      const results = words[2].slice(words[2].indexOf(':') + 1);
      const args = words.slice(3, -1).map(parseValue);
      instance.exports.hangLimitInitializer?.();
      try {
        const value = instance.exports[unescape(words[1])](...args);
        const values = results.length === 1 ? [value] : (value ?? []);
        lines.push([before, ...values.map((v, i) => printValue(results[i], v))].join(' '));
      } catch (e) {
        lines.push(`${before} trap ${trapName(e)}`);
      }
    }
    for (const memory of Object.values(instance.exports)) {
      if (!(memory instanceof WebAssembly.Memory)) continue;
      const digest = createHash('sha256').update(Buffer.from(memory.buffer)).digest('hex');
      lines.push(`memory ${memory.buffer.byteLength / 65536} ${digest}`);
    }
    for (const line of plan) {
      const [verb, name, word] = line.split(' ');
      if (verb !== 'global') continue;
      const type = { i32: 'i', i64: 'l', f32: 'f', f64: 'd' }[word.split(':')[0]];
      lines.push(`global ${name} ${printValue(type, instance.exports[unescape(name)].value)}`);
    }
    lines.push('end');
    return lines;
  };
}

// Whether two logged vectors differ in NaN lanes only: which NaN comes out of NaNs is free, and
// --denan knows nothing of vectors.
function isNanLane(bytes, at, width) {
  return Number.isNaN(width === 4 ? bytes.readFloatLE(at) : bytes.readDoubleLE(at));
}

function isVectorOfOtherNans(got, want) {
  const prefix = 'log v128:';
  if (!got?.startsWith(prefix) || !want?.startsWith(prefix)) return false;
  const [a, b] = [got, want].map((line) => Buffer.from(line.slice(prefix.length), 'hex'));
  return [4, 8].some((width) => {
    for (let at = 0; at < 16; at += width) {
      const same = a.subarray(at, at + width).equals(b.subarray(at, at + width));
      if (!same && !(isNanLane(a, at, width) && isNanLane(b, at, width))) return false;
    }
    return true;
  });
}

// Where two runs part: { got, want, nanBits }, or null. When not `conforming`, nothing can be said
// from the first trapping load on: it may be left out, or trap before a store that it stood behind.
export function difference(got, want, conforming) {
  for (let i = 0; i < Math.max(got.length, want.length); i++) {
    if (got[i] === want[i]) continue;
    const call = i + want.slice(i).findIndex((l) => l.startsWith('call '));
    if (!conforming && want.slice(0, call + 1).some((l) => l.endsWith(' trap memory'))) return null;
    const nanBits = isVectorOfOtherNans(got[i], want[i]);
    return { got: got[i] ?? 'nothing', want: want[i] ?? 'nothing', nanBits };
  }
  return null;
}

// The first of the equal runs that a file holds, or null when they differ or are not whole.
export function onceOf(lines) {
  const length = lines.indexOf('end') + 1;
  if (length === 0 || lines.length % length !== 0) return null;
  return lines.every((line, i) => line === lines[i % length]) ? lines.slice(0, length) : null;
}
