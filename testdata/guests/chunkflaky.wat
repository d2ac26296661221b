;; Looks for a fetch's answer, rewrites each chunk, then traps at every second call of an instance.
(module
  (import "sallyport" "body_size" (func $body_size (param i32) (result i32)))
  (import "sallyport" "body_write" (func $body_write (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "new")
  (global $calls (mut i32) (i32.const 0))
  (func (export "sallyport_abi") (result i32) i32.const 1)
  (func (export "on_configure") (result i32) i32.const 48)
  (func $chunk (param $msg i32) (param $len i32) (result i32)
    (if (i32.ne (call $body_size (i32.const 16)) (i32.const -1)) (then unreachable))
    ;; what an earlier call that trapped has written must be gone
    (if (i32.and (i32.ne (local.get $len) (i32.const 1)) (i32.ne (local.get $len) (i32.const 0))) (then (return (i32.const 1))))
    (drop (call $body_write (local.get $msg) (i32.const 0) (i32.const 3)))
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (if (i32.eqz (i32.rem_u (global.get $calls) (i32.const 2))) (then unreachable))
    i32.const 0)
  (func (export "on_request_chunk") (param i32 i32) (result i32) (call $chunk (i32.const 0) (local.get 0)))
  (func (export "on_response_chunk") (param i32 i32) (result i32) (call $chunk (i32.const 1) (local.get 0))))
