(module
  (memory (export "memory") 0)
  (func (export "a") (result i32) (i32.load8_u (i32.const 0)))
  (func (export "b") (memory.fill (i32.const 0) (i32.const 1) (i32.const 0)))
  (func (export "c") (memory.fill (i32.const 1) (i32.const 1) (i32.const 0)))
  (func (export "d") (result i32) (memory.grow (i32.const 1)))
  (func (export "e") (i32.store (i32.const 65532) (i32.const 7))))
