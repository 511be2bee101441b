//! What exceeds its gas, the memory or the stack ends alike on every node: in the same words, with the same gas and state.

use futures::future::join_all;
use ledger_light::BFT;
use ledger_vm::{Address, Command, MAX_GAS, Machine};

use crate::world::{FOUNDERS, GUEST, World, key};

const GAS: u64 = 1_000_000;

/// Code of the EVM that makes a contract of this code.
fn evm(code: &[u8]) -> Vec<u8> {
    let len = u8::try_from(code.len()).expect("short code");
    // PUSH1 len, DUP1, PUSH1 9, PUSH0, CODECOPY, PUSH0, RETURN
    [&[0x60, len, 0x80, 0x60, 9, 0x5f, 0x39, 0x5f, 0xf3][..], code].concat()
}

/// A module of WebAssembly with one page of memory that does nothing when it is made and this when it is called.
fn wasm(body: &[u8]) -> Vec<u8> {
    let len = u8::try_from(body.len()).expect("short code");
    let head = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x03\x02\0\0\x05\x03\x01\0\x01";
    let exports = b"\x07\x11\x02\x06deploy\0\0\x04call\0\x01";
    // Two functions without locals; the first ends where it begins.
    let code = [0x0a, len + 7, 2, 2, 0, 0x0b, len + 2, 0];
    [&head[..], &exports[..], &code[..], body, &[0x0b]].concat()
}

async fn deployed(world: &World, machine: Machine, code: Vec<u8>) -> Address {
    let deploy = Command::Deploy { machine, code, input: vec![], gas: GAS };
    let executed = world.submit(&world.sign(&key(GUEST, "dev"), deploy.to_payload())).await;
    assert_eq!(executed.refusal, None);
    executed.contract.expect("a contract")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_exceeds_gas_memory_or_stack_ends_alike_on_every_node() {
    let world = World::quiet(BFT, &FOUNDERS).await;
    let beyond = "the memory was used outside its bounds";
    let cases = [
        // JUMPDEST, PUSH0, JUMP; PUSH6 2^40, MLOAD; JUMPDEST, PUSH0, PUSH0, JUMP.
        (Machine::Evm, evm(&[0x5b, 0x5f, 0x56]), GAS, "out of gas"),
        (Machine::Evm, evm(&[0x65, 1, 0, 0, 0, 0, 0, 0x51]), MAX_GAS, "out of gas"),
        (Machine::Evm, evm(&[0x5b, 0x5f, 0x5f, 0x56]), MAX_GAS, "stack overflow"),
        // (loop (br 0)); (drop (i32.load (i32.const -1))); a call of itself.
        (Machine::Wasm, wasm(&[0x03, 0x40, 0x0c, 0, 0x0b]), GAS, "out of gas"),
        (Machine::Wasm, wasm(&[0x41, 0x7f, 0x28, 2, 0, 0x1a]), MAX_GAS, beyond),
        (Machine::Wasm, wasm(&[0x10, 1]), MAX_GAS, "the stack is full"),
    ];
    let world = &world;
    let called = cases.map(|(machine, code, gas, words)| async move {
        let to = deployed(world, machine, code).await;
        let call = Command::Call { to, input: vec![], gas };
        let call = world.sign(&key(GUEST, "dev"), call.to_payload());
        let executed = world.submit(&call).await;
        assert_eq!(executed.refusal.as_deref(), Some(words), "{machine:?}");
        assert!(executed.gas > 0 && executed.gas <= gas, "{machine:?}: {}", executed.gas);
        (call.digest(), executed)
    });
    let ended = join_all(called).await;
    // All roots are one: what became of transactions is part of the state.
    world.settle(&[]).await;
    for (digest, executed) in &ended {
        for (at, chain) in world.running() {
            let placed = chain.transaction(digest).expect("read").expect("executed");
            assert_eq!(placed.executed, *executed, "node {at}");
        }
    }
}
