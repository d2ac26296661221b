;; on_request takes a parameter, on_configure returns nothing, on_end returns something.
(module
  (memory (export "memory") 1)
  (func (export "sallyport_abi") (result i32) i32.const 1)
  (func (export "on_configure"))
  (func (export "on_request") (param i32) (result i32) i32.const 0)
  (func (export "on_end") (result i64) i64.const 0))
