;; A plugin without a compiler: it sets `x-hello: world` on each request, and does not read its message.
(module
  (memory (export "memory") 1)
  (data (i32.const 0) "{\"set\": {\"x-hello\": \"world\"}}")
  (func (export "souk_abi") (result i32) (i32.const 1))
  ;; The message is written behind the reply. A larger one than the rest of the page needs `memory.grow`.
  (func (export "souk_alloc") (param $length i32) (result i32) (i32.const 1024))
  ;; The address of the reply is 0, and its length 29.
  (func (export "souk_on_request") (param $message i32) (param $length i32) (result i64) (i64.const 29)))
