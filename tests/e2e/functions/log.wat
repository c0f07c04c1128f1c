;; Logs its input.
(module
  (import "extism:host/env" "input_offset" (func $input_offset (result i64)))
  (import "extism:host/env" "log_info" (func $log_info (param i64)))
  (import "extism:host/env" "log_debug" (func $log_debug (param i64)))
  (func (export "handle") (result i32)
    (call $log_info (call $input_offset))
    (call $log_debug (call $input_offset))
    (i32.const 0)))
