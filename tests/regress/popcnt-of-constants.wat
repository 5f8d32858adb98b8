;; LLVM's combiner never ended with these.
(module
  (func (export "eq") (result i32)
    (i8x16.bitmask (i8x16.eq (v128.const i32x4 0 0 0 0)
      (i8x16.popcnt (i32x4.le_s (v128.const i32x4 0x4e9b54b5 0x3f800000 0xb44a310 0)
        (v128.const i32x4 0x3f800000 0 0x3f800000 0x618b3def))))))
  (func (export "ne") (result i32)
    (i8x16.bitmask (i8x16.ne (v128.const i32x4 0 0 0 0)
      (i8x16.popcnt (i16x8.gt_u (v128.const i32x4 1 2 3 4) (v128.const i32x4 5 0 2 7))))))
  (func (export "eq16") (result i32)
    (i16x8.bitmask (i16x8.eq (v128.const i32x4 0 0 0 0)
      (i8x16.popcnt (i32x4.le_s (v128.const i32x4 1 2 3 4) (v128.const i32x4 5 0 2 7))))))
  (func (export "count") (param i64) (result i64)
    (i64x2.extract_lane 0 (i8x16.popcnt (i64x2.splat (local.get 0)))))
  (func (export "count_bytes") (param i32) (result i64)
    (i64x2.extract_lane 1
      (i8x16.popcnt (i8x16.add (i8x16.splat (local.get 0))
        (v128.const i8x16 0 1 2 3 4 5 6 7 0xf 0x10 0x7f 0x80 0xf0 0xfe 0xff 0x55))))))
