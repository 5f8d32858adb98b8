// Turns one .wast file into the lines and module bytes that spec_runner reads.
//
// A line is words split by single spaces: a verb, the line in the .wast file, and what the verb
// needs. Text stands behind a '"', its bytes outside of [A-Za-z0-9._$-] as %xx. Instances are
// numbered in the order in which they are (or should fail to be) instantiated; names are resolved
// here. Module bytes are "offset size" within the second file.
//
//   define L off size              instantiate L inst off size     trapping L inst off size "text
//   unlinkable L off size "text    invalid L off size "text        malformed L off size "text
//   quoted L off size "text        refused L "text                 unreadable L inst "why
//   register L inst "name          invoke L inst "field value…
//   return L invoke|get inst "field value… -> pattern…
//   trap|exhaustion|exception L invoke inst "field value… -> "text
//
// `quoted` is malformed text that the text parser let pass, `refused` one that it did refuse.
//
// Values: i32:hex i64:hex f32:hex f64:hex v128:32 hex digits, lowest byte first; null[:heap],
// func, extern[:n], host:n, and other kinds of reference by name. Patterns also: f32:canonical,
// f32:arithmetic, f32x4:lane,… f64x2:lane,… and alternatives joined by '|'.

import { readAll, isList, isAtom, isName } from './sexpr.mjs';
import { integerBits, floatBits } from './numbers.mjs';

const words = (bytes) =>
  '"' +
  [...bytes]
    .map((b) =>
      /[A-Za-z0-9._$-]/.test(String.fromCharCode(b))
        ? String.fromCharCode(b)
        : '%' + b.toString(16).padStart(2, '0'),
    )
    .join('');

const hexOf = (value, bits) => value.toString(16).padStart(bits / 4, '0');

function littleEndian(values, bits) {
  const bytes = [];
  for (const v of values)
    for (let i = 0; i < bits; i += 8) bytes.push(Number((v >> BigInt(i)) & 255n));
  return Buffer.from(bytes).toString('hex');
}

function floatPattern(text, bits) {
  if (text === 'nan:canonical') return 'canonical';
  if (text === 'nan:arithmetic') return 'arithmetic';
  return hexOf(floatBits(text, bits), bits);
}

function vector(items) {
  const shape = items[1].text;
  const [, kind, bits, count] = /^([if])(\d+)x(\d+)$/.exec(shape);
  const lanes = items.slice(2).map((n) => n.text);
  if (lanes.length !== Number(count)) throw new Error(`${shape} with ${lanes.length} lanes`);
  const width = Number(bits);
  if (kind === 'i')
    return 'v128:' + littleEndian(lanes.map((x) => integerBits(x, width)), width);
  const patterns = lanes.map((x) => floatPattern(x, width));
  if (patterns.some((p) => p === 'canonical' || p === 'arithmetic'))
    return `${shape}:${patterns.join(',')}`;
  return 'v128:' + littleEndian(patterns.map((p) => BigInt('0x' + p)), width);
}

function value(node) {
  const items = node.items;
  const head = items[0].text;
  const operand = items[1]?.text;
  if (head === 'either') return items.slice(1).map(value).join('|');
  if (head === 'v128.const') return vector(items);
  const constant = /^([if])(32|64)\.const$/.exec(head);
  if (constant) {
    const bits = Number(constant[2]);
    const text =
      constant[1] === 'i' ? hexOf(integerBits(operand, bits), bits) : floatPattern(operand, bits);
    return `${constant[1]}${bits}:${text}`;
  }
  const reference = /^ref\.([a-z0-9]+)$/.exec(head);
  if (!reference) throw new Error(`value ${head}`);
  return reference[1] + (operand === undefined ? '' : ':' + operand);
}

// Reads the forms of one file. `parseText(text)` gives a module's bytes or throws.
class Converter {
  constructor(source, parseText) {
    this.source = source;
    this.parseText = parseText;
    this.lines = [];
    this.blobs = [];
    this.blobBytes = 0;
    this.instances = 0;
    this.current = -1;
    this.named = new Map();
    this.definitions = new Map();
  }

  emit(...parts) {
    this.lines.push(parts.join(' '));
  }

  lineOf(node) {
    return this.source.slice(0, node.start).split('\n').length;
  }

  store(bytes) {
    const at = this.blobBytes;
    this.blobs.push(bytes);
    this.blobBytes += bytes.length;
    return `${at} ${bytes.length}`;
  }

  // { name, definition, quoted, place } of a (module …) form; place is null, with `why`, when the
  // text parser refuses it.
  async module(node) {
    const items = node.items.slice(1);
    const definition = isAtom(items[0], 'definition');
    const skipped = definition ? items.shift() : null;
    const name = isName(items[0]) ? items.shift().text : null;
    const strings = () => Buffer.concat(items.slice(1).map((n) => n.bytes));
    if (isAtom(items[0], 'binary'))
      return { name, definition, quoted: false, place: this.store(strings()) };
    const quoted = isAtom(items[0], 'quote');
    try {
      let text;
      if (quoted) {
        text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(strings());
      } else {
        const raw = skipped
          ? '(module' + this.source.slice(skipped.end, node.end)
          : this.source.slice(node.start, node.end);
        /* Some parsers refuse text that could mislead a reader; as escapes it is just bytes. */
        text = raw.replace(
          /[\x80-\xff]/g,
          (c) => '\\' + c.charCodeAt(0).toString(16).padStart(2, '0'),
        );
      }
      return { name, definition, quoted, place: this.store(Buffer.from(await this.parseText(text))) };
    } catch (e) {
      return { name, definition, quoted, place: null, why: String(e.message ?? e) };
    }
  }

  instance(name) {
    const number = this.instances++;
    this.current = number;
    if (name) this.named.set(name, number);
    return number;
  }

  reference(node) {
    if (!isName(node)) return this.current;
    if (!this.named.has(node.text)) throw new Error(`unknown instance ${node.text}`);
    return this.named.get(node.text);
  }

  instantiate(line, name, module) {
    const number = this.instance(name);
    if (module.place) this.emit('instantiate', line, number, module.place);
    else this.emit('unreadable', line, number, words(Buffer.from(module.why.slice(0, 200))));
  }

  async moduleForm(line, node) {
    if (isAtom(node.items[1], 'instance')) {
      const names = node.items.slice(2);
      this.instantiate(line, names[0].text, this.definitions.get(names[1].text));
      return;
    }
    const module = await this.module(node);
    if (module.name) this.definitions.set(module.name, module);
    if (!module.definition) this.instantiate(line, module.name, module);
    else if (module.place) this.emit('define', line, module.place);
    else this.emit('unreadable', line, -1, words(Buffer.from(module.why.slice(0, 200))));
  }

  action(node) {
    const items = node.items;
    const rest = items.slice(isName(items[1]) ? 2 : 1);
    const args = rest.slice(1).map((n) => ' ' + value(n)).join('');
    return `${items[0].text} ${this.reference(items[1])} ${words(rest[0].bytes)}${args}`;
  }

  async refusal(line, kind, node, text) {
    const module = await this.module(node);
    if (!module.place) this.emit('refused', line, text);
    else if (kind === 'malformed' && module.quoted) this.emit('quoted', line, module.place, text);
    else this.emit(kind, line, module.place, text);
  }

  async assertion(line, kind, items) {
    const last = items[items.length - 1];
    const text = last.type === 'string' ? words(last.bytes) : '"';
    if (kind === 'malformed' || kind === 'invalid') {
      await this.refusal(line, kind, items[1], text);
    } else if (kind === 'unlinkable') {
      const module = await this.module(items[1]);
      this.emit('unlinkable', line, module.place, text);
    } else if (kind === 'trap' && isList(items[1], 'module')) {
      const module = await this.module(items[1]);
      this.emit('trapping', line, this.instances++, module.place, text);
    } else if (kind === 'return') {
      this.emit('return', line, this.action(items[1]), '->', ...items.slice(2).map(value));
    } else if (['trap', 'exhaustion', 'exception'].includes(kind)) {
      this.emit(kind, line, this.action(items[1]), '->', text);
    } else {
      throw new Error(`assert_${kind}`);
    }
  }

  async form(node) {
    const line = this.lineOf(node);
    const items = node.items;
    const head = items[0].text;
    if (head === 'module') await this.moduleForm(line, node);
    else if (head === 'register')
      this.emit('register', line, this.reference(items[2]), words(items[1].bytes));
    else if (head === 'invoke') this.emit('invoke', line, this.action(node).slice('invoke '.length));
    else if (head === 'get') return;
    else if (head.startsWith('assert_')) await this.assertion(line, head.slice(7), items);
    else throw new Error(`line ${line}: form ${head}`);
  }

  async file() {
    const forms = readAll(this.source);
    const known = /^(module|register|invoke|get|assert_[a-z]+)$/;
    if (forms.length > 0 && !forms.every((n) => known.test(n.items?.[0]?.text ?? ''))) {
      /* A file may be the fields of one module. */
      const bytes = await this.parseText(Buffer.from(this.source, 'latin1').toString('utf8'));
      this.instantiate(1, null, { place: this.store(Buffer.from(bytes)) });
      return;
    }
    for (const node of forms) await this.form(node);
  }
}

// { lines, bytes } of a .wast file given as a latin1 string.
export async function convert(source, parseText) {
  const c = new Converter(source, parseText);
  await c.file();
  return { lines: c.lines, bytes: Buffer.concat(c.blobs) };
}
