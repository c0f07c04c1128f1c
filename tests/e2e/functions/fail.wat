;; Says that it failed: its input is the message.
(module
  (import "extism:host/env" "input_offset" (func $input_offset (result i64)))
  (import "extism:host/env" "error_set" (func $error_set (param i64)))
  (func (export "handle") (result i32)
    (call $error_set (call $input_offset))
    (i32.const 1)))
