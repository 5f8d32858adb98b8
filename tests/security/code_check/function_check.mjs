// One function: its blocks, the fixed point of their states, then the rules on every instruction.
import { ANY, add, constant, value } from './domain.mjs';
import { State, joinInto } from './state.mjs';
import { step } from './step.mjs';
import { assume } from './branch.mjs';
import { accessError, effectiveAddress, loaded } from './memory.mjs';

const WIDEN_AFTER = 4, VISITS_MAX = 200;
const CALLEE_SAVED = [3, 5, 12, 14, 15], CALLER_SAVED = [0, 1, 2, 6, 7, 8, 9, 10, 11];
const ARGUMENTS = [7, 6, 2, 1, 8, 9];
const TRAP_HELPER = 0;
const ENTRY_NAMES = 2 ** 40; // above those of instructions
const CONDITION = /^j(a|ae|b|be|e|ne|g|ge|l|le|s|ns|o|no|p|np)$/;

function entryState(fn) {
  const regs = Array.from({ length: 16 }, (_, r) => ({ ...ANY, id: ENTRY_NAMES + 2 * r }));
  for (const r of CALLEE_SAVED) regs[r] = value('entry', 0, 0, { reg: r });
  regs[4] = value('own', 0, 0);
  regs[13] = value('base', 0, 0, { step: 0 });
  if (fn.kind === 'trampoline') {
    regs[7] = value('hostcode', 0, 0);
    regs[6] = value('values', 0, 0, { step: 0 });
  } else if (fn.results > 2) {
    regs[7] = value('results', 0, 0, { step: 0 });
  }
  return new State(regs, new Map(), null, new Set());
}

class FunctionCheck {
  constructor(program, fn, instrs, byStart, counts, errors) {
    Object.assign(this, { program, fn, instrs, byStart, counts, errors, quiet: true });
    this.index = new Map(instrs.map((x, i) => [x.at, i]));
    this.states = new Map(); // by index of a block's first instruction
    this.visits = new Map();
    this.reached = new Set();
    this.leaders = new Set([0]);
    this.constants = instrs.filter((x) => x.op === 'cmp' && x.args[1]?.k === 'i' && x.args[1].v > 0)
      .map((x) => x.args[1].v);
    for (const x of instrs)
      if (x.op[0] === 'j' && x.args[0]?.k === 'i' && this.index.has(x.args[0].v))
        this.leaders.add(this.index.get(x.args[0].v));
  }

  report(instr, text) {
    if (!this.quiet) this.errors.push({ fn: this.fn.name, at: instr.at, text: instr.text, why: text });
  }

  // ---- calls ----

  frameLeft(state, instr) {
    const { regs } = state;
    if (regs[4].k !== 'own' || regs[4].lo !== 0) this.report(instr, 'leaves with another stack pointer');
    for (const r of CALLEE_SAVED)
      if (regs[r].k !== 'entry' || regs[r].reg !== r)
        this.report(instr, `leaves with register ${r} changed`);
    this.baseInPlace(state, instr);
  }

  baseInPlace(state, instr) {
    const v = state.regs[13];
    if (v.k !== 'base' || v.lo !== 0 || v.hi !== 0) this.report(instr, 'the base register is not the base');
  }

  // What the callee is: a function, 'callee' of unknown type, a helper's number; null: nothing known.
  calleeOf(state, instr) {
    const [op] = instr.args;
    if (op.k === 'i') return this.byStart.get(op.v) ?? null;
    let v;
    if (op.k === 'm') {
      const at = effectiveAddress(state, op, instr);
      const why = accessError(this, state, at, 8, false) || op.segment;
      if (why) this.report(instr, `call: ${why}`);
      v = loaded(this, state, at, 8);
    } else v = state.regs[op.reg];
    if (v.k === 'helper') return { kind: 'helper', number: v.lo / 8 };
    if (v.k === 'callee') return { kind: 'indirect' };
    if (v.k === 'hostcode') return { kind: 'indirect' };
    if (v.k === 'blob' && v.lo === v.hi) return this.byStart.get(v.lo) ?? null;
    return null;
  }

  call(state, instr) {
    const callee = this.calleeOf(state, instr);
    if (callee?.noreturn) return 'stops';
    if (!callee || callee.kind === 'trampoline') this.report(instr, 'calls what is no function');
    this.baseInPlace(state, instr);
    const results = callee?.results ?? this.program.resultsMax;
    if (callee?.results > 2) this.resultsPlace(state, instr, callee.results);
    const bytes = callee?.kind === 'helper' ? 16 * Math.max(this.fn.params, this.fn.results, 1)
      : 16 * Math.max(results, 1);
    for (const r of ARGUMENTS) {
      const v = state.regs[r];
      if ((v.k === 'own' || v.k === 'low') && (results > 2 || callee?.kind === 'helper'))
        state.dropSlots(v, bytes);
    }
    const popped = callee?.kind === 'helper' ? 0
      : callee?.kind === 'function' ? this.pops(callee) : this.program.popsAll ?? 0;
    if (popped === null) this.report(instr, 'an indirect call of unknown convention');
    else if (popped) state.regs[4] = add(state.regs[4], constant(popped));
    for (const r of CALLER_SAVED) state.set(r, ANY, instr.at * 2 + 2 + r / 1e3);
    state.flags = null;
    return callee?.kind === 'helper' && callee.number === TRAP_HELPER ? 'stops' : '';
  }

  // In a program with tail calls, functions take their parameters off the stack.
  pops(fn) {
    if (!this.program.tails || fn.kind !== 'function') return 0;
    return Math.ceil((fn.argumentBytes + 8) / 16) * 16 - 8;
  }

  resultsPlace(state, instr, results) {
    const v = state.regs[7];
    const inFrame = (v.k === 'own' || v.k === 'low') && v.lo + 16 * results <= 0;
    const passedOn = v.k === 'results' && v.lo === 0 && v.hi === 0 && results <= this.fn.results;
    const toHost = v.k === 'values' && v.lo === 0 && v.hi === 0;
    if (!inFrame && !passedOn && !toHost) this.report(instr, 'results go elsewhere');
  }

  // ---- ways on: [instruction index, state] ----

  jumpTargets(v, instr) {
    const { program } = this, targets = [];
    for (let i = 0; i < v.count; i++) {
      const at = v.table + 4 * i - program.codeBytes;
      if (at < 0 || at + 4 > program.rodata.length) break;
      targets.push(v.from + program.rodata.readInt32LE(at));
    }
    if (targets.length !== v.count) this.report(instr, 'a jump table out of read-only data');
    return targets;
  }

  tail(state, instr, callee) {
    if (!callee || callee.kind === 'trampoline') this.report(instr, 'jumps to what is no function');
    this.frameLeft(state, instr);
    return [];
  }

  jump(state, instr) {
    const [op] = instr.args;
    if (op.k === 'i' && this.index.has(op.v)) return [[this.index.get(op.v), state]];
    if (op.k === 'i') return this.tail(state, instr, this.byStart.get(op.v));
    const v = op.k === 'r' ? state.regs[op.reg] : null;
    if (v?.k !== 'jumptarget') return this.tail(state, instr, this.calleeOf(state, instr));
    const ways = [];
    for (const target of new Set(this.jumpTargets(v, instr))) {
      const i = this.index.get(target);
      if (i === undefined) this.report(instr, `a jump table leads out, to ${target.toString(16)}`);
      else ways.push([i, state]);
      this.leaders.add(i);
    }
    return ways;
  }

  conditional(state, instr, i) {
    const condition = CONDITION.exec(instr.op)[1];
    const taken = state.clone(), target = instr.args[0].v;
    const ways = assume(state, condition, false) ? [[i + 1, state]] : [];
    if (!assume(taken, condition, true)) return ways;
    if (this.index.has(target)) ways.push([this.index.get(target), taken]);
    else this.tail(taken, instr, this.byStart.get(target));
    return ways;
  }

  // The probing of a large frame: sub rsp, N / mov [rsp], 0 / cmp rsp, R / jne back.
  probes(i) {
    const [a, b, c, d] = this.instrs.slice(i, i + 4).map((x) => x?.text ?? '');
    if (!/^sub\s+rsp, /.test(a) || !/^mov\s+qword ptr \[rsp\], 0x0$/.test(b)) return null;
    const limit = /^cmp\s+rsp, (r\w+)$/.exec(c);
    return limit && /^jne/.test(d) && this.instrs[i + 3].args[0].v === this.instrs[i].at
      ? this.instrs[i + 2].args[1].reg : null;
  }

  // Runs from instruction i to the end of its block; gives the ways on.
  block(i, state) {
    for (;; i++) {
      const instr = this.instrs[i];
      if (!instr) {
        this.report(this.instrs[i - 1], 'runs out of the function');
        return [];
      }
      this.reached.add(i);
      if (!this.quiet) this.counts.instructions++;
      const probe = instr.op === 'sub' ? this.probes(i) : null;
      if (probe !== null) {
        state.regs[4] = state.regs[probe];
        for (let k = 0; k < 4; k++) this.reached.add(i + k);
        i += 3;
      } else if (instr.op === 'jmp') return this.jump(state, instr);
      else if (CONDITION.test(instr.op)) return this.conditional(state, instr, i);
      else if (instr.op === 'ret') {
        this.frameLeft(state, instr);
        if ((instr.args[0]?.v ?? 0) !== this.pops(this.fn)) this.report(instr, 'pops something else');
        return [];
      } else if (instr.op === 'ud2' || instr.op === 'int3') return [];
      else if (instr.op === 'call') {
        if (this.call(state, instr)) return [];
      } else step(this, state, instr);
      if (this.leaders.has(i + 1)) return [[i + 1, state]];
    }
  }

  enter(i, state, work, isBack) {
    const known = this.states.get(i);
    const visits = (this.visits.get(i) ?? 0) + 1;
    this.visits.set(i, visits);
    if (visits > VISITS_MAX * 50) throw new Error(`${this.fn.name}: no fixed point`);
    if (!known) {
      this.states.set(i, state.clone());
      work.add(i);
    } else if (joinInto(known, state, this.instrs[i].at + 1,
      isBack && visits > WIDEN_AFTER ? this.constants : null)) {
      work.add(i);
    }
  }

  run() {
    const work = new Set();
    this.enter(0, entryState(this.fn), work, false);
    while (work.size) {
      const i = work.values().next().value;
      work.delete(i);
      for (const [next, state] of this.block(i, this.states.get(i).clone()))
        this.enter(next, state, work, next <= i);
    }
    this.quiet = false;
    for (const [i, state] of this.states) this.block(i, state.clone());
    this.instrs.forEach((x, i) => {
      if (!this.reached.has(i) && !/^(nop|int3|ud2)/.test(x.op)) this.counts.unreached++;
    });
  }
}

// Marks the functions that never return: without `ret`, without a way out but to such functions.
function markNoReturn(pieces, byStart) {
  const mayReturn = (fn, instrs) => {
    const inside = new Set(instrs.map((x) => x.at));
    return instrs.some((x) => x.op === 'ret' || (x.op[0] === 'j' && (x.args[0]?.k !== 'i' ? true
      : !inside.has(x.args[0].v) && !byStart.get(x.args[0].v)?.noreturn)));
  };
  for (let changed = true; changed;) {
    changed = false;
    for (const [fn, instrs] of pieces) {
      if (fn.noreturn || fn.kind !== 'function' || mayReturn(fn, instrs)) continue;
      fn.noreturn = changed = true;
    }
  }
}

// Checks every function of a program; errors are { fn, at, text, why }.
export function checkProgram(program, instrs) {
  const counts = { functions: 0, instructions: 0, guest: 0, checked64: 0, counters: 0, unreached: 0 };
  const errors = [];
  const byStart = new Map(program.functions.map((f) => [f.start, f]));
  const pieces = [];
  let i = 0;
  for (const fn of program.functions) {
    while (i < instrs.length && instrs[i].at < fn.start) i++;
    const first = i;
    while (i < instrs.length && instrs[i].at < fn.end) i++;
    if (first === i || instrs[first].at !== fn.start) {
      errors.push({ fn: fn.name, at: fn.start, text: '', why: 'no instruction starts there' });
      continue;
    }
    counts.functions++;
    pieces.push([fn, instrs.slice(first, i)]);
  }
  program.tails = pieces.some(([fn, piece]) => fn.kind === 'function' &&
    piece.some((x) => x.op === 'ret' && x.args.length));
  if (program.tails) {
    const all = new Set(program.functions.map((f) => Math.ceil((f.argumentBytes + 8) / 16) * 16 - 8));
    program.popsAll = all.size === 1 ? [...all][0] : null;
  }
  markNoReturn(pieces, byStart);
  for (const [fn, piece] of pieces)
    new FunctionCheck(program, fn, piece, byStart, counts, errors).run();
  return { counts, errors };
}
