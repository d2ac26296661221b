;; Sets a field, then traps, at every second call of an instance.
(module
  (import "sallyport" "header_set" (func $header_set (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "sallyport_abi") (result i32) i32.const 1)
  (func (export "on_configure") (result i32) i32.const 1)
  (data (i32.const 0) "x-flaky")
  (global $calls (mut i32) (i32.const 0))
  (func (export "on_request") (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (drop (call $header_set (i32.const 0) (i32.const 0) (i32.const 7) (i32.const 0) (i32.const 7)))
    (if (i32.eqz (i32.rem_u (global.get $calls) (i32.const 2))) (then unreachable))
    i32.const 0))
