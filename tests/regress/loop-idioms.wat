;; Loops that an optimiser likes to turn into calls of memset, memcpy or strlen, with traps in the
;; middle of them.
(module
  (memory (export "m") 1)
  (func (export "fill") (param i32)
    (local $i i32)
    (loop $l
      (i32.store8 (i32.add (i32.and (local.get 0) (i32.const 0xfff)) (local.get $i)) (i32.const 0x5a))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 3000)))))
  (func (export "fill_out")
    (local $i i32)
    (local.set $i (i32.const 60000))
    (loop $l
      (i32.store8 (local.get $i) (i32.const 0x77))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 70000)))))
  (func (export "copy") (param i32)
    (local $i i32)
    (loop $l
      (i32.store8 (i32.add (i32.const 20000) (local.get $i))
        (i32.load8_u (i32.add (i32.and (local.get 0) (i32.const 0xff)) (local.get $i))))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4000)))))
  (func (export "overlap")
    (local $i i32)
    (i32.store8 (i32.const 30000) (i32.const 0x11))
    (loop $l
      (i32.store8 offset=30001 (local.get $i) (i32.load8_u offset=30000 (local.get $i)))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100)))))
  (func (export "zero64")
    (local $i i32)
    (loop $l
      (i64.store (i32.add (i32.const 40000) (i32.shl (local.get $i) (i32.const 3))) (i64.const 0))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 512)))))
  (func (export "length") (result i32)
    (local $i i32)
    (loop $l
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $l (i32.load8_u (local.get $i))))
    (local.get $i))
  (func (export "length_out") (result i32)
    (local $i i32)
    (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536))
    (loop $l
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $l (i32.load8_u (local.get $i))))
    (local.get $i)))
