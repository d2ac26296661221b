;; Writes a field, an attribute and the state.
(module
  (import "sallyport" "header_set" (func $header_set (param i32 i32 i32 i32 i32) (result i32)))
  (import "sallyport" "attr_set" (func $attr_set (param i32 i32 i32 i32) (result i32)))
  (import "sallyport" "state_set" (func $state_set (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "sallyport_abi") (result i32) i32.const 1)
  (func (export "on_configure") (result i32) i32.const 1)
  (data (i32.const 0) "x-seen")
  (func (export "on_request") (result i32)
    (drop (call $header_set (i32.const 0) (i32.const 0) (i32.const 6) (i32.const 0) (i32.const 6)))
    (drop (call $attr_set (i32.const 0) (i32.const 6) (i32.const 0) (i32.const 6)))
    (call $state_set (i32.const 0) (i32.const 6))))
