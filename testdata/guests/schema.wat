;; Calls schema_check in the way that the first byte of the query names, and answers with the report, or with 400 less the code; 599 for a
;; report that did not fit.
(module
  (import "sallyport" "schema_check" (func $check (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "sallyport" "get" (func $get (param i32 i32 i32) (result i32)))
  (import "sallyport" "respond" (func $respond (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1 1)
  (data (i32.const 0) "orderother[1,\22x\22]")
  (func (export "sallyport_abi") (result i32) (i32.const 1))
  (func (export "on_configure") (result i32) (i32.const 2))
  (func $run (param $way i32) (result i32)
    ;; b: the request's body
    (if (i32.eq (local.get $way) (i32.const 98)) (then (return (call $check (i32.const 0) (i32.const 5) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1024) (i32.const 8192)))))
    ;; d: bytes
    (if (i32.eq (local.get $way) (i32.const 100)) (then (return (call $check (i32.const 0) (i32.const 5) (i32.const -1) (i32.const 10) (i32.const 7) (i32.const 1024) (i32.const 8192)))))
    ;; o: a schema that is not granted
    (if (i32.eq (local.get $way) (i32.const 111)) (then (return (call $check (i32.const 5) (i32.const 5) (i32.const -1) (i32.const 10) (i32.const 7) (i32.const 1024) (i32.const 8192)))))
    ;; n: a name too long
    (if (i32.eq (local.get $way) (i32.const 110)) (then (return (call $check (i32.const 0) (i32.const 257) (i32.const -1) (i32.const 10) (i32.const 7) (i32.const 1024) (i32.const 8192)))))
    ;; m: a message that means nothing
    (if (i32.eq (local.get $way) (i32.const 109)) (then (return (call $check (i32.const 0) (i32.const 5) (i32.const 7) (i32.const 0) (i32.const 0) (i32.const 1024) (i32.const 8192)))))
    ;; r: the response, which is not there
    (if (i32.eq (local.get $way) (i32.const 114)) (then (return (call $check (i32.const 0) (i32.const 5) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 1024) (i32.const 8192)))))
    ;; s: into too little
    (if (i32.eq (local.get $way) (i32.const 115)) (then (drop (call $check (i32.const 0) (i32.const 5) (i32.const -1) (i32.const 10) (i32.const 7) (i32.const 12288) (i32.const 1)))
      (return (select (i32.const -199) (i32.const 0) (i32.eqz (i32.load8_u (i32.const 12288)))))))
    ;; x, y, z: outside of the memory
    (if (i32.eq (local.get $way) (i32.const 120)) (then (return (call $check (i32.const 65534) (i32.const 5) (i32.const -1) (i32.const 10) (i32.const 7) (i32.const 1024) (i32.const 8192)))))
    (if (i32.eq (local.get $way) (i32.const 121)) (then (return (call $check (i32.const 5) (i32.const 5) (i32.const -1) (i32.const 65534) (i32.const 7) (i32.const 1024) (i32.const 8192)))))
    (if (i32.eq (local.get $way) (i32.const 122)) (then (return (call $check (i32.const 5) (i32.const 5) (i32.const -1) (i32.const 10) (i32.const 7) (i32.const 65534) (i32.const 8192)))))
    (i32.const -1))
  (func (export "on_request") (result i32)
    (local $n i32)
    (drop (call $get (i32.const 5) (i32.const 512) (i32.const 64)))
    (local.set $n (call $run (i32.load8_u (i32.const 512))))
    (if (i32.lt_s (local.get $n) (i32.const 0))
      (then (drop (call $respond (i32.sub (i32.const 400) (local.get $n)) (i32.const 0) (i32.const 0))))
      (else (drop (call $respond (i32.const 200) (i32.const 1024) (local.get $n)))))
    (i32.const 1)))
