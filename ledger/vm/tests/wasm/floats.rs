//! Floating point gives the same bits on every processor.

use crate::{World, calling};

/// The bits that an expression gives, computed from operands that no compiler can see: they come as input.
fn bits(kind: &str, expression: &str, operands: &[u8]) -> u64 {
    let mut world = World::new();
    let int = if kind == "f32" { "i32" } else { "i64" };
    let body = format!(
        "(call $input (i32.const 0))
         ({int}.store (i32.const 64) ({int}.reinterpret_{kind} {expression}))
         (call $output (i32.const 64) (i32.const 8))"
    );
    let contract = world.deploy(&calling(&body));
    u64::from_le_bytes(world.output(contract, operands).try_into().expect("8 bytes"))
}

const A32: &str = "(f32.load (i32.const 0))";
const B32: &str = "(f32.load (i32.const 8))";
const A64: &str = "(f64.load (i32.const 0))";
const B64: &str = "(f64.load (i32.const 8))";

fn pair(a: u64, b: u64) -> Vec<u8> {
    [a.to_le_bytes(), b.to_le_bytes()].concat()
}

#[test]
fn what_is_not_a_number_has_one_form() {
    let (nan32, nan64) = (0x7fc0_0000, 0x7ff8_0000_0000_0000);
    // Zeros, and a NaN of a signalling kind with sign and payload.
    let (zeros, odd32, odd64) = (pair(0, 0), pair(0xffa0_1234, 0x3f80_0000), pair(0xfff4_0000_0000_1234, 0));
    assert_eq!(bits("f32", &format!("(f32.div {A32} {B32})"), &zeros), nan32);
    assert_eq!(bits("f64", &format!("(f64.div {A64} {B64})"), &zeros), nan64);
    for operation in ["add", "sub", "mul", "div", "min", "max"] {
        assert_eq!(bits("f32", &format!("(f32.{operation} {A32} {B32})"), &odd32), nan32, "{operation}");
        assert_eq!(bits("f64", &format!("(f64.{operation} {B64} {A64})"), &odd64), nan64, "{operation}");
    }
    for operation in ["sqrt", "ceil", "floor", "trunc", "nearest"] {
        assert_eq!(bits("f64", &format!("(f64.{operation} {A64})"), &odd64), nan64, "{operation}");
    }
    assert_eq!(bits("f32", &format!("(f32.demote_f64 {A64})"), &odd64), nan32);
    assert_eq!(bits("f64", &format!("(f64.promote_f32 {A32})"), &odd32), nan64);
}

#[test]
fn what_moves_bits_keeps_them() {
    let odd = pair(0xffa0_1234, 0);
    assert_eq!(bits("f32", A32, &odd), 0xffa0_1234);
    assert_eq!(bits("f32", &format!("(f32.neg {A32})"), &odd), 0x7fa0_1234);
    assert_eq!(bits("f32", &format!("(f32.copysign {A32} {B32})"), &odd), 0x7fa0_1234);
}

#[test]
fn numbers_are_rounded_as_the_standard_says() {
    let third = bits("f64", &format!("(f64.div {A64} {B64})"), &pair(1.0_f64.to_bits(), 3.0_f64.to_bits()));
    assert_eq!(third, (1.0_f64 / 3.0).to_bits());
    let saturated =
        bits("f64", &format!("(f64.convert_i32_s (i32.trunc_sat_f64_s {A64}))"), &pair(1e300_f64.to_bits(), 0));
    assert_eq!(saturated, f64::from(i32::MAX).to_bits());
}
