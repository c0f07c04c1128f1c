(module
  (import "host" "note" (func $note (param i64)))
  (memory (export "memory") 1)
  (global $g (mut i32) (i32.const 1))
  (func $s
    (call $note (i64.const 99))
    (global.set $g (i32.const 2))
    (i32.store (i32.const 8) (i32.const 3)))
  (start $s)
  (func (export "a") (result i32) (i32.add (global.get $g) (i32.load (i32.const 8)))))
