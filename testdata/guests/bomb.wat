;; on_request takes all the memory it can get, and tells how many pages it has by its state.
(module
  (import "sallyport" "state_set" (func $state_set (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "sallyport_abi") (result i32) i32.const 1)
  (func (export "on_configure") (result i32) i32.const 1)
  (func (export "on_request") (result i32)
    (loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    (i32.store (i32.const 0) (memory.size))
    (memory.fill (i32.const 16) (i32.const 7) (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 16)))
    (call $state_set (i32.const 0) (i32.const 4))))
