;; A function for each of three methods: each gives back the first letter of its method.
(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (func $say (param $letter i32) (result i32)
    (local $out i64)
    (local.set $out (call $alloc (i64.const 1)))
    (call $store_u8 (local.get $out) (local.get $letter))
    (call $output_set (local.get $out) (i64.const 1))
    (i32.const 0))
  (func (export "GET") (result i32) (call $say (i32.const 71)))
  (func (export "PUT") (result i32) (call $say (i32.const 80)))
  (func (export "DELETE") (result i32) (call $say (i32.const 68))))
