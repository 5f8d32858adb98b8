// The guests of components.mjs.

export const command = `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    char text[4096];
    size_t size;
    if (argc > 1 && !strcmp(argv[1], "trap")) __builtin_trap();
    if (argc > 1 && !strcmp(argv[1], "exit")) exit(3);
    if (argc > 2 && !strcmp(argv[1], "read")) {
        FILE *f = fopen(argv[2], "r");
        if (!f) return 1;
        size = fread(text, 1, sizeof text, f);
        fwrite(text, 1, size, stdout);
        return 0;
    }
    for (int i = 1; i < argc; i++) printf("%s%s", argv[i], i + 1 < argc ? " " : "\\n");
    const char *greeting = getenv("GREETING");
    printf("%s\\n", greeting ? greeting : "");
    while ((size = fread(text, 1, sizeof text, stdin)) > 0) {
        for (size_t i = 0; i < size; i++)
            if (text[i] >= 'a' && text[i] <= 'z') text[i] = (char)(text[i] - 32);
        fwrite(text, 1, size, stdout);
    }
    if (greeting) fputs("to stderr\\n", stderr);
    return 0;
}
`;

export const rust = `
use std::collections::HashMap;
use std::io::Read;

fn main() {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    let mut counts: HashMap<&str, u32> = HashMap::new();
    for word in text.split_whitespace() {
        *counts.entry(word).or_default() += 1;
    }
    let mut words: Vec<_> = counts.into_iter().collect();
    words.sort();
    println!("{:?} {:?}", std::env::args().skip(1).collect::<Vec<_>>(), words);
}
`;

export const reactorWit = `
package test:guest@1.0.0;
interface shapes {
  record size { width: u32, height: u32 }
  variant shape { circle(f64), rectangle(size), nothing }
  flags letters { a, b, c }
  area: func(s: shape) -> result<f64, string>;
  names: func(which: letters, more: option<list<string>>) -> tuple<u8, list<string>>;
}
world guest { export shapes; }
`;

export const reactor = `
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

__attribute__((export_name("cabi_realloc")))
void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size)
{
    (void)old_size;
    (void)align;
    void *p = realloc(old, size);
    if (!p) abort();
    return p;
}

static struct { uint8_t tag; union { double area; struct { const char *text; size_t size; }; }; } answer;

__attribute__((export_name("test:guest/shapes@1.0.0#area")))
void *area(int tag, int64_t a, int b)
{
    answer.tag = tag == 2;
    if (tag == 2) {
        answer.text = "nothing";
        answer.size = 7;
    } else if (tag == 1) {
        answer.area = (double)(uint32_t)a * (uint32_t)b;
    } else {
        double radius;
        memcpy(&radius, &a, sizeof radius);
        answer.area = 3.14 * radius * radius;
    }
    return &answer;
}

static struct { uint8_t count; void *list; size_t size; } names_answer;

__attribute__((export_name("test:guest/shapes@1.0.0#names")))
void *names(int which, int has_more, void *more, size_t size)
{
    names_answer.count = (uint8_t)which;
    names_answer.list = has_more ? more : 0;
    names_answer.size = has_more ? size : 0;
    return &names_answer;
}
`;

export const initialisedWit = `
package test:initialised;
world guest { export wasi:cli/run@0.2.0; }
package wasi:cli@0.2.0 {
  interface run { run: func() -> result; }
}
`;

export const initialised = `
#include <stdlib.h>

static char *text;
static int times;

__attribute__((constructor)) static void initialise(void)
{
    text = malloc(100);
    times++;
}

__attribute__((export_name("wasi:cli/run@0.2.0#run"))) int run_it(void)
{
    return !text || times != 1;
}

__attribute__((export_name("cabi_realloc")))
void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size)
{
    (void)old_size;
    (void)align;
    return realloc(old, size);
}
`;

// A component whose one core module $m exports "run", given `imports` and core instance `args`.
const program = (module, { before = '', args = '' } = {}) => `(component
  ${before}
  (core module $m ${module})
  (core instance $i (instantiate $m ${args}))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $cli (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $cli)))`;

// With one function of the outside, as "host" "f".
const importing = (module, instance, name, type) => program(module, {
  before: `(import "${instance}" (instance $outside (export "${name}" (func ${type}))))
    (core func $f (canon lower (func $outside "${name}")))`,
  args: '(with "host" (instance (export "f" (func $f))))',
});

const RANDOM = 'wasi:random/random@0.2.0';
const ok = '(func (export "run") (result i32) i32.const 0)';

const using = '(import "host" "f" (func $f)) ';
const later = {
  before: '(core func $f (canon backpressure.inc))',
  args: '(with "host" (instance (export "f" (func $f))))',
};

// wasi:config/store as $store, and $libc with what its functions need.
export const configStore = `(import "wasi:config/store@0.2.0-rc.1" (instance $store
    (type $cases (variant (case "upstream" string) (case "io" string)))
    (export "error" (type $error (eq $cases)))
    (export "get" (func (param "key" string) (result (result (option string) (error $error)))))))
  (core module $libc
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024))
  (core instance $libc (instantiate $libc))`;

// Whether wasi:config/store says that "greeting" is five bytes long.
const configured = `(component
  ${configStore}
  (core func $get (canon lower (func $store "get") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core module $m
    (import "libc" "memory" (memory 1))
    (import "host" "get" (func $get (param i32 i32 i32)))
    (data (i32.const 16) "greeting")
    (func (export "run") (result i32)
      (call $get (i32.const 16) (i32.const 8) (i32.const 64))
      (i32.ne (i32.load (i32.const 76)) (i32.const 5))))
  (core instance $i (instantiate $m
    (with "libc" (instance $libc))
    (with "host" (instance (export "get" (func $get))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $cli (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $cli)))`;

export const texts = {
  'a value of the configuration': { text: configured, options: ['--config', 'x=', '--config', 'greeting=a=b c'] },
  'a configuration without the value': { text: configured, options: ['--config', 'greetings=12345'], code: 1 },
  'a configuration with a value twice': {
    text: configured, options: ['--config', 'a=1', '--config', 'a=2'], code: 2, err: /--config a: given twice/,
  },
  'a start function is run at deploy': {
    text: program(`
      (global $g (mut i32) (i32.const 1))
      (func $start (global.set $g (i32.const 0)))
      (start $start)
      (func (export "run") (result i32) global.get $g)`),
    stats: /^(?![^]*initialisation is left)/,
  },
  'a run that fails': { text: program('(func (export "run") (result i32) i32.const 1)'), code: 1 },
  'a result that is none': {
    text: program('(func (export "run") (result i32) i32.const 2)'),
    code: 134,
    err: /"run" gave 2, which is neither success nor failure/,
  },
  'a start function that wants randomness runs in every instance': {
    text: importing(`
      (import "host" "f" (func $f (result i64)))
      (global $g (mut i64) (i64.const 0))
      (func $start (global.set $g (call $f)))
      (start $start)
      (func (export "run") (result i32) (i64.eqz (global.get $g)))`,
    RANDOM, 'get-random-u64', '(result u64)'),
    stats: /initialisation is left to every instance: it calls wasi:random\/random@0\.2\.0#get-random-u64/,
  },
  'a start function may ask for the time': {
    text: importing(`
      (import "host" "f" (func $f (result i64)))
      (global $g (mut i64) (i64.const 0))
      (func $start (global.set $g (call $f)))
      (start $start)
      (func (export "run") (result i32) (i64.eqz (global.get $g)))`,
    'wasi:clocks/monotonic-clock@0.2.3', 'now', '(result u64)'),
    stats: /^(?![^]*initialisation is left)/,
  },
  'a start function that keeps a handle runs in every instance': {
    text: program(`
      (import "host" "new" (func $new (param i32) (result i32)))
      (import "host" "rep" (func $rep (param i32) (result i32)))
      (global $g (mut i32) (i32.const 0))
      (func $start (global.set $g (call $new (i32.const 42))))
      (start $start)
      (func (export "run") (result i32) (i32.ne (call $rep (global.get $g)) (i32.const 42)))`, {
      before: `(type $r (resource (rep i32)))
        (core func $new (canon resource.new $r))
        (core func $rep (canon resource.rep $r))`,
      args: '(with "host" (instance (export "new" (func $new)) (export "rep" (func $rep))))',
    }),
    stats: /initialisation is left to every instance: handles are open behind it/,
  },
  'a destructor and a resource that is dropped': {
    text: `(component
      (core module $d
        (global $g (mut i32) (i32.const 1))
        (func (export "drop") (param i32) (global.set $g (i32.sub (local.get 0) (i32.const 42))))
        (func (export "get") (result i32) global.get $g))
      (core instance $d (instantiate $d))
      (type $r (resource (rep i32) (dtor (core func $d "drop"))))
      (core func $new (canon resource.new $r))
      (core func $drop (canon resource.drop $r))
      (core module $m
        (import "host" "new" (func $new (param i32) (result i32)))
        (import "host" "drop" (func $drop (param i32)))
        (import "d" "get" (func $get (result i32)))
        (func (export "run") (result i32)
          (call $drop (call $new (i32.const 42)))
          (call $get)))
      (core instance $i (instantiate $m (with "d" (instance $d))
        (with "host" (instance (export "new" (func $new)) (export "drop" (func $drop))))))
      (func $run (result (result)) (canon lift (core func $i "run")))
      (instance $cli (export "run" (func $run)))
      (export "wasi:cli/run@0.2.0" (instance $cli)))`,
  },
  'a canonical function of 0.3 that is not called': {
    text: program(using + ok, later),
  },
  'a canonical function of 0.3 that is called': {
    text: program(`${using}(func (export "run") (result i32) (call $f) i32.const 0)`, later),
    code: 134,
    err: /backpressure\.inc, of WASI 0\.3, is not supported yet/,
  },
  'components within a component call each other': {
    text: `(component
      (component $callee
        (core module $m
          (memory (export "memory") 1)
          (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 64)
          (func (export "sum") (param i32 i32) (result i32)
            (local $sum i32)
            (loop $next
              (if (i32.eqz (local.get 1)) (then (return (local.get $sum))))
              (local.set 1 (i32.sub (local.get 1) (i32.const 1)))
              (local.set $sum (i32.add (local.get $sum)
                (i32.load8_u (i32.add (local.get 0) (local.get 1)))))
              (br $next))
            unreachable))
        (core instance $i (instantiate $m))
        (func (export "sum") (param "text" string) (result u32)
          (canon lift (core func $i "sum") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
      (component $caller
        (import "sum" (func $sum (param "text" string) (result u32)))
        (core module $memory
          (memory (export "memory") 1)
          (data (i32.const 8) "abc"))
        (core instance $memory (instantiate $memory))
        (core func $lowered (canon lower (func $sum) (memory (core memory $memory "memory"))))
        (core module $m
          (import "host" "sum" (func $sum (param i32 i32) (result i32)))
          (func (export "run") (result i32)
            (i32.ne (call $sum (i32.const 8) (i32.const 3)) (i32.const 294))))
        (core instance $i (instantiate $m
          (with "host" (instance (export "sum" (func $lowered))))))
        (func (export "run") (result (result)) (canon lift (core func $i "run"))))
      (instance $a (instantiate $callee))
      (instance $b (instantiate $caller (with "sum" (func $a "sum"))))
      (instance $cli (export "run" (func $b "run")))
      (export "wasi:cli/run@0.2.0" (instance $cli)))`,
  },
  'a host function that is handed on as an export can be called': {
    text: importing(`
      (import "host" "f" (func $f (result i64)))
      (export "f" (func $f))
      ${ok}`, RANDOM, 'get-random-u64', '(result u64)').replace('(instance $cli', `
      (func $again (result u64) (canon lift (core func $i "f")))
      (export "again" (func $again))
      (instance $cli`),
  },
};

export const refused = {
  'an interface that nobody has': {
    text: importing(using + ok, 'acme:things/api@1.2.3', 'go', ''),
    error: /imports that no host has: "acme:things\/api@1\.2\.3" "go", the nearest interface is "[^"]+"/,
  },
  'a version that nobody has': {
    text: importing('(import "host" "f" (func (result i64)))' + ok,
      'wasi:random/random@0.9.0', 'get-random-u64', '(result u64)'),
    error: /"wasi:random\/random@0\.9\.0" "get-random-u64", the nearest interface is "wasi:random\/random@0\.2\./,
  },
  'a function that an interface has not': {
    text: importing('(import "host" "f" (func (result i64)))' + ok,
      RANDOM, 'get-random-u65', '(result u64)'),
    error: /"wasi:random\/random@0\.2\.0" "get-random-u65", the nearest name is "get-random-u64"/,
  },
  'a function of another type': {
    text: importing('(import "host" "f" (func (result i32)))' + ok,
      RANDOM, 'get-random-u64', '(result u32)'),
    error: /imports of another type: .*"get-random-u64" func\(\) -> u32, which is func\(\) -> u64/,
  },
  'a start function that traps': {
    text: program(`(func $start unreachable) (start $start) ${ok}`),
    error: /cannot be instantiated: wasm trap: unreachable/,
  },
  'no core module': { text: '(component)', error: /has no core module: there is nothing to compile/ },
  'a core module that is imported': {
    text: '(component (import "m" (core module $m)) (core instance (instantiate $m)))',
    error: /import `m` is a core module, which no host provides/,
  },
  'an async function of 0.3': {
    text: `(component
      (core module $m
        (func (export "f") (result i32) i32.const 0)
        (func (export "callback") (param i32 i32 i32) (result i32) i32.const 0))
      (core instance $i (instantiate $m))
      (func (export "f") async
        (canon lift (core func $i "f") async (callback (core func $i "callback")))))`,
    error: /async functions, of WASI 0\.3, are not supported yet/,
  },
  'a stream of 0.3': {
    text: `(component
      (core module $m (func (export "f") (param i32)))
      (core instance $i (instantiate $m))
      (func (export "f") (param "in" (stream u8)) (canon lift (core func $i "f"))))`,
    error: /a value of type stream, of WASI 0\.3, which is not supported yet/,
  },
  'a lifted function that no core module has': {
    text: `(component
      (import "${RANDOM}" (instance $random (export "get-random-u64" (func (result u64)))))
      (core func $f (canon lower (func $random "get-random-u64")))
      (core module $m (memory 1))
      (core instance (instantiate $m))
      (func (export "f") (result u64) (canon lift (core func $f))))`,
    error: /which no core module imports/,
  },
};
