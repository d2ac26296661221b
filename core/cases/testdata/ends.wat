;; Fails when the exchange ends.
(module
  (memory (export "memory") 1)
  (func (export "sallyport_abi") (result i32) (i32.const 1))
  (func (export "on_configure") (result i32) (i32.const 64))
  (func (export "on_end") (unreachable)))
