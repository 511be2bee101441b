//! The two hashes of the function: what a key is encoded with, and what comes out.

use base_gm::sm3::Many;
use mpc_block::{Aes, Block};
use zeroize::Zeroizing;

use crate::line::halves;
use crate::okvs::hash_keys;

/// Outputs that are hashed together.
const TOGETHER: usize = 1024;

/// Both hashes of one session; public.
pub(super) struct Function {
    values: Aes,
    salt: Block,
}

impl Function {
    /// From the public keys of the session.
    pub(super) fn new(values: Aes, salt: Block) -> Self {
        Self { values, salt }
    }

    /// `V`: `out[i]` becomes the value that `keys[i]` is encoded with.
    pub(super) fn values(&self, keys: &[Block], out: &mut [Block]) {
        hash_keys(&self.values, keys, out);
    }

    /// `H`: `out[i]` becomes the output for `keys[i]`, whose decoded block with all masks is `inputs[i]`: SM3 of the
    /// salt, the input and the key, 48 bytes, which is one call of the compression.
    pub(super) fn outputs(&self, inputs: &[Block], keys: &[Block], out: &mut [[Block; 2]]) {
        let mut many = Zeroizing::new(Many::new());
        let salt = self.salt.to_bytes();
        let parts = inputs.chunks(TOGETHER).zip(keys.chunks(TOGETHER)).zip(out.chunks_mut(TOGETHER));
        for ((inputs, keys), out) in parts {
            for (input, key) in inputs.iter().zip(keys) {
                many.plain(&[&salt, &input.to_bytes(), &key.to_bytes()]);
            }
            let mut places = out.iter_mut();
            many.each_digest(|digest| {
                if let Some(place) = places.next() {
                    *place = halves(&digest.0);
                }
            });
        }
    }
}
