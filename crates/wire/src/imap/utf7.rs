//! Modified UTF-7, the spelling of folder names (RFC 3501, section 5.1.3).
//!
//! Only for showing names and for making new ones. Decoding never fails: what is not well-formed is shown
//! as it is, and 8-bit names (servers that send UTF-8 without having been asked) are taken as UTF-8.

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The wire spelling of `name`.
pub(crate) fn encode(name: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    let mut run = String::new();
    for c in name.chars() {
        if matches!(c, ' '..='~') {
            flush(&mut out, &mut run);
            out.push(c as u8);
            if c == '&' {
                out.push(b'-');
            }
        } else {
            run.push(c);
        }
    }
    flush(&mut out, &mut run);
    out
}

fn flush(out: &mut Vec<u8>, run: &mut String) {
    if !run.is_empty() {
        let utf16: Vec<u8> = run.encode_utf16().flat_map(u16::to_be_bytes).collect();
        out.push(b'&');
        out.extend(BASE64.encode(utf16).bytes());
        out.push(b'-');
        run.clear();
    }
}

/// The name for people.
pub(crate) fn decode(wire: &[u8]) -> String {
    let text = String::from_utf8_lossy(wire);
    if text.is_ascii() { decode_ascii(&text).unwrap_or_else(|| text.into_owned()) } else { text.into_owned() }
}

fn decode_ascii(mut text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    while let Some((plain, rest)) = text.split_once('&') {
        out.push_str(plain);
        let (shifted, rest) = rest.split_once('-')?;
        match shifted {
            "" => out.push('&'),
            _ => out.push_str(&decode_shifted(shifted)?),
        }
        text = rest;
    }
    out.push_str(text);
    Some(out)
}

fn decode_shifted(shifted: &str) -> Option<String> {
    let bytes = BASE64.decode(shifted).ok()?;
    if bytes.len() % 2 != 0 {
        return None;
    }
    let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    char::decode_utf16(units).collect::<Result<_, _>>().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spells_names_as_the_rfc_does() {
        for (name, wire) in [
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("Odeslaná pošta", "Odeslan&AOE- po&AWE-ta"),
            ("Tom & Ann", "Tom &- Ann"),
            ("INBOX", "INBOX"),
            ("📬", "&2D3c7A-"),
        ] {
            assert_eq!(String::from_utf8(encode(name)).unwrap(), wire);
            assert_eq!(decode(wire.as_bytes()), name);
        }
    }

    #[test]
    fn shows_broken_spellings_as_they_are() {
        for odd in ["R&D", "a&b-c&", "&AOE", "&A-", "&2D0-"] {
            assert_eq!(decode(odd.as_bytes()), odd);
        }
        assert_eq!(decode("Koš".as_bytes()), "Koš");
        assert_eq!(decode(b"Ko\xb9"), "Ko\u{fffd}");
    }

    proptest! {
        #[test]
        fn every_name_survives(name in "\\PC*") {
            let wire = encode(&name);
            prop_assert!(wire.is_ascii());
            prop_assert_eq!(decode(&wire), name);
        }

        #[test]
        fn decoding_never_fails(wire in prop::collection::vec(any::<u8>(), 0..60)) {
            decode(&wire);
        }
    }
}
