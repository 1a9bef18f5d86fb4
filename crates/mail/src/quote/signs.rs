//! The shapes that introduce quotes and signatures, each judged in a bounded window of lines.

use std::ops::Range;

use super::words::{self, Key};

/// Most lines an attribution is wrapped to.
const MAX_ATTRIBUTION_LINES: usize = 4;
/// Longest attribution, in bytes; longer text is a paragraph.
const MAX_ATTRIBUTION_BYTES: usize = 400;
/// Most lines a block of header lines may take.
const MAX_HEADER_LINES: usize = 24;
/// Most lines with words in a signature; after more of them the mark was a divider.
const MAX_SIGNATURE_LINES: usize = 24;
/// Shortest quoted line that a client may have wrapped, in bytes.
const MIN_WRAPPED_BYTES: usize = 60;

/// One line of the text.
pub(super) struct Line<'a> {
    /// Its bytes in the text, with its line end.
    pub(super) range: Range<usize>,
    /// Without white space around.
    pub(super) text: &'a str,
    /// It begins with `>`.
    pub(super) quoted: bool,
}

impl Line<'_> {
    pub(super) fn is_blank(&self) -> bool {
        self.text.is_empty()
    }
}

pub(super) fn lines(text: &str) -> Vec<Line<'_>> {
    let mut at = 0;
    text.split_inclusive('\n')
        .map(|line| {
            let range = at..at + line.len();
            at = range.end;
            let text = line.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
            Line { range, text, quoted: text.starts_with('>') }
        })
        .collect()
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}' | '\u{2060}')
}

/// Where an introduction of history that begins in line `i` ends (exclusive).
///
/// `wrote` says whether the writer has said anything above.
pub(super) fn introduction(lines: &[Line<'_>], i: usize, wrote: bool) -> Option<usize> {
    attribution(lines, i)
        .or_else(|| header_block(lines, i, wrote))
        .or_else(|| words::is_separator(lines[i].text).then_some(i + 1))
}

/// "On Monday 3 May 2021 at 10:00, Ann <ann@a.example> wrote:" and the like.
fn attribution(lines: &[Line<'_>], i: usize) -> Option<usize> {
    if !may_begin_attribution(lines[i].text) {
        return None;
    }
    let mut joined = String::new();
    for (k, line) in lines.iter().enumerate().skip(i).take(MAX_ATTRIBUTION_LINES) {
        let is_other = k > i
            && begins_attribution(line.text)
            && ends_attribution(line.text)
            && words::has_date(line.text);
        if line.is_blank() || is_other || (line.quoted && !closes_address(&joined, line.text)) {
            return None;
        }
        if joined.len() + line.text.len() > MAX_ATTRIBUTION_BYTES {
            return None;
        }
        joined.push_str(line.text);
        joined.push(' ');
        if ends_attribution(line.text) && is_attribution(&joined, followed_by_quote(lines, k + 1)) {
            return Some(k + 1);
        }
    }
    None
}

/// A line such as `>:` that only looks quoted: the address above was wrapped before its `>`.
fn closes_address(above: &str, text: &str) -> bool {
    let open = above.rfind('<') > above.rfind('>');
    open && text.len() <= 40 && ends_attribution(text)
}

fn followed_by_quote(lines: &[Line<'_>], from: usize) -> bool {
    lines[from..].iter().take(4).find(|l| !l.is_blank()).is_some_and(|l| l.quoted)
}

/// A cheap look at the first line; the whole is judged by [`is_attribution`].
fn may_begin_attribution(text: &str) -> bool {
    text.len() <= MAX_ATTRIBUTION_BYTES && !text.starts_with(['-', '*']) || begins_attribution(text)
}

fn begins_attribution(text: &str) -> bool {
    words::begins_attribution(undecorated(text))
}

/// Without the dashes and bullets some clients put around an attribution.
fn undecorated(text: &str) -> &str {
    text.trim_matches(|c: char| matches!(c, '-' | '*' | '_' | '|') || c.is_whitespace())
}

fn ends_attribution(text: &str) -> bool {
    let text = undecorated(text);
    text.ends_with([':', '：']) || words::ends_with_wrote(text) || ends_with_address(text)
}

/// "2021-05-03 Ann <ann@a.example>", as some clients attribute without a verb or a colon.
fn ends_with_address(text: &str) -> bool {
    text.ends_with('>') && text.rfind('<').is_some_and(|i| words::has_address(&text[i..]))
}

fn is_attribution(joined: &str, followed_by_quote: bool) -> bool {
    let text = undecorated(joined);
    let text = text.strip_suffix([':', '：']).map_or(text, str::trim_end);
    let dated = words::has_date(text);
    let address = words::has_address(text);
    if words::begins_citation(text) {
        return address || followed_by_quote;
    }
    if !dated && !followed_by_quote {
        return false;
    }
    let begins = words::begins_attribution(text);
    let wrote = words::has_wrote(text);
    if followed_by_quote {
        // A quote follows: a name and a verb are enough, but not a sentence of the writer's.
        let short = text.split_whitespace().count() <= 5;
        return (wrote && (begins || dated || address || (short && words::ends_with_wrote(text))))
            || (dated && address);
    }
    // Nothing is marked as quoted, so all that follows will count as history: be sure.
    let no_colon = ends_with_address(text) && text.len() == undecorated(joined).len();
    !no_colon && ((wrote && (begins || address)) || (address && begins))
}

/// "From: … Sent: … To: … Subject: …" as Outlook and others put above unmarked history.
fn header_block(lines: &[Line<'_>], i: usize, wrote: bool) -> Option<usize> {
    words::header_key(lines[i].text)?;
    let mut seen = Seen::default();
    let mut end = i;
    let mut loose = 0;
    for (k, line) in lines.iter().enumerate().skip(i).take(MAX_HEADER_LINES) {
        if line.quoted {
            break;
        }
        match words::header_key(line.text) {
            Some(key) => {
                seen.add(key, line.text);
                end = k + 1;
                loose = 0;
            }
            // A value may be wrapped; a blank line may stand between double-spaced lines.
            None => {
                loose += 1;
                seen.address |= loose == 1 && words::has_address(line.text);
                if loose > if line.is_blank() { 1 } else { 3 } {
                    break;
                }
            }
        }
    }
    seen.is_history(wrote).then_some(end)
}

/// Which header lines a block has.
#[derive(Default)]
struct Seen {
    from: bool,
    sent: bool,
    to: bool,
    subject: bool,
    address: bool,
}

impl Seen {
    fn add(&mut self, key: Key, text: &str) {
        match key {
            Key::From => self.from = true,
            Key::Sent => self.sent = true,
            Key::To => self.to = true,
            Key::Subject => self.subject = true,
        }
        self.address |= words::has_address(text);
    }

    /// A form or a travel plan also has "From:" and "Date:"; only mail has the rest. At the top of
    /// a letter the same lines may be a contact form's, which no one has "sent".
    fn is_history(&self, wrote: bool) -> bool {
        let subject = self.subject && (self.sent || (wrote && self.to && self.address));
        let dated = wrote && self.sent && self.address;
        self.from && (subject || dated)
    }
}

/// The first line of the quote that begins with line `i`, counting a divider line above it.
pub(super) fn with_separator(lines: &[Line<'_>], i: usize) -> usize {
    let above = lines[..i].iter().rposition(|l| !l.is_blank());
    match above {
        Some(k) if i - k <= 3 && is_divider(lines[k].text) => k,
        _ => i,
    }
}

/// The first line of the `>` lines that begin with line `i`, counting a rule of full width right
/// above; a shorter one may be the writer's.
pub(super) fn with_rule(lines: &[Line<'_>], i: usize) -> usize {
    let above = i.checked_sub(1).filter(|&k| is_divider(lines[k].text) && lines[k].text.len() >= 20);
    above.unwrap_or(i)
}

/// A line of nothing but dashes and the like.
fn is_divider(text: &str) -> bool {
    text.chars().count() >= 3 && text.chars().all(|c| matches!(c, '-' | '_' | '=' | '*' | '—' | '–' | '─'))
}

/// "-- " or "--" (RFC 3676 4.3).
pub(super) fn is_mark(line: &Line<'_>) -> bool {
    line.text == "--"
}

/// Whether below the mark in line `i` is no more than a signature has.
pub(super) fn begins_signature(lines: &[Line<'_>], i: usize) -> bool {
    let mut with_words = 0;
    for (k, line) in lines.iter().enumerate().skip(i + 1) {
        if line.quoted || (!line.is_blank() && introduction(lines, k, true).is_some()) {
            break;
        }
        with_words += usize::from(!line.is_blank());
        if with_words > MAX_SIGNATURE_LINES {
            return false;
        }
    }
    true
}

/// A divider with the footer of a mailing list below it.
pub(super) fn list_footer(lines: &[Line<'_>], i: usize) -> bool {
    let text = lines[i].text;
    let is_mark = text.len() >= 2 && text.bytes().all(|b| b == b'_');
    let below = || lines[i + 1..].iter().take(8).filter(|l| !l.is_blank());
    is_mark && below().count() <= 6 && below().any(|l| words::is_list_footer(l.text))
}

/// "Sent from my phone" on a line of its own.
pub(super) fn mobile_mark(lines: &[Line<'_>], i: usize) -> bool {
    let alone = i == 0 || lines[i - 1].is_blank() || is_divider(lines[i - 1].text);
    alone && words::is_mobile_mark(lines[i].text)
}

/// Whether line `i` is the rest of the quoted line above it, wrapped without a mark.
pub(super) fn is_wrapped_rest(lines: &[Line<'_>], i: usize) -> bool {
    let (Some(line), Some(above)) = (lines.get(i), lines.get(i.wrapping_sub(1))) else {
        return false;
    };
    let quote_goes_on = lines.get(i + 1).is_some_and(|l| l.quoted);
    // A sentence that ended may have been answered.
    let open = !above.text.ends_with(['.', '?', '!', ':', ';']);
    !line.quoted
        && quote_goes_on
        && open
        && above.text.len() >= MIN_WRAPPED_BYTES
        && line.text.chars().next().is_some_and(char::is_lowercase)
}
