;; Sleeps through WASI: a second.
(module
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "handle") (result i32)
    (i32.store (i32.const 16) (i32.const 1)) ;; the monotonic clock,
    (i64.store (i32.const 24) (i64.const 1000000000)) ;; from now
    (call $poll (i32.const 0) (i32.const 256) (i32.const 1) (i32.const 512))
    (i32.or (i32.xor (i32.load (i32.const 512)) (i32.const 1)))))
