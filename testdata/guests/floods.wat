;; Writes the same bytes again and again, by 1024 vectors in one call.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 64)
  (func (export "sallyport_abi") (result i32) i32.const 1)
  (func (export "on_configure") (result i32) i32.const 1)
  (func (export "on_request") (result i32)
    (local $at i32)
    (loop $next
      (i32.store (local.get $at) (i32.const 16384))
      (i32.store offset=4 (local.get $at) (i32.const 4000000))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 8192))))
    (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1024) (i32.const 8192))))
