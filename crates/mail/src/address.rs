//! Address headers -> list of people.
//!
//! Groups are flattened (RFC 5322 §3.4): for the product everybody in a group is a recipient, and
//! `undisclosed-recipients:;` is nobody.

use crate::charset::Hint;
use crate::headers::{self, words};
use crate::letter::Address;
use mail_parser::{HeaderForm, HeaderValue};
use std::borrow::Cow;

/// More addresses in one header are not read (limits of the design, after CVE-2024-23184).
pub(crate) const MAX_ADDRESSES: usize = 10_000;

/// Reads one header value; `true` if there were more than [`MAX_ADDRESSES`].
pub(crate) fn read(value: &str, hint: Hint<'_>) -> (Vec<Address>, bool) {
    let (masked, runs) = words::mask(value, hint);
    let masked = with_commas(&masked);
    let parsed = HeaderForm::Addresses.parse(masked.as_bytes());
    let HeaderValue::Address(list) = parsed.value() else {
        return (Vec::new(), false);
    };
    let mut addresses: Vec<Address> = list
        .mailboxes()
        .take(MAX_ADDRESSES + 1)
        .filter_map(|mailbox| address(mailbox.name(), mailbox.address(), &runs))
        .collect();
    let too_many = addresses.len() > MAX_ADDRESSES;
    addresses.truncate(MAX_ADDRESSES);
    (addresses, too_many)
}

/// `Ann <ann@a.example> Ben <ben@b.example>`, as some forms send it: a comma after `>` where another
/// `<` comes before the next comma.
fn with_commas(value: &str) -> Cow<'_, str> {
    if value.matches('<').count() < 2 {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len() + 8);
    let (mut quoted, mut escaped, mut open) = (false, false, false);
    // Where a comma belongs if another address starts before the next separator.
    let mut after_address = None;
    for c in value.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            ',' | ';' | ':' if !open => after_address = None,
            '<' => {
                open = true;
                if let Some(at) = after_address.take() {
                    out.insert(at, ',');
                }
            }
            '>' if open => {
                open = false;
                after_address = Some(out.len() + 1);
            }
            _ => {}
        }
        out.push(c);
    }
    Cow::Owned(out)
}

fn address(name: Option<&str>, address: Option<&str>, runs: &[String]) -> Option<Address> {
    let shown = |name: &str| headers::unfold(&words::unmask(name, runs));
    let name = name.map(shown).filter(|name| !name.is_empty());
    let address = address.map(|address| words::unmask(address, runs)).unwrap_or_default();
    let (name, address) = match name {
        None => apart(&address)
            .map_or((None, tidy(&address)), |(name, address)| (Some(shown(name)), tidy(address))),
        name => (name, tidy(&address)),
    };
    match name {
        None if address.is_empty() => None,
        // An address where only a name was understood.
        Some(name) if address.is_empty() && is_address(&name) => Some(Address { name: None, address: name }),
        name => Some(Address { name, address }),
    }
}

/// `Ann Novak ann@a.example`, as some programs write it: the address is the last word. Blanks within an
/// address (RFC 5322 §4.4) are another thing.
fn apart(text: &str) -> Option<(&str, &str)> {
    let (name, address) = text.trim().rsplit_once([' ', '\t'])?;
    let is_name = !name.contains(['@', '<', '"', '(']) && !name.trim_end().ends_with('.');
    (is_name && is_address(address) && !address.contains('"')).then_some((name, address))
}

fn tidy(address: &str) -> String {
    let address = address.trim().trim_start_matches('<').trim_end_matches('>');
    let address = address.strip_prefix("mailto:").unwrap_or(address);
    // A source route, `@relay.example:ann@a.example` (RFC 5322 §4.4): ignored, as it says there.
    let address = match address.split_once(':') {
        Some((route, rest)) if route.starts_with('@') => rest,
        _ => address,
    };
    address.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect()
}

fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !text.contains(char::is_whitespace)
    })
}

/// Top-level domain of an address, lower case: the hint for guessing charsets.
pub(crate) fn top_level_domain(address: &str) -> Option<String> {
    let (_, domain) = address.rsplit_once('@')?;
    let (_, tld) = domain.trim_end_matches(['>', '.', ' ']).rsplit_once('.')?;
    tld.bytes().all(|byte| byte.is_ascii_alphabetic()).then(|| tld.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &str) -> String {
        let (list, _) = read(value, Hint::default());
        let show = |a: &Address| format!("{}<{}>", a.name.as_deref().unwrap_or(""), a.address);
        list.iter().map(show).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn groups_are_flattened() {
        assert_eq!(shown("Team: Ann <ann@a.example>, ben@b.example;"), "Ann<ann@a.example>; <ben@b.example>");
        assert_eq!(shown("undisclosed-recipients:;"), "");
    }

    #[test]
    fn names_are_decoded_in_and_out_of_quotes() {
        assert_eq!(shown("=?utf-8?B?xI1hcA==?= <a@a.example>"), "čap<a@a.example>");
        assert_eq!(shown("\"=?utf-8?B?xI1hcA==?=\" <a@a.example>"), "čap<a@a.example>");
        assert_eq!(shown("\"Novák, Jan\" <a@a.example>"), "Novák, Jan<a@a.example>");
    }

    #[test]
    fn a_missing_comma_is_put_in() {
        assert_eq!(
            shown("Ann <ann@a.example> Ben <ben@b.example>, c@c.example"),
            "Ann<ann@a.example>; Ben<ben@b.example>; <c@c.example>"
        );
        assert_eq!(
            shown("\"a <b\" <ann@a.example> (x), \"<c>\" <ben@b.example>"),
            "a <b (x)<ann@a.example>; <c><ben@b.example>"
        );
    }

    #[test]
    fn an_address_without_brackets_behind_a_name_is_read() {
        assert_eq!(shown("Big Bug bb@bug.example"), "Big Bug<bb@bug.example>");
        assert_eq!(shown("ann @ a.example"), "<ann@a.example>");
    }

    #[test]
    fn routes_comments_and_oddities_are_taken_off() {
        assert_eq!(shown("<@relay.example:ann@a.example>"), "<ann@a.example>");
        assert_eq!(shown("mailto:ann@a.example"), "<ann@a.example>");
        assert_eq!(shown("=?utf-8?Q?Nov=C3=A1k=2C_Jan?= <a@a.example>"), "Novák, Jan<a@a.example>");
    }

    #[test]
    fn top_level_domain_is_the_last_label() {
        assert_eq!(top_level_domain("Ann <ann@firma.CZ>").as_deref(), Some("cz"));
        assert_eq!(top_level_domain("ann@localhost"), None);
    }

    #[test]
    fn t21_a_header_of_100_000_addresses_is_cut() {
        let value = "a@a.example, ".repeat(100_000);
        let (list, too_many) = read(&value, Hint::default());
        assert_eq!((list.len(), too_many), (MAX_ADDRESSES, true));
    }
}
