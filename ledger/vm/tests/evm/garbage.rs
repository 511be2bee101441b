//! Random programs: the machine never panics, and two machines agree.

use ledger_vm::{Address, Halt, Task, Vm, evm::Evm};

use crate::world::World;

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn byte(&mut self) -> u8 {
        self.next() as u8
    }
}

/// Instructions that reach for memory, storage, other contracts and places in the code.
const REACHING: [u8; 30] = [
    0x0a, 0x20, 0x31, 0x35, 0x37, 0x39, 0x3b, 0x3c, 0x3e, 0x3f, 0x40, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x5b, 0x5c,
    0x5d, 0x5e, 0xa0, 0xa4, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xfa, 0xff,
];

fn program(numbers: &mut Numbers) -> Vec<u8> {
    // Operands first, or nearly every program would end by an empty stack.
    let mut code: Vec<u8> = (0..8).flat_map(|_| [0x60, numbers.byte()]).collect();
    for _ in 0..numbers.byte() / 4 {
        match numbers.byte() % 4 {
            0 => code.push(numbers.byte()),
            1 => code.push(REACHING[usize::from(numbers.byte()) % REACHING.len()]),
            2 => code.extend([0x60, numbers.byte()]),
            // The address of a precompiled contract, of SM3 or SM2, or of nobody.
            _ => code.extend([0x62, numbers.byte() % 2, 0, numbers.byte() % 20]),
        }
    }
    code
}

#[test]
fn random_programs_never_panic_and_always_end_alike() {
    let count = if std::env::var_os("HEQI_LONG").is_some() { 200_000 } else { 2_000 };
    let mut numbers = Numbers(43);
    let at = Address([0x77; 20]);
    let world = World::new();
    let env = world.env("a/caller");
    let (mut good, mut bad) = (0, 0);
    for number in 0..count {
        let code = program(&mut numbers);
        let mut world = World::new();
        world.place(at, &code);
        let task = if number % 4 == 0 {
            Task::Deploy { code: &code, input: &[] }
        } else {
            Task::Call { to: at, input: &code }
        };
        let first = world.vm.execute(&world.state, &env, task, 200_000);
        let second = Evm::new().execute(&world.state, &env, task, 200_000);
        assert_eq!(first, second, "{code:02x?}");
        match first {
            Ok(effects) => {
                assert!(effects.gas <= 200_000);
                good += 1;
            }
            Err(Halt::Reverted { gas, .. }) => {
                assert!(gas <= 200_000);
                bad += 1;
            }
            Err(Halt::Unavailable(why)) => panic!("{why}: {code:02x?}"),
        }
    }
    assert!(good > count / 100 && bad > count / 100, "{good} came to their end, {bad} did not");
}
