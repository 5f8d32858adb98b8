// Modules that are small, valid (mostly) and expensive to compile. Each is { name, bytes(), slow,
// compiles }.

const I32 = 0x7f, V128 = 0x7b, FUNCREF = 0x70;
const END = 0x0b, ADD = 0x6a, MUL = 0x6c, SELECT = 0x1b, DROP = 0x1a;

let seed = 1;
function random(n) {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
  return (seed >>> 8) % n;
}

// ---- encoding: bytes are nested arrays and buffers until the end ----

function unsigned(n) {
  const out = [];
  do {
    out.push((n % 128) | (n >= 128 ? 128 : 0));
    n = Math.floor(n / 128);
  } while (n);
  return out;
}

function signed(n) {
  const out = [];
  for (;;) {
    const b = n & 127;
    n >>= 7;
    if ((n === 0 && !(b & 64)) || (n === -1 && b & 64)) return [...out, b];
    out.push(b | 128);
  }
}

function flat(parts) {
  const buffers = [];
  let run = [];
  const add = (x) => {
    if (typeof x === 'number') run.push(x);
    else if (Buffer.isBuffer(x)) {
      buffers.push(Buffer.from(run), x);
      run = [];
    } else for (const y of x) add(y);
  };
  add(parts);
  return Buffer.concat([...buffers, Buffer.from(run)]);
}

const sized = (parts) => {
  const b = flat(parts);
  return Buffer.concat([Buffer.from(unsigned(b.length)), b]);
};
const vector = (items) => [unsigned(items.length), items];
const section = (id, parts) => [id, sized(parts)];
const repeat = (n, f) => Array.from({ length: n }, (_, i) => f(i));
const times = (n, ...bytes) => Buffer.alloc(n * bytes.length, Buffer.from(bytes));
const get = (i) => [0x20, unsigned(i)], set = (i) => [0x21, unsigned(i)], tee = (i) => [0x22, unsigned(i)];
const number = (n) => [0x41, signed(n)];

const UNARY = [0x60, 1, I32, 1, I32];
const NAME = [1, 0x66];

// A module of functions; `more` gives other sections by number.
function module(bodies, more = {}) {
  const { locals = 0, types = [UNARY], functionTypes = bodies.map(() => 0), ...others } = more;
  const sections = { 1: vector(types), 3: vector(functionTypes.map((t) => unsigned(t))),
    5: vector([[0, 1]]), 7: vector([[NAME, 0, 0]]), ...others };
  sections[10] = vector(bodies.map((b) =>
    sized([locals ? [1, unsigned(locals), I32] : 0, b, END])));
  const order = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];
  return flat([Buffer.from('\0asm\x01\0\0\0', 'latin1'),
    order.filter((id) => sections[id]).map((id) => section(id, sections[id]))]);
}

// ---- bodies: (param i32) (result i32) ----

// Blocks, or loops and blocks in turn, with random assignments and branches out of them.
function tangle(locals, blocks, depth, loops) {
  const any = () => 1 + random(locals);
  return [repeat(depth, (d) => [loops && d % 2 ? 3 : 2, 0x40]),
    repeat(depth, (d) => [
      repeat(Math.floor(blocks / depth), () => [get(any()), get(any()), ADD, set(any()), get(any()),
        0x0d, unsigned(random(depth - d))]), END]),
    get(1)];
}

function tables(count, targets, locals) {
  const any = () => 1 + random(locals);
  return [times(targets, 2, 0x40),
    repeat(count, () => [2, 0x40, get(any()), 0x0e,
      vector(repeat(targets, () => unsigned(random(targets + 1)))), 1, END]),
    repeat(targets, (d) => [get(any()), number(d), ADD, set(any()), END]), get(1)];
}

const switchOfCalls = (cases) => [times(cases + 1, 2, 0x40), get(0), 0x0e,
  vector(repeat(cases, (i) => unsigned(i))), unsigned(cases), END,
  repeat(cases, (i) => [get(0), 0x10, unsigned(1 + (i % 50)), set(0), END]), get(0)];

const nested = (n, opening, inner, closing) =>
  [repeat(n, () => opening), inner, repeat(n, () => closing)];

const straight = (n, step) => [get(0), repeat(n, step)];

const shuffles = (n) => [get(0), [0xfd, 0x11], repeat(n, () => [tee(1), get(1), 0xfd, 0x0d,
  repeat(16, () => random(32)), get(1), 0xfd, 0xae, 1]), 0xfd, 0x1b, 0];

const wide = [0x60, vector(repeat(1000, () => I32)), vector(repeat(1000, () => I32))];
const memoryInit = (n, segments) => [repeat(n, (i) => [get(0), number(0), number(1), 0xfc, 8,
  unsigned(i % segments), 0]), get(0)];

const one = [get(0), number(1), ADD];
const bomb = (name, bytes) => ({ name, bytes: () => {
  seed = 1;
  return bytes();
} });

const slow = (...args) => ({ ...bomb(...args), slow: true }); // seconds of both processors
const fine = (...args) => ({ ...bomb(...args), compiles: true }); // refusing it is wrong

export const bombs = [
  bomb('200 locals in 2,000 blocks', () => module([tangle(200, 2000, 100)], { locals: 200 })),
  slow('1,000 locals in 20,000 loops', () => module([tangle(1000, 20000, 1000, true)], { locals: 1000 })),
  slow('49,000 locals in 20,000 blocks', () => module([tangle(49000, 20000, 200)], { locals: 49000 })),
  bomb('300 tables of 200 branches', () => module([tables(300, 200, 50)], { locals: 50 })),
  bomb('90 tables of 1,000 branches', () => module([tables(90, 1000, 50)], { locals: 50 })),
  bomb('a table of 99,999 branches', () => module([[times(2000, 2, 0x40), get(0), 0x0e,
    vector(repeat(99999, () => unsigned(random(2000)))), 1,
    repeat(2000, () => [END, number(1), set(1)]), get(1)]], { locals: 1 })),
  bomb('a switch of 5,000 calls', () => module([switchOfCalls(5000), ...repeat(50, () => one)])),
  bomb('90,000 nested blocks', () => module([[times(90000, 2, 0x40), times(90000, END), get(0)]])),
  slow('90,000 nested loops', () => module([[times(90000, 3, 0x40), get(0), 0x0d, 5,
    times(90000, END), get(0)]])),
  bomb('3,000 nested loops that go on', () => module([[times(3000, 3, 0x40),
    repeat(3000, () => [get(0), 0x0d, 0, END]), get(0)]])),
  slow('20,000 nested ifs', () => module([[nested(20000, [get(0), 4, 0x40], [], END), get(0)]])),
  slow('50,000 ifs with results', () => module([straight(50000, () =>
    [get(0), 4, I32, get(0), 5, get(1), END, ADD])], { locals: 1 })),
  slow('600,000 additions and products', () => module([straight(600000, () =>
    [number(7), ADD, get(1), MUL, tee(1)])], { locals: 1 })),
  bomb('a sum of 100,000 values', () => module([[repeat(100000, () => get(0)), times(99999, ADD)]])),
  slow('100,000 divisions', () => module([straight(100000, () => [get(0), 0x6d])])),
  slow('100,000 selects', () => module([straight(100000, () => [get(1), get(0), SELECT])], { locals: 1 })),
  slow('20,000 shuffles', () => {
    const body = sized([1, 1, V128, shuffles(20000), END]);
    return flat([Buffer.from('\0asm\x01\0\0\0', 'latin1'), section(1, vector([UNARY])),
      section(3, [1, 0]), section(10, [1, body])]);
  }),
  slow('200,000 stores', () => module([[repeat(200000, (i) => [get(0), get(1), 0x36, 2,
    unsigned(4 * i)]), get(0)]], { locals: 1 })),
  slow('200,000 loads', () => module([[repeat(200000, () => [get(0), 0x28, 2,
    unsigned(random(60000)), get(1), ADD, set(1)]), get(1)]], { locals: 1 })),
  slow('3,000 joins of 100 values', () => module([[repeat(3000, () => [2, 0x40, get(0), 0x0d, 0,
    repeat(100, (i) => [get(1 + i), number(1), ADD, set(1 + i)]), END]), get(1)]], { locals: 100 })),
  slow('600 calls of 1,000 results', () => module([
    repeat(3, () => [repeat(1000, () => get(0)), times(200, 0x10, 1), times(1000, DROP)]).concat([get(0)]),
    repeat(1000, (i) => get(i))], { types: [UNARY, wide], functionTypes: [0, 1] })),
  fine('100,000 calls', () => module([repeat(100000, () => [get(0), 0x10, 1, set(0)]).concat([get(0)]), one])),
  slow('50,000 results of calls at once', () => module([[times(50000, 0x10, 1), times(49999, ADD)],
    [number(1)]], { types: [UNARY, [0x60, 0, 1, I32]], functionTypes: [0, 1] })),
  slow('a function of 7 MB', () => module([straight(950000, () => [number(70000), ADD, get(0), ADD])])),
  slow('200,000 functions', () => module(repeat(200000, () => one))),
  slow('a million functions', () => module(repeat(1000000, () => [get(0)]))),
  bomb('more functions than there may be', () => module(repeat(1000001, () => [get(0)]))),
  slow('a million types', () => module([one], { types: [UNARY, ...repeat(999999, (i) =>
    [0x60, 3, ...repeat(3, (k) => [I32, 0x7e, 0x7d, 0x7c][(i >> (2 * k)) & 3]), 0])] })),
  bomb('a type that contains 1,000 others, 1,000 times', () => module([one], { types: [UNARY,
    ...repeat(1000, () => wide)] })),
  slow('a million globals', () => module([one], { 6: vector(repeat(1000000, () => [I32, 1, 0x41, 0, END])) })),
  bomb('100 tables of 10,000,000 elements', () => module([one], { 4: vector(repeat(100, () =>
    [FUNCREF, 0, unsigned(10000000)])) })),
  bomb('100 memories of 4 GiB', () => module([one], { 5: vector(repeat(100, () => [0, unsigned(65536)])) })),
  fine('100,000 segments', () => module([one], { 11: vector(repeat(100000, (i) =>
    [0, 0x41, signed(i % 60000), END, 1, 0x61])) })),
  slow('100,000 segments that trap', () => module([one], { 11: vector(repeat(100000, () =>
    [0, 0x41, signed(70000), END, 1, 0x61])) })),
  fine('100,000 memory.inits', () => module([memoryInit(100000, 1000)], { 12: unsigned(1000),
    11: vector(repeat(1000, () => [1, 1, 0x61])) })),
  slow('a million exports', () => module([one], { 7: vector(repeat(1000000, (i) =>
    [4, repeat(4, (k) => 0x40 + (Math.floor(i / 32 ** k) % 32)), 0, 0])) })),
  slow('a start function that never ends', () => module([[3, 0x40, 0x0c, 0, END]], {
    types: [[0x60, 0, 0]], 7: vector([]), 8: [0] })),
  bomb('a start function that recurses', () => module([[0x10, 0]], { types: [[0x60, 0, 0]],
    7: vector([]), 8: [0] })),
  bomb('a start function that fills memory', () => module([[number(16383), 0x40, 0, DROP,
    3, 0x40, number(0), number(7), number(0x3fff0000), 0xfc, 11, 0, 0x0c, 0, END]], {
    types: [[0x60, 0, 0]], 7: vector([]), 8: [0] })),
];
