//! What goes over the wire: addresses that cannot carry a command, lines that cannot end a message early.

/// Longest address (RFC 5321 section 4.5.3.1.3).
const LONGEST_ADDRESS: usize = 254;
/// Longest line without its end (RFC 5321 section 4.5.3.1.6).
const LONGEST_LINE: usize = 998;

/// Why something cannot be sent as it stands, now or later.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// An address is none, or could carry more than an address.
    #[error("{0:?} is not an address that mail can be sent to")]
    Address(String),
    /// Nobody to send to.
    #[error("the message has no recipient")]
    NoRecipient,
    /// A NUL byte, which no server is bound to take.
    #[error("the message holds a NUL byte")]
    Nul,
    /// A line longer than 998 bytes, which servers cut or refuse.
    #[error("the message has a line of {0} bytes; the longest that may be sent has {LONGEST_LINE}")]
    LongLine(usize),
    /// Bytes above 127, and the server takes only ASCII (no 8BITMIME).
    #[error("the server takes only ASCII, and the message is not")]
    EightBit,
    /// Addresses or header fields beyond ASCII, and the server does not take them (no SMTPUTF8).
    #[error("the server takes no addresses or header fields beyond ASCII")]
    Utf8,
    /// Larger than the server takes (SIZE).
    #[error("the message has {0} bytes; the server takes at most {1}")]
    TooLarge(u64, u64),
}

/// Whether an address can be said in MAIL and RCPT.
///
/// # Errors
/// When it has no local part or domain, is too long, or holds a control character, a space, a quote or an
/// angle bracket: quoted local parts are legal and given to nobody, and each is a way to smuggle something in.
pub fn check_address(address: &str) -> Result<(), Unsendable> {
    let odd = |c: char| c.is_control() || c.is_whitespace() || "<>\"\\(),;:\u{2028}\u{2029}".contains(c);
    let sound = match address.rsplit_once('@') {
        Some((local, domain)) => {
            !local.is_empty() && !local.contains('@') && !local.chars().any(odd) && is_domain(domain)
        }
        None => false,
    };
    match sound && address.len() <= LONGEST_ADDRESS {
        true => Ok(()),
        false => Err(Unsendable::Address(address.chars().take(100).collect())),
    }
}

fn is_domain(domain: &str) -> bool {
    let label =
        |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || "-_".contains(c));
    domain.split('.').all(label)
}

/// A message as it is written after DATA, without the line that ends it: every line end CRLF, dots at line
/// starts doubled (RFC 5321 section 4.5.2). A bare CR or LF becomes a line end, so that all servers on the
/// way see the same lines.
pub(super) fn wire_form(message: &[u8]) -> Result<Vec<u8>, Unsendable> {
    if message.contains(&0) {
        return Err(Unsendable::Nul);
    }
    let mut out = Vec::with_capacity(message.len() + message.len() / 64 + 16);
    let mut rest = message;
    while !rest.is_empty() {
        let (line, behind) = cut(rest);
        if line.len() > LONGEST_LINE {
            return Err(Unsendable::LongLine(line.len()));
        }
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
        rest = behind;
    }
    Ok(out)
}

/// The first line, and what stands behind its end: CRLF, CR or LF.
fn cut(text: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr2(b'\r', b'\n', text) {
        None => (text, &[]),
        Some(at) if text[at..].starts_with(b"\r\n") => (&text[..at], &text[at + 2..]),
        Some(at) => (&text[..at], &text[at + 1..]),
    }
}

/// The header block, up to the empty line.
pub(super) fn header(message: &[u8]) -> &[u8] {
    let mut rest = message;
    while !rest.is_empty() {
        let (line, behind) = cut(rest);
        if line.is_empty() {
            break;
        }
        rest = behind;
    }
    &message[..message.len() - rest.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn t15_an_address_that_could_carry_a_command_is_refused() {
        for address in [
            "",
            "ann",
            "@a.example",
            "ann@",
            "ann@@a.example",
            "a b@a.example",
            "ann@a.example>",
            "<ann@a.example",
            "ann@a.example\r\nRCPT TO:<eve@b.example>",
            "a\r\nQUIT\r\n@x",
            "ann@a.example\n",
            "ann\u{2028}@a.example",
            "ann@a.example ORCPT=x",
            "\"ann b\"@a.example",
            "ann@a..example",
            "ann@[127.0.0.1]",
            "a\0@x",
        ] {
            assert!(check_address(address).is_err(), "{address:?}");
        }
        for address in
            ["ann@a.example", "ann+tag@a.example", "o'brien@a-b.example", "žofie@příklad.example", "a=b@x"]
        {
            assert_eq!(check_address(address), Ok(()), "{address}");
        }
    }

    #[test]
    fn t16_every_line_end_on_the_wire_is_crlf_and_no_line_is_a_lone_dot() {
        let odd: [(&[u8], &[u8]); 6] = [
            (b"a\n.\nb", b"a\r\n..\r\nb\r\n"),
            (b"a\n.\r\nMAIL FROM:<x>", b"a\r\n..\r\nMAIL FROM:<x>\r\n"),
            (b"a\r.\r\nb", b"a\r\n..\r\nb\r\n"),
            (b"a\r\n.\r\nb\r\n", b"a\r\n..\r\nb\r\n"),
            (b"a\r\r\nb\r\n", b"a\r\n\r\nb\r\n"),
            (b"...", b"....\r\n"),
        ];
        for (message, wanted) in odd {
            assert_eq!(wire_form(message).unwrap(), wanted, "{message:?}");
        }
        assert_eq!(wire_form(b"a\0b"), Err(Unsendable::Nul));
        assert_eq!(wire_form(&[b'x'; 999]), Err(Unsendable::LongLine(999)));
        assert!(wire_form(&[b'x'; 998]).is_ok());
    }

    proptest! {
        #[test]
        fn t16_any_bytes_end_nowhere_early(message in "[a.\r\n]{0,60}") {
            let wire = wire_form(message.as_bytes()).unwrap();
            prop_assert!(wire.is_empty() || wire.ends_with(b"\r\n"));
            let text = String::from_utf8(wire).unwrap();
            let without = text.replace("\r\n", "");
            prop_assert!(!without.contains(['\r', '\n']));
            prop_assert!(text.split("\r\n").all(|line| line != "."));
            let unstuffed: Vec<_> = text.split("\r\n").map(|line| line.strip_prefix('.').unwrap_or(line)).collect();
            let ended = message.is_empty() || message.ends_with(['\r', '\n']);
            let normal = message.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n")
                + if ended { "" } else { "\r\n" };
            prop_assert_eq!(unstuffed.join("\r\n"), normal);
        }
    }
}
