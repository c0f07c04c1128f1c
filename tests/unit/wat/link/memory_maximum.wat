(module
  (memory (export "memory") 1 3)
  (func (export "a") (result i32) (memory.grow (i32.const 3)))
  (func (export "b") (result i32) (memory.grow (i32.const 1)))
  (func (export "c") (i32.store (i32.const 131068) (i32.const 7)))
  (func (export "d") (i32.store (i32.const 131069) (i32.const 7)))
  (func (export "e") (result i32) (memory.grow (i32.const 1)))
  (func (export "f") (result i32) (memory.grow (i32.const 1)))
  (func (export "g") (result i32) (memory.size)))
