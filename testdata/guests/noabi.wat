;; Some module.
(module (memory (export "memory") 1))
