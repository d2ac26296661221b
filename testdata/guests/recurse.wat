;; on_request calls itself for ever.
(module
  (memory (export "memory") 1)
  (func (export "sallyport_abi") (result i32) i32.const 1)
  (func (export "on_configure") (result i32) i32.const 1)
  (func $f (export "on_request") (result i32) (i32.add (call $f) (i32.const 1))))
