;; Counts its calls: the number, eight bytes little-endian, is kept under the key "n" and is what a call returns.
(module
  (import "heqi" "output" (func $output (param i32 i32)))
  (import "heqi" "get" (func $get (param i32 i32 i32 i32) (result i32)))
  (import "heqi" "set" (func $set (param i32 i32 i32 i32)))
  (memory 1)
  (data (i32.const 0) "n")
  (func (export "deploy"))
  (func (export "call")
    (drop (call $get (i32.const 0) (i32.const 1) (i32.const 8) (i32.const 8)))
    (i64.store (i32.const 8) (i64.add (i64.load (i32.const 8)) (i64.const 1)))
    (call $set (i32.const 0) (i32.const 1) (i32.const 8) (i32.const 8))
    (call $output (i32.const 8) (i32.const 8))))
