//! Splits what a letter's writer added from quoted history and signatures.
//!
//! [`parts`] marks ranges of the plain text, it never deletes: the interface folds what is not
//! [`Kind::Reply`], search and rules may look at [`reply_text`]. Text between `>` quotes is the
//! writer's. Where the signs are weak the text counts as the writer's: losing somebody's words is
//! worse than showing a quote.
//!
//! Recognised are `>` lines, attributions ("On … wrote:", up to four lines, by a date, an address
//! and a verb of writing in many languages), blocks of header lines ("Od: … Odesláno: …"),
//! separators ("-----Original Message-----"), and signatures ("-- ", "Sent from my …", list
//! footers). The words are tables in [`words`]; the shapes are in [`signs`].
//!
//! Decided against regular expressions per language (as the known reply parsers do): each new
//! client breaks them, while date, address, verb and colon carry over. Decided against cutting
//! closings ("Best regards, Ann"): they are the writer's words.
//!
//! Linear: each line is looked at with a bounded window (RFC 3676 4.3 for the signature mark).

mod signs;
mod words;

use std::ops::Range;

use signs::Line;

/// What a range of a letter's text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What the writer added.
    Reply,
    /// Quoted history with the line that introduces it.
    Quote,
    /// Signature, mark of a mobile client, footer of a list.
    Signature,
}

/// A range of whole lines of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Bytes of the text; the parts of a text follow one another without gaps.
    pub range: Range<usize>,
    /// What it is.
    pub kind: Kind,
}

/// The parts of a plain text, in order; together they are the whole text.
pub fn parts(text: &str) -> Vec<Part> {
    let lines = signs::lines(text);
    let kinds = Marker::new(&lines).mark();
    let mut parts: Vec<Part> = Vec::new();
    for (line, kind) in lines.iter().zip(kinds) {
        match parts.last_mut() {
            Some(part) if part.kind == kind => part.range.end = line.range.end,
            _ => parts.push(Part { range: line.range.clone(), kind }),
        }
    }
    parts
}

/// What the writer added, without quotes and signature; empty if that is nothing.
///
/// Pieces between quotes are joined by one line end, or two where blank lines stood on both sides.
pub fn reply_text(text: &str) -> String {
    let mut out = String::new();
    let mut blank_before = false;
    for part in parts(text).iter().filter(|p| p.kind == Kind::Reply) {
        let piece = &text[part.range.clone()];
        let body = trim_blank_lines(piece);
        if body.is_empty() {
            continue;
        }
        if !out.is_empty() {
            let blank_after = piece.trim_start_matches([' ', '\t']).starts_with(['\n', '\r']);
            out.push_str(if blank_before && blank_after { "\n\n" } else { "\n" });
        }
        out.push_str(body);
        let tail = &piece[piece.trim_end().len()..];
        blank_before = tail.matches('\n').count() > 1;
    }
    out
}

/// Whether a quote is a message that is passed on, which one reads, and not history.
pub fn is_forward(quote: &str) -> bool {
    quote.lines().map(str::trim).filter(|line| !line.is_empty()).take(3).any(words::is_forward)
}

/// Without blank lines around; the indentation of the first line stays.
fn trim_blank_lines(text: &str) -> &str {
    let text = text.trim_end();
    let start = text.len() - text.trim_start().len();
    let start = text[..start].rfind('\n').map_or(0, |i| i + 1);
    &text[start..]
}

/// Dividers that look like signature marks, after which no more marks are believed.
const MAX_DIVIDERS: usize = 20;

/// Walks over the lines and marks each.
struct Marker<'a> {
    lines: &'a [Line<'a>],
    kinds: Vec<Kind>,
    /// The writer has said something.
    wrote: bool,
    /// Signature marks that turned out to be dividers.
    dividers: usize,
    /// Inside a signature, until a quote begins.
    in_signature: bool,
    /// The line after a mobile client's mark, while no quote was seen after it.
    after_mobile: Option<usize>,
}

impl<'a> Marker<'a> {
    fn new(lines: &'a [Line<'a>]) -> Self {
        Marker {
            lines,
            kinds: vec![Kind::Reply; lines.len()],
            wrote: false,
            dividers: 0,
            in_signature: false,
            after_mobile: None,
        }
    }

    fn mark(mut self) -> Vec<Kind> {
        let mut i = 0;
        while i < self.lines.len() {
            i = self.step(i);
        }
        if let Some(from) = self.after_mobile {
            self.mark_unquoted_history(from);
        }
        self.kinds
    }

    /// Marks the line, or the block that begins with it; returns the next line to look at.
    fn step(&mut self, i: usize) -> usize {
        let line = &self.lines[i];
        if line.quoted {
            return self.quote(i);
        }
        if line.is_blank() {
            self.kinds[i] = if self.in_signature { Kind::Signature } else { Kind::Reply };
            return i + 1;
        }
        if let Some(end) = signs::introduction(self.lines, i, self.wrote) {
            return self.history(i, end);
        }
        if self.in_signature {
            self.kinds[i] = Kind::Signature;
            return i + 1;
        }
        if self.is_signature_mark(i) || signs::list_footer(self.lines, i) {
            self.in_signature = true;
            self.kinds[i] = Kind::Signature;
        } else if signs::mobile_mark(self.lines, i) {
            self.kinds[i] = Kind::Signature;
            self.after_mobile.get_or_insert(i + 1);
        } else {
            self.wrote = true;
        }
        i + 1
    }

    /// A text that keeps using the mark as a divider has no signature, and is not searched for one.
    fn is_signature_mark(&mut self, i: usize) -> bool {
        if !signs::is_mark(&self.lines[i]) || self.dividers >= MAX_DIVIDERS {
            return false;
        }
        let is_mark = signs::begins_signature(self.lines, i);
        self.dividers += usize::from(!is_mark);
        is_mark
    }

    fn quote(&mut self, i: usize) -> usize {
        self.begin_quote();
        let begins = i == 0 || self.kinds[i - 1] != Kind::Quote;
        let start = if begins { signs::with_rule(self.lines, i) } else { i };
        self.kinds[start..=i].fill(Kind::Quote);
        if signs::is_wrapped_rest(self.lines, i + 1) {
            self.kinds[i + 1] = Kind::Quote;
            return i + 2;
        }
        i + 1
    }

    fn begin_quote(&mut self) {
        self.in_signature = false;
        self.after_mobile = None;
    }

    /// An introduction in lines `i..end`, and what it introduces: the `>` lines after it, or, if
    /// none follow, all that is left.
    fn history(&mut self, i: usize, end: usize) -> usize {
        self.begin_quote();
        let start = signs::with_separator(self.lines, i);
        self.kinds[start..end].fill(Kind::Quote);
        let next = (end..self.lines.len()).find(|&k| !self.lines[k].is_blank());
        match next {
            Some(k) if self.lines[k].quoted => {
                self.kinds[end..k].fill(Kind::Quote);
                k
            }
            _ => {
                self.kinds[end..].fill(Kind::Quote);
                self.lines.len()
            }
        }
    }

    /// After the mark of a mobile client and with no other sign of a quote, what is left is
    /// history that the client did not introduce; a postscript is the writer's.
    fn mark_unquoted_history(&mut self, from: usize) {
        let rest = from..self.lines.len();
        let first = rest.clone().find(|&k| !self.lines[k].is_blank());
        if first.is_some_and(|k| !words::is_postscript(self.lines[k].text)) {
            for k in rest {
                if self.kinds[k] == Kind::Reply {
                    self.kinds[k] = Kind::Quote;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
