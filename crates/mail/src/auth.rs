//! What the server that received a letter says of its sender: Authentication-Results (RFC 8601).
//!
//! Anybody can write such a field. It is believed only with the authserv-id of the mailbox's own server, which an
//! administrator named, and only in the topmost run of such fields (section 5): a server puts its own above all that
//! came from outside and takes away those that claim to be its own. A field of another server, or a `Received` below
//! the first one that is believed, ends the run. Within it the first result of a method counts.
//!
//! The verdict is DMARC's where the server asked it (RFC 7489); else a DKIM signature or an SPF sender counts that is
//! aligned with the writer's domain. Decided against checking signatures here: that needs DNS at the moment of
//! arrival, and the mailbox's server has done it. Decided against a list of public suffixes: domains are aligned if
//! they are equal or one lies below the other, which is stricter than RFC 7489's relaxed mode and never weaker.

use crate::letter::{Address, Letter};
use model::Verdict;

/// Results read of one field; servers write four.
const MOST_RESULTS: usize = 32;
/// Bytes read of one field.
const MOST_BYTES: usize = 8 << 10;

/// What the server called `authserv_id` says of the writer; [`Verdict::Unknown`] where that is empty or the server
/// says nothing.
pub fn verdict(letter: &Letter, authserv_id: &str) -> Verdict {
    let fields = believed(letter, authserv_id);
    if fields.is_empty() {
        return Verdict::Unknown;
    }
    let results: Vec<Outcome> = fields.into_iter().flat_map(|field| field.results).collect();
    let domain = letter.from.first().and_then(domain_of).unwrap_or_default();
    let first = |method: &str| results.iter().find(|result| result.method == method);
    let names_writer =
        |dmarc: &&Outcome| dmarc.property("header.from").is_none_or(|from| aligned(from, &domain));
    match first("dmarc").filter(names_writer).map(|dmarc| dmarc.result.as_str()) {
        Some("pass") => return Verdict::Pass,
        Some("fail") => return Verdict::Fail,
        _ => {}
    }
    let signed = |one: &Outcome| one.method == "dkim" && one.result == "pass" && one.speaks_for(&domain);
    let spf = first("spf").filter(|spf| spf.speaks_for(&domain)).map(|spf| spf.result.as_str());
    match spf {
        _ if results.iter().any(signed) => Verdict::Pass,
        Some("pass") => Verdict::Pass,
        Some("fail" | "hardfail") => Verdict::Fail,
        _ => Verdict::None,
    }
}

/// What a field calls its server: what an administrator is offered as the authserv-id of a mailbox.
pub fn server(field: &str) -> Option<String> {
    let server = Field::read(field)?.server;
    (!server.is_empty()).then_some(server)
}

/// The run of fields that are believed.
fn believed(letter: &Letter, authserv_id: &str) -> Vec<Field> {
    let mut run = Vec::new();
    let is_ours = |field: &Field| !authserv_id.is_empty() && field.server.eq_ignore_ascii_case(authserv_id);
    for (name, value) in letter.headers.iter() {
        let is_results = name.eq_ignore_ascii_case("authentication-results");
        match is_results.then(|| Field::read(value)).flatten().filter(is_ours) {
            Some(field) => run.push(field),
            None if run.is_empty() => {}
            None if is_results || name.eq_ignore_ascii_case("received") => break,
            None => {}
        }
    }
    run
}

/// One field, understood.
#[derive(Debug, PartialEq, Eq)]
struct Field {
    /// The authserv-id.
    server: String,
    results: Vec<Outcome>,
}

/// What one method found.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    /// Lower case, without a version.
    method: String,
    /// Lower case.
    result: String,
    /// `ptype.property` in lower case, and its value.
    properties: Vec<(String, String)>,
}

impl Outcome {
    fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Whether the domain it checked stands for the writer's.
    fn speaks_for(&self, domain: &str) -> bool {
        let names: &[&str] = match self.method.as_str() {
            "dkim" => &["header.d", "header.i"],
            _ => &["smtp.mailfrom", "smtp.mfrom"],
        };
        names.iter().find_map(|name| self.property(name)).is_some_and(|value| aligned(value, domain))
    }
}

impl Field {
    /// `None` where it does not begin with a name.
    fn read(value: &str) -> Option<Field> {
        let value = &value[..value.floor_char_boundary(MOST_BYTES)];
        let mut parts = parts(value).into_iter();
        let mut head = parts.next()?.into_iter();
        let server = head.next().filter(|word| word != "=")?;
        // Some write no name of their own: `spf=pass …; dkim=…`.
        if head.next().is_some_and(|word| word == "=") {
            return None;
        }
        Some(Field { server, results: parts.filter_map(outcome).take(MOST_RESULTS).collect() })
    }
}

fn outcome(words: Vec<String>) -> Option<Outcome> {
    let mut pairs = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let (Some(name), Some(value)) = (at.checked_sub(1).and_then(|at| words.get(at)), words.get(at + 1))
        else {
            continue;
        };
        if word == "=" {
            pairs.push((name.to_lowercase(), value.to_lowercase()));
        }
    }
    let mut pairs = pairs.into_iter();
    let (method, result) = pairs.next()?;
    let method = method.split('/').next().unwrap_or_default().to_owned();
    Some(Outcome { method, result, properties: pairs.collect() })
}

/// The parts between semicolons as words and `=`; comments are left out, quotes taken off.
fn parts(value: &str) -> Vec<Vec<String>> {
    let (mut parts, mut words, mut word) = (Vec::new(), Vec::new(), String::new());
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for c in value.chars() {
        match c {
            _ if escaped => {
                escaped = false;
                if depth == 0 {
                    word.push(c);
                }
            }
            '\\' if quoted || depth > 0 => escaped = true,
            '"' if depth == 0 => quoted = !quoted,
            _ if quoted => word.push(c),
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            ';' | '=' | ' ' | '\t' | '\r' | '\n' => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                match c {
                    ';' => parts.push(std::mem::take(&mut words)),
                    '=' => words.push("=".to_owned()),
                    _ => {}
                }
            }
            _ => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    parts.push(words);
    parts
}

fn domain_of(address: &Address) -> Option<String> {
    Some(address.key().rsplit_once('@')?.1.to_owned())
}

/// Whether the domain in `value` (`d`, `@d` or `somebody@d`) is `domain`, or one lies below the other.
fn aligned(value: &str, domain: &str) -> bool {
    let value = value.rsplit('@').next().unwrap_or(value).trim_end_matches('.').to_lowercase();
    let below = |lower: &str, upper: &str| {
        upper.contains('.')
            && lower.strip_suffix(upper).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    below(&value, domain) || below(domain, &value)
}

#[cfg(test)]
mod tests;
