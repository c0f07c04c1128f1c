(module
  (memory (export "memory") 1)
  (func (export "a") (result i32) (i32.atomic.rmw.add (i32.const 8) (i32.const 5)))
  (func (export "b") (result i64)
    (i64.atomic.rmw.cmpxchg offset=8 (i32.const 0) (i64.const 5) (i64.const 6)))
  (func (export "c") (result i32) (i32.atomic.load (i32.const 9)))
  (func (export "d") (result i32) (atomic.fence) (memory.grow (i32.const 1)))
  (func (export "e") (result i32) (memory.atomic.notify (i32.const 8) (i32.const 1))))
