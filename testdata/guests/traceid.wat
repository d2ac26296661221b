;; Answers 401 with the id of the trace, 404 where there is none.
(module
  (import "sallyport" "get" (func $get (param i32 i32 i32) (result i32)))
  (import "sallyport" "respond" (func $respond (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "sallyport_abi") (result i32) i32.const 1)
  (func (export "on_configure") (result i32) i32.const 1)
  (func (export "on_request") (result i32)
    (local $n i32)
    (local.set $n (call $get (i32.const 14) (i32.const 1024) (i32.const 64)))
    (if (i32.lt_s (local.get $n) (i32.const 0))
      (then (drop (call $respond (i32.const 404) (i32.const 0) (i32.const 0))))
      (else (drop (call $respond (i32.const 401) (i32.const 1024) (local.get $n)))))
    i32.const 1))
