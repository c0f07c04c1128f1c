(module
  (type $n (func (result i32)))
  (import "host" "twice" (func (param i32) (result i32)))
  (func $f (type $n) (i32.const 9))
  (table $t 3 (ref $n) (ref.func $f))
  (func (export "a") (result i32) (call_ref $n (table.get $t (i32.const 2)))))
