;; The start function never ends.
(module
  (memory (export "memory") 1)
  (func (export "sallyport_abi") (result i32) i32.const 1)
  (func (export "on_configure") (result i32) i32.const 1)
  (func $main (loop $l (br $l)))
  (start $main)
  (func (export "on_request") (result i32) i32.const 0))
