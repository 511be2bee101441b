//! Key files: a named secret key under a password, as JSON that a browser can open too.
//!
//! `cipher` is SM4-GCM of the 32-byte scalar; its key is the first 16 bytes of PBKDF2-HMAC-SM3(password, salt), its
//! associated data the bytes of `name`, so that a file cannot be passed off under another name.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    path::{Path, PathBuf},
};

use base_secret::Password;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    GmError, entropy,
    sm2::{PublicKey, SecretKey},
    sm4,
};

const FORMAT: &str = "heqi-key-1";
const KDF: &str = "pbkdf2-hmac-sm3";
/// What we write; a reader takes what the file says within [`ITERATIONS_READ`].
const ITERATIONS: u32 = 60_000;
/// Fewer would be a downgrade, more would stall the reader.
const ITERATIONS_READ: std::ops::RangeInclusive<u32> = 10_000..=2_000_000;
/// Longest file that is read, and longest name in it.
const MAX_FILE_BYTES: u64 = 8 << 10;
const MAX_NAME_BYTES: usize = 256;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    format: String,
    name: String,
    public: PublicKey,
    kdf: String,
    iterations: u32,
    #[serde(with = "hex::serde")]
    salt: [u8; 16],
    #[serde(with = "hex::serde")]
    nonce: [u8; 12],
    #[serde(with = "hex::serde")]
    cipher: [u8; 32 + sm4::TAG_BYTES],
}

fn derive(password: &Password, salt: &[u8; 16], iterations: u32) -> Zeroizing<[u8; 16]> {
    let mut key = Zeroizing::new([0; 16]);
    pbkdf2::pbkdf2_hmac::<::sm3::Sm3>(password.expose_str().as_bytes(), salt, iterations, key.as_mut_slice());
    key
}

/// The JSON text of a key file.
///
/// # Errors
/// [`GmError::KeyFile`] for a name longer than 256 bytes or empty; [`GmError::Entropy`].
pub fn seal_key(name: &str, key: &SecretKey, password: &Password) -> Result<String, GmError> {
    if !(1..=MAX_NAME_BYTES).contains(&name.len()) {
        return Err(GmError::KeyFile("name"));
    }
    let (salt, nonce) = (entropy::array()?, entropy::array()?);
    let outer = derive(password, &salt, ITERATIONS);
    let cipher = sm4::seal(&outer, &nonce, name.as_bytes(), key.to_bytes().as_slice())?;
    let file = KeyFile {
        format: FORMAT.to_owned(),
        name: name.to_owned(),
        public: key.public(),
        kdf: KDF.to_owned(),
        iterations: ITERATIONS,
        salt,
        nonce,
        cipher: cipher.try_into().map_err(|_| GmError::KeyFile("cipher"))?,
    };
    serde_json::to_string_pretty(&file).map(|text| text + "\n").map_err(|_| GmError::KeyFile("name"))
}

/// Opens the JSON text of a key file: its name and key.
///
/// # Errors
/// [`GmError::KeyFile`] when the text is not a key file, [`GmError::WrongPassword`] when the password does not open it.
pub fn open_key(json: &str, password: &Password) -> Result<(String, SecretKey), GmError> {
    let file: KeyFile = serde_json::from_str(json).map_err(|_| GmError::KeyFile("not a key file, or cut short"))?;
    if file.format != FORMAT || file.kdf != KDF {
        return Err(GmError::KeyFile("unknown format"));
    }
    if !ITERATIONS_READ.contains(&file.iterations) {
        return Err(GmError::KeyFile("iterations"));
    }
    if !(1..=MAX_NAME_BYTES).contains(&file.name.len()) {
        return Err(GmError::KeyFile("name"));
    }
    let outer = derive(password, &file.salt, file.iterations);
    let opened = sm4::open(&outer, &file.nonce, file.name.as_bytes(), &file.cipher);
    let scalar = opened.map_err(|_| GmError::WrongPassword)?;
    let scalar = Zeroizing::new(<[u8; 32]>::try_from(scalar.as_slice()).map_err(|_| GmError::KeyFile("cipher"))?);
    let key = SecretKey::from_bytes(&scalar).map_err(|_| GmError::KeyFile("cipher"))?;
    if key.public() != file.public {
        return Err(GmError::KeyFile("its public key is not its secret key's"));
    }
    Ok((file.name, key))
}

/// Writes a new key file, readable by its owner only. It appears whole or not at all, and never replaces a file.
///
/// # Errors
/// [`GmError::Io`] (kind `AlreadyExists` when there is a file), and those of [`seal_key`].
pub fn write(path: &Path, name: &str, key: &SecretKey, password: &Password) -> Result<(), GmError> {
    if path.symlink_metadata().is_ok() {
        return Err(GmError::io(path, &std::io::ErrorKind::AlreadyExists.into()));
    }
    let text = seal_key(name, key, password)?;
    let temporary = temporary_beside(path)?;
    let written = write_synced(&temporary, text.as_bytes())
        // A link, unlike a rename, fails when somebody made the file in the meantime.
        .and_then(|()| fs::hard_link(&temporary, path));
    let removed = fs::remove_file(&temporary);
    written.and(removed).and_then(|()| sync_folder(path)).map_err(|e| GmError::io(path, &e))
}

/// Reads and opens a key file: its name and key.
///
/// # Errors
/// [`GmError::Io`] when the file cannot be read, and those of [`open_key`].
pub fn read(path: &Path, password: &Password) -> Result<(String, SecretKey), GmError> {
    let file = File::open(path).map_err(|e| GmError::io(path, &e))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|e| GmError::io(path, &e))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(GmError::KeyFile("too long"));
    }
    open_key(std::str::from_utf8(&bytes).map_err(|_| GmError::KeyFile("not text"))?, password)
}

fn temporary_beside(path: &Path) -> Result<PathBuf, GmError> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.tmp", hex::encode(entropy::array::<8>()?)));
    Ok(name.into())
}

fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the file's name survive a power failure.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    fn password(text: &str) -> Password {
        Password::new(text)
    }

    fn error(json: &str, secret: &str) -> GmError {
        open_key(json, &password(secret)).err().unwrap()
    }

    #[test]
    fn a_key_comes_back_from_its_file_only_with_its_password() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("analyst.json");
        let key = SecretKey::from_seed(b"analyst");
        write(&path, "statistics/analyst", &key, &password("口令 1")).unwrap();
        let (name, opened) = read(&path, &password("口令 1")).unwrap();
        assert_eq!((name.as_str(), opened.public()), ("statistics/analyst", key.public()));
        assert_eq!(*opened.to_bytes(), *key.to_bytes());
        assert_eq!(read(&path, &password("口令 2")).err(), Some(GmError::WrongPassword));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&hex::encode(*key.to_bytes())));
        let again = write(&path, "statistics/analyst", &SecretKey::from_seed(b"other"), &password("x")).unwrap_err();
        assert!(matches!(again, GmError::Io { kind: ErrorKind::AlreadyExists, .. }), "{again}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing temporary is left");
        let nowhere = folder.path().join("none");
        assert!(matches!(read(&nowhere, &password("x")), Err(GmError::Io { kind: ErrorKind::NotFound, .. })));
        assert!(matches!(write(&nowhere.join("a"), "n", &key, &password("x")), Err(GmError::Io { .. })));
    }

    #[test]
    fn every_cut_is_refused_as_damage() {
        let json = seal_key("a/b", &SecretKey::from_seed(b"a"), &password("p")).unwrap();
        for cut in 0..json.trim_end().len() {
            assert!(matches!(error(&json[..cut], "p"), GmError::KeyFile(_)), "cut at {cut}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long");
        fs::write(&path, json.clone() + &" ".repeat(8 << 10)).unwrap();
        assert_eq!(read(&path, &password("p")).err(), Some(GmError::KeyFile("too long")));
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert_eq!(read(&path, &password("p")).err(), Some(GmError::KeyFile("not text")));
    }

    /// The file's text with one field replaced.
    fn edited(json: &str, field: &str, value: serde_json::Value) -> String {
        let mut file: serde_json::Value = serde_json::from_str(json).unwrap();
        file[field] = value;
        file.to_string()
    }

    #[test]
    fn every_edited_field_is_refused() {
        let key = SecretKey::from_seed(b"a");
        let json = seal_key("a/b", &key, &password("p")).unwrap();
        let file: serde_json::Value = serde_json::from_str(&json).unwrap();
        for field in ["salt", "nonce", "cipher"] {
            let text = file[field].as_str().unwrap();
            let flipped = format!("{}{}", if text.starts_with('0') { '1' } else { '0' }, &text[1..]);
            assert_eq!(error(&edited(&json, field, flipped.into()), "p"), GmError::WrongPassword, "{field}");
            assert!(matches!(error(&edited(&json, field, text[2..].into()), "p"), GmError::KeyFile(_)), "{field}");
        }
        let other = SecretKey::from_seed(b"b").public().to_hex();
        assert!(matches!(error(&edited(&json, "public", other.into()), "p"), GmError::KeyFile(_)));
        assert!(matches!(error(&edited(&json, "public", "00".repeat(64).into()), "p"), GmError::KeyFile(_)));
        assert_eq!(error(&edited(&json, "name", "a/c".into()), "p"), GmError::WrongPassword);
        assert_eq!(error(&edited(&json, "iterations", 60_001.into()), "p"), GmError::WrongPassword);
        for iterations in [0u32, 1, 9_999, 2_000_001, u32::MAX] {
            assert_eq!(error(&edited(&json, "iterations", iterations.into()), "p"), GmError::KeyFile("iterations"));
        }
        assert_eq!(error(&edited(&json, "format", "heqi-key-2".into()), "p"), GmError::KeyFile("unknown format"));
        assert_eq!(error(&edited(&json, "kdf", "none".into()), "p"), GmError::KeyFile("unknown format"));
        assert!(matches!(error(&edited(&json, "extra", 1.into()), "p"), GmError::KeyFile(_)));
        assert!(
            seal_key("", &key, &password("p")).is_err() && seal_key(&"n".repeat(257), &key, &password("p")).is_err()
        );
    }
}
