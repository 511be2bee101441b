//! Signatures by many keys, and the two libraries that verify and make the same ones beside ours.

use ::sm2::dsa::{
    self, SigningKey, VerifyingKey,
    signature::{Signer as _, Verifier as _},
};
use anyhow::{anyhow, ensure};
use base_gm::{
    sm2::{IDENTITY, KeyTables, PublicKey, SecretKey, Signature},
    sm3::sm3,
};
use libsm::sm2::signature::{Pubkey, Seckey, SigCtx, Signature as LibsmSignature};

/// Room for a key's table, as generous as a validator's setting.
pub const TABLE_BYTES: usize = 192 << 10;

/// A message, its signer and the signature.
pub struct Signed {
    /// The signer's key.
    pub key: PublicKey,
    /// 32 bytes, as a transaction's digest.
    pub message: [u8; 32],
    /// Over the message.
    pub signature: Signature,
}

/// The first keys of a series that is the same in every run.
pub fn keys(count: u32) -> Vec<SecretKey> {
    (0..count).map(|at| SecretKey::from_seed(format!("bench/sm2/{at}").as_bytes())).collect()
}

/// `each` signatures by every key, the keys in turn.
pub fn signed(keys: &[SecretKey], each: u32) -> Vec<Signed> {
    let messages = (0..each).flat_map(|round| keys.iter().map(move |key| (round, key)));
    messages
        .map(|(round, key)| {
            let message = sm3(&[&round.to_be_bytes()[..], &key.public().to_bytes()].concat()).0;
            Signed { key: key.public(), message, signature: key.sign(&message) }
        })
        .collect()
}

/// Verifies one of the signatures, by number and around again.
///
/// # Errors
/// When it is refused: all of them are right.
pub fn verify(tables: &KeyTables, signed: &[Signed], at: usize) -> anyhow::Result<()> {
    let Signed { key, message, signature } = &signed[at % signed.len()];
    tables.verify(key, message, signature).map_err(|why| anyhow!("a right signature is refused: {why}"))
}

/// Tables of all these keys.
pub fn registered(keys: &[SecretKey]) -> KeyTables {
    let tables = KeyTables::new(keys.len() * TABLE_BYTES);
    keys.iter().for_each(|key| tables.register(&key.public()));
    tables
}

/// Checks that ours takes every signature, and none for another message.
///
/// # Errors
/// When it does not.
pub fn check(tables: &KeyTables, signed: &[Signed]) -> anyhow::Result<()> {
    for (at, Signed { key, message, signature }) in signed.iter().enumerate() {
        verify(tables, signed, at)?;
        let mut other = *message;
        other[at % 32] ^= 1 << (at % 8);
        ensure!(tables.verify(key, &other, signature).is_err(), "a wrong signature is taken");
    }
    Ok(())
}

/// RustCrypto's `sm2` over the same signatures.
pub struct RustCrypto(Vec<(VerifyingKey, dsa::Signature, [u8; 32])>);

impl RustCrypto {
    /// Reads the keys and signatures.
    ///
    /// # Errors
    /// When the library refuses one.
    pub fn new(signed: &[Signed]) -> anyhow::Result<Self> {
        let read = |one: &Signed| {
            let key = VerifyingKey::from_sec1_bytes(IDENTITY, &one.key.to_sec1());
            let signature = dsa::Signature::from_slice(&one.signature.to_bytes());
            match (key, signature) {
                (Ok(key), Ok(signature)) => Ok((key, signature, one.message)),
                _ => Err(anyhow!("RustCrypto does not read a key or a signature")),
            }
        };
        Ok(Self(signed.iter().map(read).collect::<anyhow::Result<_>>()?))
    }

    /// Verifies one, by number and around again.
    ///
    /// # Errors
    /// When it is refused.
    pub fn verify(&self, at: usize) -> anyhow::Result<()> {
        let (key, signature, message) = &self.0[at % self.0.len()];
        key.verify(message, signature).map_err(|_| anyhow!("RustCrypto refuses our signature"))
    }

    /// A signer of the library's with our key.
    ///
    /// # Errors
    /// When the library refuses the key.
    pub fn signer(key: &SecretKey) -> anyhow::Result<SigningKey> {
        SigningKey::from_slice(IDENTITY, key.to_bytes().as_slice()).map_err(|_| anyhow!("RustCrypto refuses our key"))
    }

    /// A signature of the library's.
    ///
    /// # Errors
    /// When it makes none.
    pub fn sign(key: &SigningKey, message: &[u8]) -> anyhow::Result<Vec<u8>> {
        let made: dsa::Signature = key.try_sign(message).map_err(|_| anyhow!("RustCrypto does not sign"))?;
        Ok(made.to_bytes()[..].to_vec())
    }
}

/// libsm over the same signatures.
pub struct Libsm {
    context: SigCtx,
    signed: Vec<(Pubkey, LibsmSignature, [u8; 32])>,
}

impl Libsm {
    /// Reads the keys and signatures.
    ///
    /// # Errors
    /// When the library refuses one.
    pub fn new(signed: &[Signed]) -> anyhow::Result<Self> {
        let context = SigCtx::new();
        let mut all = Vec::with_capacity(signed.len());
        for one in signed {
            let key = context.load_pubkey(&one.key.to_sec1()).map_err(|why| anyhow!("libsm: {why}"))?;
            let bytes = one.signature.to_bytes();
            all.push((key, LibsmSignature::new(&bytes[..32], &bytes[32..]), one.message));
        }
        Ok(Self { context, signed: all })
    }

    /// Verifies one, by number and around again.
    ///
    /// # Errors
    /// When it is refused.
    pub fn verify(&self, at: usize) -> anyhow::Result<()> {
        let (key, signature, message) = &self.signed[at % self.signed.len()];
        let right = self.context.verify(message, key, signature).map_err(|why| anyhow!("libsm: {why}"))?;
        ensure!(right, "libsm refuses our signature");
        Ok(())
    }

    /// The library's form of our key.
    ///
    /// # Errors
    /// When the library refuses it.
    pub fn signer(&self, key: &SecretKey) -> anyhow::Result<(Seckey, Pubkey)> {
        let secret = self.context.load_seckey(key.to_bytes().as_slice()).map_err(|why| anyhow!("libsm: {why}"))?;
        let public = self.context.pk_from_sk(&secret).map_err(|why| anyhow!("libsm: {why}"))?;
        Ok((secret, public))
    }

    /// A signature of the library's.
    ///
    /// # Errors
    /// When it makes none.
    pub fn sign(&self, key: &(Seckey, Pubkey), message: &[u8]) -> anyhow::Result<LibsmSignature> {
        self.context.sign(message, &key.0, &key.1).map_err(|why| anyhow!("libsm: {why}"))
    }
}
