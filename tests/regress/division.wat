;; Divisions by constants, with unused results, and with operands that only look constant.
(module
  (global $zero (mut i32) (i32.const 0))
  (func (export "dead") (param i32 i32) (drop (i32.div_u (local.get 0) (local.get 1))))
  (func (export "dead_signed") (param i64 i64) (drop (i64.div_s (local.get 0) (local.get 1))))
  (func (export "by_zero") (param i32) (result i32) (i32.div_s (local.get 0) (i32.const 0)))
  (func (export "rem_zero") (param i64) (result i64) (i64.rem_u (local.get 0) (i64.const 0)))
  (func (export "dead_zero") (drop (i32.rem_s (i32.const 1) (i32.const 0))))
  (func (export "global_zero") (result i32) (i32.div_u (i32.const 7) (global.get $zero)))
  (func (export "overflow") (result i32) (i32.div_s (i32.const 0x80000000) (i32.const -1)))
  (func (export "minus_one") (param i32) (result i32) (i32.div_s (local.get 0) (i32.const -1)))
  (func (export "rem_minus_one") (param i32) (result i32) (i32.rem_s (local.get 0) (i32.const -1)))
  (func (export "rem_minus_one64") (param i64) (result i64) (i64.rem_s (local.get 0) (i64.const -1)))
  (func (export "guarded") (param i32 i32) (result i32)
    (select (i32.div_s (local.get 0) (i32.or (local.get 1) (i32.const 1))) (i32.const 5)
      (local.get 1)))
  (func (export "hoisted") (param i32 i32) (result i32)
    (local $i i32) (local $sum i32)
    (loop $l
      (if (i32.gt_u (local.get $i) (i32.const 3))
        (then (local.set $sum
          (i32.add (local.get $sum) (i32.div_u (local.get 0) (local.get 1))))))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 3))))
    (local.get $sum)))
