;; Recursion without end is a trap, not a loop; a big frame does not jump over the guard; the
;; instance is sound afterwards.
(module
  (table 2 funcref)
  (elem (i32.const 0) func $indirect $small)
  (type $void (func))
  (func $small)
  (func $endless (export "endless") (call $endless))
  (func $odd (export "odd") (param i32) (result i32) (i32.add (call $even (local.get 0)) (i32.const 1)))
  (func $even (param i32) (result i32) (i32.add (call $odd (local.get 0)) (i32.const 1)))
  (func $indirect (export "indirect") (call_indirect (type $void) (i32.const 0)))
  (func $many (export "many")
    (result i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
    (call $many))
  (func (export "after") (result i32) (i32.const 1)))
