;; Long computations that keep much alive, for interruption at any instruction.
(module
  (import "env" "host" (func $host (param i32 i32) (result i32)))
  (memory (export "memory") 64)

  (func (export "spin") (param i32 i32) (result i32)
    (loop $again (br $again))
    unreachable)

  ;; Integers, floats, vectors, memory and a branch table, all depending on each other.
  (func $mix (export "mix") (param $rounds i32) (param $seed i32) (result i32)
    (local $a i64) (local $b i64) (local $x f64) (local $y f64) (local $v v128) (local $w v128)
    (local $at i32)
    (local.set $a (i64.extend_i32_u (local.get $seed)))
    (local.set $b (i64.const 0x9e3779b97f4a7c15))
    (local.set $x (f64.convert_i32_u (local.get $seed)))
    (local.set $y (f64.const 1.0000001))
    (local.set $v (i64x2.splat (local.get $a)))
    (local.set $w (f32x4.splat (f32.const 1.5)))
    (loop $next
      (local.set $a (i64.add (i64.rotl (i64.mul (local.get $a) (i64.const 6364136223846793005))
        (i64.const 17)) (local.get $b)))
      (local.set $b (i64.xor (local.get $b) (i64.shr_u (local.get $a) (i64.const 7))))
      (local.set $x (f64.add (f64.mul (local.get $x) (local.get $y))
        (f64.convert_i64_u (i64.and (local.get $a) (i64.const 0xffff)))))
      (local.set $y (f64.sqrt (f64.add (local.get $y) (f64.const 0.5))))
      (local.set $v (i64x2.add (local.get $v) (i64x2.splat (local.get $a))))
      (local.set $w (f32x4.add (local.get $w) (f32x4.convert_i32x4_s (local.get $v))))
      (local.set $at (i32.wrap_i64 (i64.and (local.get $a) (i64.const 0x3ffff0))))
      (v128.store (local.get $at) (v128.xor (v128.load (local.get $at)) (local.get $v)))
      (block $c (block $b (block $a
        (br_table $a $b $c (i32.and (i32.wrap_i64 (local.get $b)) (i32.const 3))))
        (local.set $a (i64.add (local.get $a) (i64.const 3))) (br $c))
        (local.set $b (i64.sub (local.get $b) (local.get $a))))
      (br_if $next (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (i32.xor (i32.wrap_i64 (i64.xor (local.get $a) (local.get $b)))
      (i32.xor (i32.wrap_i64 (i64.reinterpret_f64 (local.get $x)))
        (i32.xor (i32.wrap_i64 (i64.shr_u (i64.reinterpret_f64 (local.get $y)) (i64.const 20)))
          (i32.xor (i32x4.extract_lane 3 (local.get $w)) (i32x4.extract_lane 2 (local.get $v)))))))

  ;; Deep calls, so that prologues and epilogues are interrupted too.
  (func $fib (export "fib") (param i32 i32) (result i32)
    (if (i32.lt_u (local.get 0) (i32.const 2)) (then (return (local.get 0))))
    (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)) (local.get 1))
      (call $fib (i32.sub (local.get 0) (i32.const 2)) (local.get 1))))

  (func (export "host") (param i32 i32) (result i32)
    (loop $again
      (local.set 1 (call $host (local.get 0) (local.get 1)))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get 1))

  (func (export "bulk") (param i32 i32) (result i32)
    (loop $again
      (memory.fill (i32.const 0) (local.get 0) (i32.const 0x200000))
      (memory.copy (i32.const 0x1fffff) (i32.const 0) (i32.const 0x200000))
      (memory.copy (i32.const 0) (i32.const 0x1fffff) (i32.const 0x200000))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (i32.load8_u (i32.const 77))))
