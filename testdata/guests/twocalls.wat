;; Reads two fields.
(module
  (import "sallyport" "header_get" (func $header_get (param i32 i32 i32 i32 i32) (result i32)))
  (import "sallyport" "get" (func $get (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "sallyport_abi") (result i32) i32.const 1)
  (func (export "on_configure") (result i32) i32.const 1)
  (data (i32.const 0) "x-api-key")
  (func (export "on_request") (result i32)
    (if (i32.ne (call $header_get (i32.const 0) (i32.const 0) (i32.const 9) (i32.const 64) (i32.const 64)) (i32.const 6)) (then unreachable))
    (if (i32.lt_s (call $get (i32.const 7) (i32.const 128) (i32.const 64)) (i32.const 1)) (then unreachable))
    i32.const 0))
