;; Every way through a function, for the exact charges in charge_test.go.
(module
  (func (export "straight") (param i32) (result i32)
    local.get 0 i32.const 1 i32.add)
  (func (export "arms") (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.const 1))
      (else (i32.div_u (i32.const 4) (i32.const 2)))))
  (func (export "arm") (param i32)
    (if (local.get 0) (then (drop (i32.const 1)))))
  (func (export "out") (param i32)
    (block
      (br_if 0 (local.get 0))
      (drop (i32.const 1)))
    (drop (i32.div_u (i32.const 4) (i32.const 2))))
  (func (export "jump") (param i32)
    (block
      (block
        (br_if 1 (local.get 0))
        (br 0)
        (drop (i32.div_u (i32.const 4) (i32.const 2))))
      (drop (i32.const 1))))
  (func (export "dead") (result i32)
    i32.const 1 return
    i32.const 4 i32.const 2 i32.div_u)
  (func (export "cases") (param i32)
    block block block
      local.get 0 br_table 0 1 2
    end
      (drop (i32.const 1)) return
    end
      (drop (i32.div_u (i32.const 4) (i32.const 2)))
    end
    (drop (i32.const 1)))
  (func (export "default") (param i32)
    block block
      local.get 0 br_table 1 0
    end
      (drop (i32.div_u (i32.const 4) (i32.const 2)))
    end)
  (func (export "again") (param i32)
    (block
      (loop
        (br_if 1 (i32.eqz (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (drop (i32.const 1)) (drop (i32.const 1))
        (br 0)))
    (drop (i32.div_u (i32.const 4) (i32.const 2))))
  (func (export "loop") (param i32)
    (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "after") (param i32)
    (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (drop (i32.div_u (i32.const 4) (i32.const 2))))
  (func (export "inner") (param i32) (local i32)
    (loop
      (local.set 1 (i32.const 3))
      (loop (br_if 0 (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))
      (br_if 1 (i32.eqz (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
      (br 0)))
  (func $callee (param i32) (result i32) (local i64 i64)
    local.get 0)
  (func (export "calls") (param i32)
    (drop (call $callee (local.get 0)))
    (drop (call $callee (local.get 0))))
  (table funcref (elem $callee))
  (func (export "indirect") (param i32)
    (drop (call_indirect (param i32) (result i32) (local.get 0) (i32.const 0))))
  (func $dear (export "dear") (param i32) (result i32)
    (drop (i32.div_u (i32.const 4) (i32.const 2)))
    (drop (i32.div_u (i32.const 4) (i32.const 2)))
    (drop (i32.div_u (i32.const 4) (i32.const 2)))
    (drop (i32.div_u (i32.const 4) (i32.const 2)))
    (drop (i32.div_u (i32.const 4) (i32.const 2)))
    local.get 0)
  (func (export "calldear") (param i32) (result i32)
    (call $dear (local.get 0)))
  (func (export "forever") (loop (br 0)))
  (func (export "own") unreachable)
)
