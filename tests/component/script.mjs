// Turns one .wast file of the component model's suite into the lines and bytes that
// component_runner reads.
//
// A line is words split by single spaces: a verb, the line in the .wast file, and what the verb
// needs. Text stands behind a '"', its bytes outside of [A-Za-z0-9._$-] as %xx. Component bytes are
// "offset size" within the second file. Instances are numbered in the order in which they are
// instantiated; names are resolved here.
//
//   define L off size               a valid component
//   instantiate L inst off size     one that is valid and instantiated
//   invalid|malformed L off size "text
//   quoted L off size "text         malformed text that the text parser let pass
//   refused L "text                 malformed or invalid text that the text parser refuses
//   unreadable L "why               valid text that the text parser does not know
//   trapping L inst off size "text  instantiation traps
//   invoke L inst "field value…
//   return L inst "field value… -> value…
//   trap L inst "field value… -> "text
//
// Values are one word each, in the syntax of WAVE with no spaces and "%xx" as in text: 42, -1.5,
// true, 'x', "text", [1,2], (1,2), {a:1}, case, case(1), some(1), none, ok, err(1), nan.

import { readAll, isList, isAtom, isName } from '../spec/sexpr.mjs';

const words = (bytes) => '"' + escape(bytes);

const escape = (bytes) =>
  [...bytes]
    .map((b) =>
      /[A-Za-z0-9._$-]/.test(String.fromCharCode(b))
        ? String.fromCharCode(b)
        : '%' + b.toString(16).padStart(2, '0'),
    )
    .join('');

const text = (node) => (node.type === 'string' ? escape(node.bytes) : node.text);

// A field's value stands in the field's own parentheses, or in its own.
const fieldValue = (items) => (items[0].type === 'list' ? items[0] : { items });

// "u32.const 1" and its like as one word.
function value(node) {
  const [head, ...rest] = node.items;
  const kind = head.text.replace('.const', '');
  const list = (items) => items.map(value).join(',');
  const payload = (items) => (items.length ? `(${value(items[0])})` : '');
  switch (kind) {
    case 'str':
      return '"' + escape(rest[0].bytes) + '"';
    case 'char':
      return "'" + escape(rest[0].bytes) + "'";
    case 'list':
      return `[${list(rest)}]`;
    case 'tuple':
      return `(${list(rest)})`;
    case 'record':
      return `{${rest.map((f) => `${text(f.items[1])}:${value(fieldValue(f.items.slice(2)))}`).join(',')}}`;
    case 'flags':
      return `{${rest.map(text).join(',')}}`;
    case 'enum':
      return text(rest[0]);
    case 'variant':
      return text(rest[0]) + payload(rest.slice(1));
    case 'option.none':
      return 'none';
    case 'option.some':
      return `some(${value(rest[0])})`;
    case 'result.ok':
      return 'ok' + payload(rest);
    case 'result.err':
      return 'err' + payload(rest);
    default:
      if (rest.length === 1 && rest[0].type === 'atom') return rest[0].text;
      throw new Error(`value ${head.text}`);
  }
}

// Reads the forms of one file. `parseText(text)` gives a component's bytes or throws.
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

  // { name, definition, quoted, place } of a (component …) or (module …) form; place is null, with
  // `why`, when the text parser refuses it.
  async component(node) {
    const head = node.items[0].text;
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
        if (!/^\s*\(component/.test(text)) text = `(component ${text})`;
      } else {
        text = skipped
          ? `(${head}${this.source.slice(skipped.end, node.end)}`
          : this.source.slice(node.start, node.end);
        text = Buffer.from(text, 'latin1').toString('utf8');
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

  unreadable(line, why) {
    this.emit('unreadable', line, words(Buffer.from(why.replace(/\s+/g, ' ').slice(0, 300))));
  }

  instantiate(line, name, component) {
    const number = this.instance(name);
    if (component.place) this.emit('instantiate', line, number, component.place);
    else this.unreadable(line, component.why);
  }

  async componentForm(line, node) {
    if (isAtom(node.items[1], 'instance')) {
      const names = node.items.slice(2);
      this.instantiate(line, names[0].text, this.definitions.get(names[1].text));
      return;
    }
    const component = await this.component(node);
    if (component.name) this.definitions.set(component.name, component);
    if (!component.definition) this.instantiate(line, component.name, component);
    else if (component.place) this.emit('define', line, component.place);
    else this.unreadable(line, component.why);
  }

  action(node) {
    const items = node.items;
    const rest = items.slice(isName(items[1]) ? 2 : 1);
    const args = rest.slice(1).map((n) => ' ' + value(n)).join('');
    return `${this.reference(items[1])} ${words(rest[0].bytes)}${args}`;
  }

  async refusal(line, kind, node, text) {
    const component = await this.component(node);
    if (!component.place) this.emit('refused', line, text);
    else if (kind === 'malformed' && component.quoted)
      this.emit('quoted', line, component.place, text);
    else this.emit(kind, line, component.place, text);
  }

  async assertion(line, kind, items) {
    const last = items[items.length - 1];
    const text = last.type === 'string' ? words(last.bytes) : '"';
    if (kind === 'malformed' || kind === 'invalid') {
      await this.refusal(line, kind, items[1], text);
    } else if (kind === 'trap' && isList(items[1], 'component')) {
      if (isAtom(items[1].items[1], 'instance')) {
        const definition = this.definitions.get(items[1].items[3].text);
        this.emit('trapping', line, this.instances++, definition.place, text);
        return;
      }
      const component = await this.component(items[1]);
      if (component.place) this.emit('trapping', line, this.instances++, component.place, text);
      else this.unreadable(line, component.why);
    } else if (kind === 'return') {
      this.emit('return', line, this.action(items[1]), '->', ...items.slice(2).map(value));
    } else if (kind === 'trap') {
      this.emit('trap', line, this.action(items[1]), '->', text);
    } else {
      throw new Error(`assert_${kind}`);
    }
  }

  async form(node) {
    const line = this.lineOf(node);
    const head = node.items[0].text;
    if (head === 'component') await this.componentForm(line, node);
    else if (head === 'invoke') this.emit('invoke', line, this.action(node));
    else if (head.startsWith('assert_')) await this.assertion(line, head.slice(7), node.items);
    else throw new Error(`line ${line}: form ${head}`);
  }
}

// { lines, bytes } of a .wast file given as a latin1 string.
export async function convert(source, parseText) {
  const c = new Converter(source, parseText);
  for (const node of readAll(source)) await c.form(node);
  return { lines: c.lines, bytes: Buffer.concat(c.blobs) };
}
