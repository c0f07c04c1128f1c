;; Wants more memory until it gets none, and then cannot go on.
(module
  (memory (export "memory") 1)
  (func (export "handle") (result i32)
    (loop $again
      (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
    (unreachable)))
