;; Call chains that end in each kind of trap, recursion of several shapes, state to be frozen.
(module
  (type $binary (func (param i32 i32) (result i32)))
  (import "env" "host" (func $host (type $binary)))
  (memory (export "memory") 1 10)
  (table 4 20 funcref)
  (global $counter (mut i32) (i32.const 100))
  (elem (i32.const 1) $outer)
  (data (i32.const 8) "data")

  (func $outer (export "outer") (type $binary)
    (i32.add (call $middle (local.get 0) (local.get 1)) (i32.const 1)))
  (func $middle (type $binary)
    (i32.mul (call $inner (local.get 0) (local.get 1)) (i32.const 3)))
  (func $inner (type $binary)
    (if (i32.eq (local.get 0) (i32.const 0)) (then
      (return (call_indirect (type $binary) (i32.const 0) (i32.const 0) (local.get 1)))))
    (if (i32.eq (local.get 0) (i32.const 1)) (then
      (return (i32.div_s (i32.const 7) (local.get 1)))))
    (if (i32.eq (local.get 0) (i32.const 2)) (then
      (return (i32.load (local.get 1)))))
    (if (i32.eq (local.get 0) (i32.const 3)) (then
      unreachable))
    (call $host (local.get 0) (local.get 1)))

  ;; For ever, by turns, with a few values alive across the calls.
  (func $odd (export "odd") (type $binary)
    (i32.add (call $even (local.get 1) (local.get 0)) (local.get 0)))
  (func $even (type $binary) (local i64 i64 f64)
    (local.set 2 (i64.extend_i32_u (local.get 0)))
    (local.set 3 (i64.mul (local.get 2) (local.get 2)))
    (local.set 4 (f64.convert_i64_u (local.get 3)))
    (i32.add (call $odd (local.get 1) (i32.add (local.get 0) (i32.const 1)))
             (i32.add (i32.wrap_i64 (local.get 3)) (i32.trunc_sat_f64_u (local.get 4)))))

  ;; (levels) deep, then host(0, argument).
  (func $down (export "down") (type $binary)
    (if (result i32) (local.get 0)
      (then (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1)) (local.get 1))))
      (else (call $host (i32.const 0) (local.get 1)))))

  (func (export "count") (type $binary)
    (global.set $counter (i32.add (global.get $counter) (local.get 0)))
    (global.get $counter))
  (func (export "grow") (type $binary)
    (memory.grow (local.get 0)))
  (func (export "table_grow") (type $binary)
    (table.grow 0 (ref.func $outer) (local.get 0)))
  (func (export "table_size") (type $binary)
    (table.size 0))
  (func (export "load") (type $binary)
    (i32.load (local.get 0)))
  (func (export "store") (type $binary)
    (i32.store (local.get 0) (local.get 1))
    (i32.const 0)))
