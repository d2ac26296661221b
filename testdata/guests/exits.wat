;; Writes to both streams in pieces, then leaves by proc_exit.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (func (export "sallyport_abi") (result i32) i32.const 1)
  (func (export "on_configure") (result i32) i32.const 1)
  ;; vectors at 0: "one\ntw", "o", "" and at 32: "half a line"
  (data (i32.const 0) "\40\00\00\00\06\00\00\00" "\46\00\00\00\01\00\00\00" "\00\00\00\00\00\00\00\00")
  (data (i32.const 32) "\50\00\00\00\0b\00\00\00")
  (data (i32.const 64) "one\ntwo")
  (data (i32.const 80) "half a line")
  (func (export "on_request") (result i32)
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 3) (i32.const 128)))
    (drop (call $fd_write (i32.const 2) (i32.const 32) (i32.const 1) (i32.const 128)))
    (call $proc_exit (i32.const 3))
    i32.const 0))
