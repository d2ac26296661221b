;; The start function and _initialize call the host.
(module
  (import "sallyport" "log" (func $log (param i32 i32 i32) (result i32)))
  (import "sallyport" "header_get" (func $header_get (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "sallyport_abi") (result i32) i32.const 1)
  (data (i32.const 0) "starting")
  (global $refused (mut i32) (i32.const 0))
  (func $main
    (drop (call $log (i32.const 1) (i32.const 0) (i32.const 8)))
    (global.set $refused (call $header_get (i32.const 0) (i32.const 0) (i32.const 8) (i32.const 0) (i32.const 0))))
  (start $main)
  (func (export "_initialize") (drop (call $log (i32.const 2) (i32.const 0) (i32.const 8))))
  (func (export "on_configure") (result i32)
    (if (i32.ne (global.get $refused) (i32.const -4)) (then unreachable))
    i32.const 0))
