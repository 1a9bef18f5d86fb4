//! Signed thread ids: the Message-IDs of what we send say which thread an answer belongs to.
//!
//! `lc.{thread, base 36}.{80 random bits}.{80 bits of a MAC}@{sender's domain}`; the MAC is BLAKE3 with a key of
//! this installation over all before it. Whoever answers repeats the id in In-Reply-To or References, so the answer
//! is joined to its thread even where the thread's other ids are unknown here, and an id that somebody made up or
//! that another installation minted says nothing. It proves that our mail was seen, not who answers: a stranger to
//! whom it was forwarded bears it too (T1).
//!
//! The key is made with the first mail that needs it and lies sealed in the settings. Decided against one derived
//! from the seal's own key: that file can be replaced, and each answer to older mail would be a stranger's.
//! Decided against an address with a token in it (`support+t4a@…`): many servers refuse it, and people save it.

use crate::Desk;
use crate::seal::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::ThreadId;
use store::settings;
use store::sql::{Error, Sql, Tx};

/// The setting's name.
const SETTING: &str = "token_key";
/// Where it is kept, as the seal names it.
const PLACE: &str = "settings|token_key|value";
/// How a Message-ID of ours begins.
const BEGIN: &str = "lc.";
/// Bytes of chance in an id, and of its MAC that are kept: sixteen characters each.
const BYTES: usize = 10;
/// Ids longer than any of ours are not looked at.
const LONGEST: usize = 400;

/// What signs and checks thread ids.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// The key, for checking. `None`: no id was ever signed, or the one who sealed the key is gone; then no id is ours.
pub async fn key(desk: &Desk, sql: &mut impl Sql) -> Result<Option<Key>, Error> {
    let Some(text) = settings::get(sql, SETTING).await? else { return Ok(None) };
    let opened = opened(desk, &text);
    if let Err(error) = &opened {
        tracing::warn!(%error, "the key of signed thread ids does not open: the next mail sent makes a new one");
    }
    Ok(opened.ok())
}

/// The key, for signing; made where there is none that opens. Of two processes that make it at once, one waits for
/// the other and finds it.
pub async fn key_for_signing(desk: &Desk, tx: &mut Tx) -> Result<Key, Error> {
    if let Some(key) = key(desk, tx).await? {
        return Ok(key);
    }
    tx.lock(LOCK).await?;
    if let Some(key) = key(desk, tx).await? {
        return Ok(key);
    }
    let key = Key(crate::random::bytes());
    let sealed = desk.seal.seal(PLACE, &Secret::new(STANDARD.encode(key.0)));
    settings::set(tx, SETTING, &STANDARD.encode(sealed)).await?;
    Ok(key)
}

/// Name of the lock of who makes the key.
const LOCK: i64 = 0x4c63_0011;

fn opened(desk: &Desk, text: &str) -> anyhow::Result<Key> {
    let secret = desk.seal.open(PLACE, &STANDARD.decode(text)?)?;
    let bytes = STANDARD.decode(secret.reveal())?;
    Ok(Key(bytes.try_into().map_err(|_| anyhow::anyhow!("the key of signed thread ids has another size"))?))
}

/// Whether an id looks like one of ours. Only a [`Key`] can say whether it is.
pub fn may_be(mid: &str) -> bool {
    mid.len() <= LONGEST && mid.get(..BEGIN.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(BEGIN))
}

impl Key {
    /// A new Message-ID, without angle brackets, for a mail from `sender` in this thread.
    pub fn mint(&self, thread: ThreadId, sender: &str) -> String {
        let domain = sender.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
        let chance = base32(&crate::random::bytes::<BYTES>());
        let signed = format!("{BEGIN}{}.{chance}", base36(thread.0.unsigned_abs()));
        format!("{signed}.{}@{domain}", self.mac(&signed))
    }

    /// The thread that an id without angle brackets names, if this key signed it. The thread may have been merged
    /// into another one since. Some programs write ids in capitals: that changes nothing.
    pub fn read(&self, mid: &str) -> Option<ThreadId> {
        if mid.len() > LONGEST {
            return None;
        }
        let local = mid.rsplit_once('@').map_or(mid, |(local, _)| local).to_ascii_lowercase();
        let (signed, mac) = local.rsplit_once('.')?;
        let (thread, _) = signed.strip_prefix(BEGIN)?.split_once('.')?;
        // Hashes are compared in constant time.
        let is_ours = blake3::hash(mac.as_bytes()) == blake3::hash(self.mac(signed).as_bytes());
        let id = i64::from_str_radix(thread, 36).ok().filter(|id| *id > 0)?;
        is_ours.then_some(ThreadId(id))
    }

    fn mac(&self, signed: &str) -> String {
        base32(&blake3::keyed_hash(&self.0, signed.as_bytes()).as_bytes()[..BYTES])
    }
}

fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit((number % 36) as u32, 36).expect("a remainder of 36 is a digit"));
        number /= 36;
        if number == 0 {
            return digits.iter().rev().collect();
        }
    }
}

/// Five bits to a character, in small letters (RFC 4648 section 6); a multiple of five bytes needs no padding.
fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let groups =
        bytes.chunks(5).map(|group| group.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte)));
    let letter = |bits: u64, at: usize| char::from(LETTERS[(bits >> (35 - 5 * at) & 31) as usize]);
    groups.flat_map(|bits| (0..8).map(move |at| letter(bits, at))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key([7; 32]);

    #[test]
    fn b8_an_id_we_signed_names_its_thread() {
        for thread in [1, 35, 36, 123_456_789, i64::MAX] {
            let mid = KEY.mint(ThreadId(thread), "support@acme.example");
            assert!(mid.starts_with("lc.") && mid.ends_with("@acme.example"), "{mid}");
            assert_eq!(KEY.read(&mid), Some(ThreadId(thread)), "{mid}");
            assert_eq!(KEY.read(&mid.to_uppercase()), Some(ThreadId(thread)), "{mid}");
        }
        let (one, other) = (KEY.mint(ThreadId(1), "a@b.example"), KEY.mint(ThreadId(1), "a@b.example"));
        assert_ne!(one, other);
    }

    #[test]
    fn t1_a_forged_a_changed_or_a_foreign_id_names_none() {
        let mid = KEY.mint(ThreadId(77), "support@acme.example");
        assert_eq!(Key([8; 32]).read(&mid), None);
        let local = mid.split('@').next().unwrap();
        for at in 0..local.len() {
            let mut bytes = mid.clone().into_bytes();
            bytes[at] = if bytes[at] == b'q' { b'r' } else { b'q' };
            assert_eq!(KEY.read(&String::from_utf8(bytes).unwrap()), None, "character {at}");
        }
        let long = format!("lc.25.{}.x@a", "a".repeat(LONGEST));
        for odd in
            ["", "@", "lc.", "lc..@x", "lc.1.a.b@x", "lc.-1.a.b@x", "lc.zzzzzzzzzzzzzzzzz.a.b@x", "x", &long]
        {
            assert_eq!(KEY.read(odd), None, "{odd}");
        }
    }

    #[test]
    fn base_32_is_that_of_rfc_4648() {
        assert_eq!(base32(b"fooba"), "mzxw6ytb");
        assert_eq!(base36(35), "z");
        assert_eq!(base36(36), "10");
        assert_eq!(base36(0), "0");
    }
}
