;; Fails as badly as it can.
(module
  (func $a_secret_name (result i32) (unreachable))
  (func (export "handle") (result i32) (call $a_secret_name)))
