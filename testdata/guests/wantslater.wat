;; Asks for the request body.
(module
  (memory (export "memory") 1)
  (func (export "sallyport_abi") (result i32) i32.const 1)
  (func (export "on_configure") (result i32) i32.const 3)
  (func (export "on_request") (result i32) i32.const 0))
