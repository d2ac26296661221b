;; Waits for a fetch from the upstream "auth", 200 ms at most, and answers 200 for an answer, else 500 and the negative of the code.
(module
  (import "sallyport" "fetch_start" (func $fetch_start (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "sallyport" "fetch_result" (func $fetch_result (param i32) (result i32)))
  (import "sallyport" "respond" (func $respond (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "auth")
  (func (export "sallyport_abi") (result i32) i32.const 1)
  (func (export "on_configure") (result i32) i32.const 1)
  (func (export "on_request") (result i32)
    (drop (call $fetch_start (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 200)))
    i32.const 2)
  (func (export "on_resume") (result i32)
    (local $r i32)
    (local.set $r (call $fetch_result (i32.const 16)))
    (drop (call $respond
      (select (i32.const 200) (i32.sub (i32.const 500) (local.get $r)) (i32.ge_s (local.get $r) (i32.const 0)))
      (i32.const 0) (i32.const 0)))
    i32.const 1))
