;; Says at every exchange's end which trailer Checksum the request had.
(module
  (import "sallyport" "header_get" (func $header_get (param i32 i32 i32 i32 i32) (result i32)))
  (import "sallyport" "log" (func $log (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "sallyport_abi") (result i32) i32.const 1)
  (func (export "on_configure") (result i32) i32.const 64)
  (data (i32.const 0) "checksum")
  (data (i32.const 16) "ended with it ")
  (func (export "on_end") (local $n i32)
    (local.set $n (call $header_get (i32.const 2) (i32.const 0) (i32.const 8) (i32.const 30) (i32.const 100)))
    (if (i32.lt_s (local.get $n) (i32.const 0)) (then (local.set $n (i32.const 0))))
    (drop (call $log (i32.const 1) (i32.const 16) (i32.add (i32.const 14) (local.get $n))))))
