//! Any bytes are deployed or refused, and what is deployed ends with effects or a halt of its own.

use ledger_vm::{Halt, Task};

use crate::{World, module};

/// A small generator of its own, so that a failure comes again (xorshift, Marsaglia 2003).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("small")
    }
}

/// A module with something of everything.
fn rich() -> Vec<u8> {
    let text = module(
        r#"(type $t (func (param i32) (result i32)))
           (table 4 funcref) (elem (i32.const 0) $half $twice)
           (data (i32.const 16) "seed") (data $late "late")
           (global $n (mut i32) (i32.const 9))
           (func $half (type $t) (i32.div_u (local.get 0) (i32.const 2)))
           (func $twice (type $t) (i32.mul (local.get 0) (i32.const 2)))
           (func $pair (param i64) (result i64 f64)
               (if (i64.eqz (local.get 0)) (then (return (i64.const 1) (f64.const 0.5))))
               (local.get 0) (f64.sqrt (f64.convert_i64_u (local.get 0))))
           (func (export "deploy") (local i32)
               (block $out (loop $again
                   (br_if $out (i32.eqz (global.get $n)))
                   (global.set $n (i32.sub (global.get $n) (i32.const 1)))
                   (local.set 0 (call_indirect (type $t) (local.get 0) (i32.and (global.get $n) (i32.const 1))))
                   (br $again)))
               (call $set (i32.const 16) (i32.const 4) (i32.const 0) (i32.const 8)))
           (func (export "call")
               (memory.init $late (i32.const 0) (i32.const 0) (i32.const 4))
               (drop (memory.grow (i32.const 1)))
               (call $pair (i64.const 2)) (drop) (drop)
               (call $output (i32.const 0) (i32.const 16)))"#,
    );
    wat::parse_str(text).expect("text")
}

/// Runs what may be a module; true when it was deployed.
fn attempt(world: &mut World, code: &[u8]) -> bool {
    match world.run(Task::Deploy { code, input: b"abc" }, 5_000_000) {
        Ok(effects) => {
            let to = effects.contract.expect("a contract");
            let called = world.run(Task::Call { to, input: b"abc" }, 2_000_000);
            assert!(!matches!(called, Err(Halt::Unavailable(_))), "{called:?}");
            true
        }
        Err(Halt::Reverted { .. }) => false,
        Err(Halt::Unavailable(why)) => panic!("{why}: {code:02x?}"),
    }
}

#[test]
fn no_bytes_make_the_machine_panic_or_stop() {
    let rounds = if std::env::var_os("HEQI_LONG").is_some() { 100_000 } else { 1_000 };
    let (mut world, mut random) = (World::new(), Random(0x9e37_79b9_7f4a_7c15));
    let whole = rich();
    assert!(attempt(&mut world, &whole));
    let mut deployed = 0;
    for round in 0..rounds {
        let mut code = whole.clone();
        if round % 4 == 0 {
            let length = random.below(64);
            code.truncate(8);
            code.extend((0..length).map(|_| random.next().to_le_bytes()[0]));
        } else {
            for _ in 0..=random.below(3) {
                let place = random.below(code.len());
                match random.below(4) {
                    0 => code[place] = random.next().to_le_bytes()[0],
                    1 => code[place] ^= 1 << random.below(8),
                    2 => code.truncate(place.max(9)),
                    _ => code.insert(place, random.next().to_le_bytes()[0]),
                }
            }
        }
        deployed += usize::from(attempt(&mut world, &code));
    }
    // Most changes break a module; where none passed, only the check would have been tried.
    assert!(deployed > 0);
}
