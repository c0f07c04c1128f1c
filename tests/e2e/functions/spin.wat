;; Computes for a while: some tenths of a second.
(module
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (func (export "handle") (result i32)
    (local $n i64)
    (local.set $n (i64.const 900000000))
    (loop $again
      (local.set $n (i64.sub (local.get $n) (i64.const 1)))
      (br_if $again (i64.ne (local.get $n) (i64.const 0))))
    (i32.const 0)))
