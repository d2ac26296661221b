;; Imports that are refused, each for another reason.
(module
  (import "sallyport" "open_door" (func))
  (import "sallyport" "fetch_result" (func (param i32) (result i32)))
  (import "sallyport" "status" (func (param i64) (result i32)))
  (import "env" "abort" (func))
  (import "wasi_snapshot_preview1" "fd_write" (func (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "sallyport_abi") (result i32) i32.const 1)
  (func (export "on_configure") (result i32) i32.const 0)
)
