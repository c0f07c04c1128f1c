(module
  (func (export "a") (result i32) (i32.const 42))
  (func (export "b") (result f64) (f64.div (f64.const 1) (f64.const 3)))
  (func (export "c") (result i64 i32 f32) (i64.const -1) (i32.const 7) (f32.const 0.5))
  (func (export "d") (result i32) (i32.div_s (i32.const 1) (i32.const 0)))
  (func (export "e") unreachable)
  (func (export "f") (result v128)
    (i8x16.shuffle 0 31 1 30 2 29 3 28 4 27 5 26 6 25 7 24
      (v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
      (i16x8.mul (v128.const i16x8 1 2 3 4 5 6 7 8) (i16x8.splat (i32.const 300))))))
