;; Imports what nobody provides.
(module
  (import "nobody" "provides_this" (func $missing))
  (func (export "handle") (result i32) (call $missing) (i32.const 0)))
