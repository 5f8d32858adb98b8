// What one instruction does to the state. An instruction that is not known here is an error.
import { ANY, NUM32, U32, add, constant, isAny, isConst, isPointer, join, low32, num, scale, sub, value }
  from './domain.mjs';
import { assume } from './branch.mjs';
import { noteChecked } from './checked.mjs';
import { accessError, bySize, effectiveAddress, loaded, loadedSigned } from './memory.mjs';

const VECTOR = new RegExp('^v?(mov(aps|ups|apd|upd|dqa|dqu|d|q|ss|sd|hlps|lhps|hps|lps|hpd|lpd' +
  '|ddup|shdup|sldup|mskps|mskpd)' +
  '|p(abs|ack|add|align|and|avg|blend|broadcast|cmp|extr|insr|hadd|hsub|madd|max|min|movmsk' +
  '|movsx|movzx|mul|or|sad|shuf|sign|sll|sra|srl|sub|test|unpck|xor|erm)\\w*' +
  '|(add|sub|mul|div|sqrt|min|max|and|andn|or|xor|cmp\\w*|round|shuf|unpckl|unpckh|blend|blendv' +
  '|hadd|hsub|addsub|test)(ps|pd|ss|sd)' +
  '|(ucomi|comi)s[sd]|cvtt?\\w+|dpp[sd]|insert(ps|f128|i128)|extract(ps|f128|i128)' +
  '|broadcast\\w+|perm\\w+|fn?m(add|sub)\\w+|lddqu)$');
const VECTOR_READS = /^v?(ucomi|comi|ptest|test)/; // all operands are read
const FLAGS_STAY = /^(mov|lea|push|pop|nop|set|cmov|v|shlx|shrx|sarx|rorx|mulx|not|xchg|bswap|pdep|pext|cdq|cqo|cwde|j|call|ret)/;
const GENERIC = new Set(['adc', 'sbb', 'bswap', 'rol', 'ror', 'rorx', 'shlx', 'shrx', 'sarx', 'shld',
  'shrd', 'popcnt', 'lzcnt', 'tzcnt', 'bsf', 'bsr', 'bts', 'btr', 'btc', 'andn', 'bextr', 'blsr',
  'blsi', 'blsmsk', 'bzhi', 'pdep', 'pext', 'neg', 'not', 'sar', 'rcl', 'rcr', 'crc32']);

class Step {
  constructor(context, state, instr) {
    Object.assign(this, { context, state, instr, id: instr.at * 2 + 1 });
  }

  error(text) {
    this.context.report(this.instr, text);
  }

  // For comparisons only: the low byte has its register's name.
  compared(op, size) {
    if (op.k !== 'r' || op.size !== 1 || op.high) return this.read(op, size);
    const v = this.state.regs[op.reg];
    return v.k === 'num' ? num(0, Math.min(255, v.byte), { id: v.id }) : bySize(1);
  }

  // The address of a memory operand, which is accessed with `size` bytes.
  address(m, isWrite, size = m.size) {
    const at = effectiveAddress(this.state, m, this.instr);
    if (m.segment) this.error(`segment or address size: ${m.segment}`);
    else if (!size) this.error('an access of unknown size');
    const why = accessError(this.context, this.state, at, size, isWrite);
    if (why) this.error(`${isWrite ? 'store' : 'load'}: ${why}`);
    return at;
  }

  read(op, size = op.size) {
    const { state } = this;
    if (op.k === 'i') return constant(op.v);
    if (op.k === 'x') return ANY;
    if (op.k === 'm') return loaded(this.context, state, this.address(op, false), size);
    const v = state.regs[op.reg];
    if (op.size === 8) return v;
    const low = low32(v);
    if (op.size === 4) return low;
    if (!op.high && op.size === 1) return num(0, Math.min(255, v.byte ?? 255));
    return !op.high && low.hi <= bySize(op.size).hi ? low : bySize(op.size);
  }

  write(op, v) {
    const { state } = this;
    if (op.k === 'x') return;
    if (op.k === 'm') {
      this.store(op, v);
      return;
    }
    if (op.size === 8) state.set(op.reg, v, this.id);
    else if (op.size === 4) state.set(op.reg, low32(v), this.id);
    else {
      const old = state.regs[op.reg];
      const narrow = old.k === 'num' && old.lo >= 0 && old.hi <= U32;
      const byte = op.size === 1 && !op.high ? Math.min(255, v.hi) : 255;
      if (narrow && old.hi <= 255 && !op.high && op.size === 1) state.set(op.reg, num(0, byte), this.id);
      else state.set(op.reg, { ...(narrow ? NUM32 : ANY), byte }, this.id);
    }
    if (op.reg === 4) this.checkStackPointer();
  }

  checkStackPointer() {
    const sp = this.state.regs[4];
    if ((sp.k !== 'own' && sp.k !== 'low') || sp.lo !== sp.hi) {
      this.error('the stack pointer is lost');
      this.state.regs[4] = value('own', -(2 ** 20), -(2 ** 20));
    }
  }

  store(op, v) {
    const at = this.address(op, true);
    if (at.k === 'either') this.state.slots.clear();
    if (at.k === 'own' || at.k === 'low') {
      if (at.lo === at.hi) this.state.storeSlot(at, op.size, v);
    } else if (v.k !== 'num' && v.k !== 'base' && at.k === 'base') {
      this.error(`a pointer (${v.k}) goes to the guest`);
    } else if (v.k === 'base' && at.k === 'base') {
      this.error('an address goes to the guest');
    }
  }

  compare(a, b, size) {
    this.state.flags = { at: this.instr.at, a, b, size };
  }

  // The zero flag tells of the result, the others do not.
  addWithCarry([dst]) {
    this.generic(false);
    if (dst.k !== 'r') return;
    this.compare(this.compared(dst), constant(0), dst.size);
    this.state.flags.zeroOnly = true;
  }

  arithmetic(op, f) {
    const [dst, src] = this.instr.args;
    const a = this.read(dst), b = src ? this.read(src, dst.size) : constant(1);
    let v = f(a, b);
    if (dst.size < 8) v = low32(v);
    if (dst.k === 'm' && dst.size < 8) v = bySize(dst.size);
    this.state.flags = null;
    if (op === 'sub') this.compare(a, b, dst.size);
    this.write(dst, v);
  }

  bits(op) {
    const [dst, src] = this.instr.args;
    if (dst.k === 'r' && dst.reg === 4) {
      this.alignStack(src);
      return;
    }
    if (op === 'xor' && dst.k === 'r' && src.k === 'r' && dst.reg === src.reg) {
      this.write(dst, constant(0));
      return;
    }
    const a = this.read(dst), b = this.read(src, dst.size);
    this.write(dst, dst.size < 8 ? low32(bitsValue(op, a, b)) : bitsValue(op, a, b));
  }

  alignStack(src) {
    const sp = this.state.regs[4];
    const ok = this.instr.op === 'and' && src.k === 'i' && src.v < 0 && src.v >= -4096;
    if (!ok || sp.k !== 'own') this.error('the stack pointer is lost');
    this.state.regs[4] = value('low', 0, 0, { limit: sp.lo });
  }

  shift(op) {
    const [dst, src] = this.instr.args;
    const a = this.read(dst), by = src ? this.read(src, 1) : constant(1);
    this.write(dst, shiftValue(op, dst.size === 8 ? a : low32(a), by, dst.size));
  }

  multiply() {
    const { args } = this.instr;
    if (args.length === 1) return this.wide();
    const [dst, a, b] = args.length === 3 ? args : [args[0], ...args];
    const x = this.read(a), y = this.read(b, dst.size);
    const small = x.lo >= 0 && y.lo >= 0 && x.hi * y.hi <= (dst.size === 8 ? 2 ** 52 : U32);
    return this.write(dst, small && x.k === 'num' && y.k === 'num'
      ? num(x.lo * y.lo, x.hi * y.hi) : dst.size === 8 ? ANY : NUM32);
  }

  wide() {
    this.read(this.instr.args[0]);
    this.state.set(0, ANY, this.id);
    this.state.set(2, ANY, this.id + 1);
  }

  extend() {
    const { op, args: [dst, src] } = this.instr;
    if (op === 'movsxd') {
      if (src.k === 'm') {
        const v = loadedSigned(this.context, this.address(src, false));
        return this.write(dst, v.k === 'num' ? signed(this.readSlot(src)) : v);
      }
      return this.write(dst, signed(this.read(src)));
    }
    const v = this.read(src);
    if (op === 'movzx' && src.k === 'r' && src.size === 1 && !src.high)
      return this.write(dst, num(0, this.compared(src).hi));
    if (op === 'movzx') return this.write(dst, v.k === 'num' && v.hi <= bySize(src.size).hi &&
      v.lo >= 0 ? v : bySize(src.size));
    return this.write(dst, dst.size === 8 ? ANY : NUM32);
  }

  readSlot(src) {
    const at = effectiveAddress(this.state, src, this.instr);
    return at.k === 'own' || at.k === 'low' ? loaded(this.context, this.state, at, 4) : NUM32;
  }

  push() {
    const v = this.read(this.instr.args[0], 8);
    this.state.regs[4] = add(this.state.regs[4], constant(-8));
    this.store({ k: 'm', base: 4, index: -1, disp: 0, size: 8, segment: '' }, v);
  }

  pop() {
    const v = this.read({ k: 'm', base: 4, index: -1, disp: 0, size: 8, segment: '' });
    this.state.regs[4] = add(this.state.regs[4], constant(8));
    this.write(this.instr.args[0], v);
  }

  conditionalMove() {
    const [dst, src] = this.instr.args;
    const condition = this.instr.op.slice('cmov'.length), { state } = this;
    this.state = state.clone();
    const mayMove = assume(this.state, condition, true), moved = this.read(src);
    this.state = state.clone();
    const mayStay = assume(this.state, condition, false), kept = this.read(dst);
    this.state = state;
    let v = mayMove && mayStay ? join(kept, moved, 0, null) : mayMove ? moved : kept;
    if (isPointer(kept) && isPointer(moved) && kept.k !== moved.k && mayMove && mayStay)
      v = value('either', 0, 0, { of: [kept, moved] });
    this.write(dst, { ...v, id: 0 });
  }

  // Everything that only computes: operands are read, the first is written with whatever.
  generic(isRead) {
    const { args } = this.instr;
    args.forEach((op, i) => {
      if (op.k === 'm' && (i > 0 || isRead)) this.address(op, false);
    });
    const dst = args[0];
    if (!dst || isRead) return;
    if (dst.k === 'm') this.store(dst, ANY);
    else this.write(dst, dst.size === 8 ? ANY : NUM32);
  }

  exchange() {
    const [a, b] = this.instr.args;
    if (a.k !== 'r' || b.k !== 'r') this.error('an atomic exchange');
    const x = this.read(a), y = this.read(b);
    this.write(a, { ...y, id: 0 });
    this.write(b, x);
  }

  run() {
    const { op, args } = this.instr;
    for (const a of args) if (!a || a.k === '?' || a.index === -2)
      return this.error('an operand that is not known');
    if (!FLAGS_STAY.test(op) || op === 'vptest' || VECTOR_READS.test(op)) this.state.flags = null;
    return this.known(op, args);
  }

  known(op, args) {
    switch (op) {
      case 'nop': case 'endbr64': case 'vzeroupper': case 'ud2': return;
      case 'mov': case 'movabs':
        this.write(args[0], this.read(args[1], args[0].size));
        return;
      case 'movzx': case 'movsx': case 'movsxd': this.extend(); return;
      case 'cdqe': this.state.set(0, signed(low32(this.state.regs[0])), this.id); return;
      case 'cwde': this.state.set(0, NUM32, this.id); return;
      case 'cdq': this.state.set(2, NUM32, this.id); return;
      case 'cqo': this.state.set(2, ANY, this.id); return;
      case 'lea': this.write(args[0], effectiveAddress(this.state, args[1], this.instr)); return;
      case 'add': case 'inc': this.arithmetic(op, add); return;
      case 'sub': case 'dec': this.arithmetic(op, sub); return;
      case 'and': case 'or': case 'xor': this.bits(op); return;
      case 'shl': case 'shr': case 'sar': this.shift(op); return;
      case 'imul': this.multiply(); return;
      case 'mul': case 'div': case 'idiv': this.wide(); return;
      case 'mulx': this.read(args[2]); this.write(args[0], ANY); this.write(args[1], ANY); return;
      case 'cmp': this.cmp(args); return;
      case 'test': this.test(args); return;
      case 'bt': this.generic(true); return;
      case 'push': this.push(); return;
      case 'pop': this.pop(); return;
      case 'xchg': this.exchange(); return;
      default: this.others(op, args);
    }
  }

  cmp([a, b]) {
    this.compare(this.compared(a), this.compared(b, a.size), a.size);
  }

  test(args) {
    const a = this.read(args[0]), b = this.read(args[1], args[0].size);
    const self = args[0].k === 'r' && args[1].k === 'r' && args[0].reg === args[1].reg;
    if (self) this.compare(this.compared(args[0]), constant(0), args[0].size);
    else this.state.flags = null;
    void b;
  }

  others(op, args) {
    if (/^cmov/.test(op)) this.conditionalMove();
    else if (/^set/.test(op)) {
      noteChecked(this.state, this.state.flags);
      this.write(args[0], num(0, 1));
    } else if (op === 'adc') this.addWithCarry(args);
    else if (GENERIC.has(op)) this.generic(false);
    else if (VECTOR.test(op)) this.generic(VECTOR_READS.test(op));
    else this.error('an instruction that is not allowed');
  }
}

function bitsValue(op, a, b) {
  const small = (v) => v.k === 'num' && v.lo >= 0 && v.hi < Infinity;
  if (op === 'and') {
    const his = [a, b].filter(small).map((v) => v.hi);
    if (!his.length) return ANY;
    const mask = isConst(b) && b.lo > 0 && b.lo <= U32 ? b.lo : 1;
    return num(0, Math.min(...his), { step: mask & -mask || 1 });
  }
  if (!small(a) || !small(b)) return ANY;
  return num(0, 2 ** Math.ceil(Math.log2(Math.max(a.hi, b.hi) + 1)) - 1);
}

function shiftValue(op, a, by, size) {
  const any = size === 8 ? ANY : NUM32, bits = size === 8 ? 64 : 32;
  if (!isConst(by)) return any;
  const n = 2 ** (by.lo % bits);
  const nonNegative = a.k === 'num' && a.lo >= 0 && !isAny(a);
  if (op === 'shl') return nonNegative && a.hi * n <= (size === 8 ? 2 ** 52 : U32) ? scale(a, n) : any;
  if (op === 'sar') return nonNegative && a.hi < 2 ** (bits - 1)
    ? num(Math.floor(a.lo / n), Math.floor(a.hi / n)) : any;
  if (nonNegative) return num(Math.floor(a.lo / n), Math.floor(a.hi / n));
  return num(0, 2 ** bits / n - 1);
}

function signed(v) {
  return v.k === 'num' && v.lo >= 0 && v.hi < 2 ** 31 ? v : num(-(2 ** 31), 2 ** 31 - 1);
}

export function step(context, state, instr) {
  new Step(context, state, instr).run();
}
