//! Secrets at rest: passwords of mail servers, sealed so that a copy of the database is not enough.
//!
//! XChaCha20-Poly1305 with a random nonce of 192 bits (no counter to keep). A sealed value is
//! `version (1) | key id (8) | nonce (24) | ciphertext and tag`; the place it belongs to, as
//! `table|row|column`, is authenticated with it, so that a value copied to another row does not open.
//! The key is 32 random bytes in a file of its own, readable by its owner only; it is never in the
//! database and belongs into no backup of it.
//!
//! Decided against a key derived from a passphrase: a server that starts by itself would have to keep
//! the passphrase in a file just the same.

use anyhow::{Context, bail};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;
const ID_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;
const HEAD_BYTES: usize = 1 + ID_BYTES + NONCE_BYTES;

/// Something that must not be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself, for the one who needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Seals and opens. Cheap to clone.
#[derive(Clone)]
pub struct Seal {
    cipher: XChaCha20Poly1305,
    id: [u8; ID_BYTES],
    path: PathBuf,
}

impl Seal {
    /// The key in the file `path`, which is made (mode 0600) if there is none. An error says what to do.
    pub fn open_or_create(path: &Path) -> anyhow::Result<Seal> {
        if !path.try_exists().with_context(|| format!("looking for the key file {}", path.display()))? {
            create(path).with_context(|| format!("making the key file {}", path.display()))?;
        }
        check_mode(path)?;
        let bytes =
            std::fs::read(path).with_context(|| format!("reading the key file {}", path.display()))?;
        let Ok(key) = <[u8; KEY_BYTES]>::try_from(bytes.as_slice()) else {
            bail!(
                "the key file {} has {} bytes instead of {KEY_BYTES}: put the right one back from your backup",
                path.display(),
                bytes.len()
            );
        };
        Ok(Seal::of(key, path))
    }

    fn of(key: [u8; KEY_BYTES], path: &Path) -> Seal {
        let digest = blake3::derive_key("lettercase 2026 id of the key file", &key);
        let mut id = [0; ID_BYTES];
        id.copy_from_slice(&digest[..ID_BYTES]);
        Seal { cipher: XChaCha20Poly1305::new(&key.into()), id, path: path.to_owned() }
    }

    /// Seals `secret` for the place `table|row|column`.
    pub fn seal(&self, place: &str, secret: &Secret) -> Vec<u8> {
        let nonce = crate::random::bytes::<NONCE_BYTES>();
        let payload = Payload { msg: secret.0.as_bytes(), aad: place.as_bytes() };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.expect("only texts of more than 256 GB are refused");
        [&[VERSION][..], &self.id, &nonce, &sealed].concat()
    }

    /// Opens what was sealed for this place. The error tells a wrong key from a damaged value.
    pub fn open(&self, place: &str, sealed: &[u8]) -> anyhow::Result<Secret> {
        self.check(sealed)?;
        let (head, text) = sealed.split_at(HEAD_BYTES);
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&head[1 + ID_BYTES..]);
        let payload = Payload { msg: text, aad: place.as_bytes() };
        let Ok(text) = self.cipher.decrypt(&XNonce::from(nonce), payload) else {
            bail!("the secret at {place} is damaged or was copied there from another place: enter it again");
        };
        Ok(Secret(String::from_utf8(text).with_context(|| format!("the secret at {place} is no text"))?))
    }

    /// Whether this key sealed the value; an error that says what to do where it did not.
    pub fn check(&self, sealed: &[u8]) -> anyhow::Result<()> {
        if sealed.len() < HEAD_BYTES || sealed[0] != VERSION {
            bail!("a sealed secret is damaged or of a newer version of this program");
        }
        if sealed[1..=ID_BYTES] != self.id {
            bail!(
                "the key file {} is not the one the stored passwords were sealed with: put the right one \
                 back, or enter the passwords of all mailboxes again",
                self.path.display()
            );
        }
        Ok(())
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Writes a whole key under another name first and links it into place, so that neither a crash nor
/// a second process at the same moment leaves half a key or two.
fn create(path: &Path) -> anyhow::Result<()> {
    let suffix = u64::from_le_bytes(crate::random::bytes());
    let draft = path.with_extension(format!("{suffix:016x}.new"));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(&crate::random::bytes::<KEY_BYTES>())?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::File::open(folder)?.sync_all()?;
    }
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn check_mode(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        bail!("the key file {0} can be used by others (mode {mode:03o}): chmod 600 {0}", path.display());
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_mode(_: &Path) -> anyhow::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("lettercase-seal-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_sealed_secret_opens_at_its_place_and_nowhere_else() {
        let folder = folder("place");
        let seal = Seal::open_or_create(&folder.join("key")).unwrap();
        let sealed = seal.seal("mailboxes|1|secret", &Secret::new("hešlo"));
        assert!(!sealed.windows(6).any(|bytes| bytes == "hešlo".as_bytes()));
        assert_eq!(seal.open("mailboxes|1|secret", &sealed).unwrap().reveal(), "hešlo");
        let elsewhere = seal.open("mailboxes|2|secret", &sealed).unwrap_err().to_string();
        assert!(elsewhere.contains("copied there from another place"), "{elsewhere}");
        for at in [0, 1, 9, HEAD_BYTES, sealed.len() - 1] {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert!(seal.open("mailboxes|1|secret", &damaged).is_err(), "byte {at}");
        }
        assert!(seal.open("mailboxes|1|secret", &sealed[..20]).is_err());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_key_file_is_private_and_read_again_by_the_next_start() {
        let folder = folder("file");
        let path = folder.join("key");
        let sealed = Seal::open_or_create(&path).unwrap().seal("a|1|b", &Secret::new("x"));
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        assert_eq!(Seal::open_or_create(&path).unwrap().open("a|1|b", &sealed).unwrap().reveal(), "x");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&path), 0o600);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
            let open = Seal::open_or_create(&path).unwrap_err().to_string();
            assert!(open.contains("chmod 600") && open.contains("640"), "{open}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn another_key_and_half_a_key_are_named_as_such() {
        let folder = folder("other");
        let sealed = Seal::open_or_create(&folder.join("one")).unwrap().seal("a|1|b", &Secret::new("x"));
        let other = Seal::open_or_create(&folder.join("two")).unwrap();
        let wrong = other.open("a|1|b", &sealed).unwrap_err().to_string();
        assert!(wrong.contains("not the one the stored passwords were sealed with"), "{wrong}");
        std::fs::write(folder.join("two"), b"half").unwrap();
        let half = Seal::open_or_create(&folder.join("two")).unwrap_err().to_string();
        assert!(half.contains("4 bytes instead of 32"), "{half}");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn secrets_are_not_printed() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
    }
}
