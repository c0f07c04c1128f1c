(module
  (import "extism:host/env" "reset" (func $reset))
  (start $reset)
  (func (export "a")))
