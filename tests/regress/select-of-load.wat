;; LLVM folds a load into a conditional move, and then moves it behind a branch that skips it: the
;; trap of a load must not depend on whether its value is selected.
(module
  (memory (export "m") 16 17)
  (func (export "select") (param i32 i32) (result i64)
    (select (i64.const -128) (i64.load offset=22 align=4 (local.get 0)) (local.get 1)))
  (func (export "select_other") (param i32 i32) (result i32)
    (select (i32.load (local.get 0)) (i32.const 7) (local.get 1)))
  (func (export "select_both") (param i32 i32 i32) (result i32)
    (select (i32.load (local.get 0)) (i32.load (local.get 1)) (local.get 2)))
  (func (export "select_float") (param i32 i32) (result f64)
    (select (f64.const 1) (f64.load (local.get 0)) (local.get 1)))
  (func (export "select_vector") (param i32 i32) (result i32)
    (i8x16.bitmask
      (select (v128.const i32x4 1 2 3 4) (v128.load (local.get 0)) (local.get 1))))
  (func (export "lane_select") (param i32 i32) (result i32)
    (i8x16.bitmask
      (v128.bitselect (v128.const i32x4 1 2 3 4) (v128.load (local.get 0))
        (i32x4.splat (i32.sub (i32.const 0) (local.get 1)))))))
