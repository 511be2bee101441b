//! What can go wrong with keys, signatures, ciphertexts and key files.

use std::{io, path::Path};

use thiserror::Error;

use crate::cert::CertFault;

/// Why a cryptographic operation did not succeed. Never says anything about the secret involved.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GmError {
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness")]
    Entropy,
    /// Bytes that are no public key: off the curve, the point at infinity, or a coordinate out of range.
    #[error("the public key is not a point of the SM2 curve")]
    PublicKey,
    /// Bytes that are no secret key: outside 1..=n-2.
    #[error("the secret key is out of range")]
    SecretKey,
    /// A signature whose r or s is outside 1..=n-1.
    #[error("the signature is not well-formed")]
    SignatureForm,
    /// A well-formed signature that is not the key's over the message.
    #[error("the signature is wrong")]
    BadSignature,
    /// A text that cannot be encrypted: SM2 takes no empty one, GCM none of 64 GiB.
    #[error("the text cannot be encrypted: it is empty or too long")]
    Encrypt,
    /// A ciphertext that was changed, cut short, or is for another key.
    #[error("the ciphertext was changed or is for another key")]
    Decrypt,
    /// An envelope for nobody, for too many, or twice for one.
    #[error("an envelope needs between 1 and {max} recipients, each once", max = crate::envelope::MAX_RECIPIENTS)]
    Recipients,
    /// An envelope that names other keys only.
    #[error("the envelope is not for this key")]
    NotRecipient,
    /// A certificate that is not accepted or cannot be issued.
    #[error(transparent)]
    Certificate(#[from] CertFault),
    /// A key file that is cut short, edited or of another format.
    #[error("the key file is damaged: {0}")]
    KeyFile(&'static str),
    /// The password does not open the key file (or its sealed part was changed, which cannot be told apart).
    #[error("the password or key file is wrong")]
    WrongPassword,
    /// The file system refused.
    #[error("{path}: {why}")]
    Io {
        /// The file.
        path: String,
        /// The kind of failure, to tell a full disk from an existing file.
        kind: io::ErrorKind,
        /// The system's words.
        why: String,
    },
}

impl GmError {
    /// Wraps a failure of the file system.
    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        Self::Io { path: path.display().to_string(), kind: error.kind(), why: error.to_string() }
    }
}
