//! Precompiled contracts as a contract reaches them: the usual ones, SM3 and SM2.

use base_gm::{sm2::SecretKey, sm3::sm3};
use ledger_vm::{
    Address,
    evm::{SM2_VERIFY, SM3},
};
use revm::primitives::hex;

use crate::world::{World, address_word, bytes_words, deploying, input, probe_code, word};

struct Asked {
    world: World,
    probe: Address,
}

impl Asked {
    fn new() -> Self {
        let mut world = World::new();
        let probe = world.deploy("a/maker", &probe_code(), &[]);
        Self { world, probe }
    }

    /// Whether the call succeeded, what it returned, and all gas.
    fn ask(&mut self, at: Address, bytes: &[u8]) -> (bool, Vec<u8>, u64) {
        let arguments = [&address_word(&at)[..], &word(64), &bytes_words(bytes)].concat();
        let asked = self.world.call("a/caller", self.probe, &input("ask(address,bytes)", &arguments));
        let effects = asked.expect("the probe answers");
        let len = u64::from_be_bytes(effects.output[88..96].try_into().expect("8 bytes")) as usize;
        (effects.output[31] == 1, effects.output[96..96 + len].to_vec(), effects.gas)
    }
}

fn numbered(number: u8) -> Address {
    let mut address = Address([0; 20]);
    address.0[19] = number;
    address
}

#[test]
fn the_usual_ones_are_there() {
    let mut asked = Asked::new();
    let sha = hex::decode("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad").expect("hex");
    assert_eq!(asked.ask(numbered(2), b"abc"), (true, sha, 22_939));
    let ripemd = hex::decode("0000000000000000000000008eb208f7e05d987a9b044a8e98c6b087f15a0bfc").expect("hex");
    assert_eq!(asked.ask(numbered(3), b"abc").1, ripemd);
    assert_eq!(asked.ask(numbered(4), b"abc").1, b"abc");
    // The signer of a digest (go-ethereum's example), then a signature that nobody made.
    let signed = hex::decode(concat!(
        "18c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c",
        "000000000000000000000000000000000000000000000000000000000000001c",
        "73b1693892219d736caba55bdb67216e485557ea6b6af75f37096c9aa6a5a75f",
        "eeb940b1d03b21e36b0e47e79769f095fe2ab855bd91e3a38756b7d75a9c4549",
    ))
    .expect("hex");
    let signer = hex::decode("000000000000000000000000a94f5374fce5edbc8e2a8697c15331677e6ebf0b").expect("hex");
    assert_eq!(asked.ask(numbered(1), &signed).1, signer);
    assert!(asked.ask(numbered(1), &[0; 128]).1.is_empty());
    // On alt_bn128: infinity twice is infinity, by addition and as a multiple; a product of no pairings is 1.
    assert_eq!(asked.ask(numbered(6), &[]).1, [0; 64]);
    assert_eq!(asked.ask(numbered(7), &[]).1, [0; 64]);
    assert_eq!(asked.ask(numbered(8), &[]).1, word(1));
    // On BLS12-381, infinity and infinity.
    assert_eq!(asked.ask(numbered(11), &[0; 256]).1, [0; 128]);
    // 3 to the power of 2 modulo 5.
    let power = [&word(1)[..], &word(1), &word(1), &[3, 2, 5]].concat();
    assert_eq!(asked.ask(numbered(5), &power).1, [4]);
}

#[test]
fn sm3_is_the_standards_and_costs_what_sha_256_costs() {
    let mut asked = Asked::new();
    // GB/T 32905-2016, A.1.
    let abc = hex::decode("66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0").expect("hex");
    let (good, digest, gas) = asked.ask(SM3, b"abc");
    assert_eq!((good, digest), (true, abc));
    // The address has one byte more that is not 0, which costs 12 gas more to send.
    assert_eq!(gas, asked.ask(numbered(2), b"abc").2 + 12);
    for len in [0, 1, 31, 32, 33, 1000] {
        let bytes = vec![0x5a; len];
        assert_eq!(asked.ask(SM3, &bytes).1, sm3(&bytes).0, "{len} bytes");
    }
}

#[test]
fn sm2_signatures_are_verified_and_malformed_ones_are_plainly_not_good() {
    let mut asked = Asked::new();
    // GM/T 0003.5-2012 (GB/T 32918.5-2017), A.2.
    let standard = hex::decode(concat!(
        "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020",
        "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13",
        "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3",
        "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa",
    ))
    .expect("hex");
    let standard = [&standard[..], b"message digest"].concat();
    let one = word(1).to_vec();
    assert_eq!(asked.ask(SM2_VERIFY, &standard).1, one);
    let key = SecretKey::from_seed(b"contract");
    let signed = |message: &[u8]| {
        let signature = key.sign(message).to_bytes();
        [&key.public().to_bytes()[..], &signature, message].concat()
    };
    assert_eq!(asked.ask(SM2_VERIFY, &signed(b"")).1, one, "no message is a message");
    assert_eq!(asked.ask(SM2_VERIFY, &signed(&[7; 1000])).1, one);
    let mut bad: Vec<Vec<u8>> = [0, 1, 63, 64, 127].iter().map(|len| standard[..*len].to_vec()).collect();
    bad.extend([vec![0; 128], vec![0xff; 128], vec![0; 200], [&standard[..], &[0]].concat()]);
    for byte in [0, 40, 64, 100, 130] {
        let mut changed = standard.clone();
        changed[byte] ^= 1;
        bad.push(changed);
    }
    for bytes in bad {
        let (good, output, _) = asked.ask(SM2_VERIFY, &bytes);
        assert!(good && output.is_empty(), "{}", hex::encode(&bytes));
    }
}

#[test]
fn sm2_costs_5000_gas_and_12_for_every_word_of_message() {
    let mut world = World::new();
    for (len, cost) in [(128, 5000u16), (129, 5012), (160, 5012), (161, 5024), (0, 5000)] {
        for (gas, done) in [(cost, 1), (cost - 1, 0)] {
            let [high, low] = gas.to_be_bytes();
            // STATICCALL(gas, SM2_VERIFY, 0, len, 0, 0), its result returned as a word.
            let code = [
                0x5f, 0x5f, 0x60, len, 0x5f, 0x62, 0x01, 0x00, 0x02, 0x61, high, low, 0xfa, 0x5f, 0x52, 0x60, 0x20,
                0x5f, 0xf3,
            ];
            let at = world.deploy("a/maker", &deploying(&code), &[]);
            let output = world.call("a/caller", at, &[]).expect("answers").output;
            assert_eq!(output, word(done), "{len} bytes for {gas} gas");
        }
    }
}
