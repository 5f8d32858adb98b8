// Splits WebAssembly text into s-expressions, keeping where each one stands in the text.
//
// Text is a "latin1" string: one character a byte, so that positions are byte offsets and string
// literals may hold bytes that are not UTF-8. A node is one of
//   { type: 'atom', text, start, end }
//   { type: 'string', bytes, start, end }
//   { type: 'list', items, start, end }
// Annotations, (@name …), are left out like comments.
// It knows tokens, comments and strings only: what a form means is its reader's business.

export class SyntaxFault extends Error {}

const hex = (c) => /[0-9a-fA-F]/.test(c);
const escapes = { t: 9, n: 10, r: 13, '"': 34, "'": 39, '\\': 92 };

function readString(text, start) {
  const bytes = [];
  let at = start + 1;
  for (;;) {
    const c = text[at];
    if (c === undefined || c === '\n') throw new SyntaxFault(`unclosed string at ${start}`);
    if (c === '"') return { type: 'string', bytes: Buffer.from(bytes), start, end: at + 1 };
    if (c !== '\\') {
      bytes.push(text.charCodeAt(at++));
      continue;
    }
    const next = text[at + 1] ?? '';
    if (next in escapes) {
      bytes.push(escapes[next]);
      at += 2;
    } else if (next === 'u' && text[at + 2] === '{') {
      const close = text.indexOf('}', at);
      const code = parseInt(text.slice(at + 3, close).replaceAll('_', ''), 16);
      bytes.push(...Buffer.from(String.fromCodePoint(code), 'utf8'));
      at = close + 1;
    } else if (hex(next) && hex(text[at + 2] ?? '')) {
      bytes.push(parseInt(text.slice(at + 1, at + 3), 16));
      at += 3;
    } else {
      throw new SyntaxFault(`unknown escape at ${at}`);
    }
  }
}

// The position behind the comment or white space at `at`, or `at` itself.
function skipSpace(text, at) {
  for (;;) {
    const c = text[at];
    if (c === ' ' || c === '\t' || c === '\n' || c === '\r') {
      at++;
    } else if (c === ';' && text[at + 1] === ';') {
      while (at < text.length && text[at] !== '\n' && text[at] !== '\r') at++;
    } else if (c === '(' && text[at + 1] === ';') {
      at = skipBlockComment(text, at);
    } else {
      return at;
    }
  }
}

function skipBlockComment(text, start) {
  let depth = 0;
  let at = start;
  do {
    if (at >= text.length) throw new SyntaxFault(`unclosed comment at ${start}`);
    const two = text.slice(at, at + 2);
    if (two === '(;') depth++;
    if (two === ';)') depth--;
    at += two === '(;' || two === ';)' ? 2 : 1;
  } while (depth > 0);
  return at;
}

function readAtom(text, start) {
  let at = start;
  while (at < text.length && !/[\s()"]/.test(text[at])) {
    if (text[at] === ';' && text[at + 1] === ';') break;
    at++;
  }
  return { type: 'atom', text: text.slice(start, at), start, end: at };
}

const isAnnotation = (list) =>
  list.items[0]?.type === 'atom' && list.items[0].text.startsWith('@');

// All top-level nodes of `text`.
export function readAll(text) {
  const root = { type: 'list', items: [], start: 0, end: text.length };
  const open = [root];
  let at = 0;
  for (;;) {
    at = skipSpace(text, at);
    const top = open[open.length - 1];
    if (at >= text.length) break;
    if (text[at] === '(') {
      const list = { type: 'list', items: [], start: at, end: -1 };
      top.items.push(list);
      open.push(list);
      at++;
    } else if (text[at] === ')') {
      if (top === root) throw new SyntaxFault(`unexpected ) at ${at}`);
      top.end = ++at;
      open.pop();
      if (isAnnotation(top)) open[open.length - 1].items.pop();
    } else {
      const node = text[at] === '"' ? readString(text, at) : readAtom(text, at);
      top.items.push(node);
      at = node.end;
    }
  }
  if (open.length > 1) throw new SyntaxFault(`unclosed ( at ${open[open.length - 1].start}`);
  return root.items;
}

export const isList = (node, head) =>
  node?.type === 'list' && node.items[0]?.type === 'atom' && node.items[0].text === head;
export const isAtom = (node, text) => node?.type === 'atom' && node.text === text;
export const isName = (node) => node?.type === 'atom' && node.text.startsWith('$');
