// Counts a CTest run from its JUnit files and prints the closing lines of script/test.
//
// A test counts one, unless the last line of its output is `N passed, N failed, N skipped`: then
// it counts those. Its lines `skipped: N reason` name what it left out. A test that ends with
// CTest's "skipped" gives the reason in a line `skipped: reason`.
import { readFileSync } from 'node:fs';

const total = { passed: 0, failed: 0, skipped: 0 };
const reasons = new Map();
const failures = [];

function unescape(text) {
  const names = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
  return text.replace(/&(lt|gt|amp|quot|apos);/g, (_, name) => names[name]);
}

function skip(count, reason) {
  if (count) reasons.set(reason, (reasons.get(reason) ?? 0) + count);
}

function countSuite(name, lines, ok, own) {
  const [passed, failed, skipped] = own.slice(1).map(Number);
  total.passed += passed;
  total.skipped += skipped;
  total.failed += failed || (ok ? 0 : 1);
  if (failed || !ok) failures.push(`${name} (${failed} inside)`);
  let named = 0;
  for (const line of lines) {
    const found = /^skipped: (\d+) (.+)$/.exec(line);
    if (!found) continue;
    skip(Number(found[1]), `${found[2]} (${name})`);
    named += Number(found[1]);
  }
  if (named < skipped) skip(skipped - named, `without a reason (${name})`);
}

function countTest(name, status, output) {
  const lines = output.trimEnd().split('\n').map((line) => line.trimEnd());
  const own = /^(\d+) passed, (\d+) failed, (\d+) skipped$/.exec(lines.at(-1));
  if (status === 'notrun' || status === 'disabled') {
    const reason = lines.map((line) => /^skipped: (.+)$/.exec(line)?.[1]).find(Boolean);
    total.skipped += 1;
    skip(1, `${reason ?? 'not run'} (${name})`);
  } else if (own) {
    countSuite(name, lines, status === 'run', own);
  } else if (status === 'run') {
    total.passed += 1;
  } else {
    total.failed += 1;
    failures.push(name);
  }
}

for (const argument of process.argv.slice(2)) {
  if (argument.startsWith('skipped:')) {
    total.skipped += 1;
    skip(1, argument.slice('skipped:'.length));
    continue;
  }
  const xml = readFileSync(argument, 'utf8');
  for (const [, head, body] of xml.matchAll(/<testcase ([^>]*)>([\s\S]*?)<\/testcase>/g)) {
    const name = unescape(/name="([^"]*)"/.exec(head)[1]);
    const status = /status="([^"]*)"/.exec(head)[1];
    const output = /<system-out>([\s\S]*?)<\/system-out>/.exec(body)?.[1] ?? '';
    countTest(name, status, unescape(output));
  }
}
for (const name of failures) console.log(`failed: ${name}`);
for (const [reason, count] of reasons) console.log(`skipped: ${count} ${reason}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed || !total.passed ? 1 : 0);
