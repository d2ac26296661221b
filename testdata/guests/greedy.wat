;; Grows its memory by 16 pages at each call.
(module
  (memory (export "memory") 1)
  (func (export "sallyport_abi") (result i32) i32.const 1)
  (func (export "on_configure") (result i32) i32.const 1)
  (func (export "on_request") (result i32) (drop (memory.grow (i32.const 16))) i32.const 0))
