;; Functions that recurse, and every way out of one.
(module
  (type $v (func))
  (type $ii (func (param i32) (result i32)))
  (table 4 funcref)
  (elem (i32.const 0) $viatable $peer)
  (func $direct (export "direct") (call $direct))
  (func $ping (export "ping") (call $pong))
  (func $pong (call $ping))
  (func $viatable (export "viatable") (type $v) (call_indirect (type $v) (i32.const 0)))
  (func $peer (type $ii) (i32.add (local.get 0) (i32.const 1)))
  (func $leaf (export "leaf") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func $caller (export "caller") (param i32) (result i32) (call_indirect (type $ii) (local.get 0) (i32.const 1)))
  ;; exits: recurse (local.get 1) deep, then leave in the way that param 0 names
  (func $exits (export "exits") (param i32 i32) (result i32)
    (if (local.get 1)
      (then (drop (call $exits (local.get 0) (i32.sub (local.get 1) (i32.const 1))))))
    block
      block
        block
          block
            block
              local.get 0 br_table 0 1 2 3 4
            end
            i32.const 10 return
          end
          i32.const 11 br 3
        end
        i32.const 12 (br_if 2 (i32.const 1)) drop
      end
      i32.const 13 (br_table 1 1 1 (i32.const 0))
    end
    i32.const 14)
  (func $pair (export "pair") (param i32) (result i32 i64)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 1) (i64.const 2))))
    (call $pair (i32.sub (local.get 0) (i32.const 1)))
    i64.const 3 i64.add)
  (func $fact (export "fact") (param i64) (result i64)
    (if (result i64) (i64.eqz (local.get 0))
      (then (i64.const 1))
      (else (i64.mul (local.get 0) (call $fact (i64.sub (local.get 0) (i64.const 1)))))))
  (func (export "own") unreachable)
)
