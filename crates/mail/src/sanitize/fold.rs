//! Folds quoted history and signatures in HTML that was made safe: `<details>` around what
//! [`crate::quote`] does not take for the writer's words. Nothing is cut.
//!
//! The HTML is read as lines, each with its place; the lines are judged as those of a plain text are,
//! so both fold alike, whatever marks a client left in its classes. A fold begins and ends as far
//! out as both its edges can be. Elements that reach over its edge are closed before and opened again
//! behind, but for tables, which cannot be: there nothing is folded.
//!
//! Decided against marks of clients (`gmail_quote`, `divRplyFwdMsg`, `moz-cite-prefix`): they say where a
//! quote begins and not where the writer goes on, and every client has its own.

use std::ops::Range;

use crate::quote::{self, Kind};

/// Most folds in one letter.
const MAX_FOLDS: usize = 100;
/// The folded HTML may be longer by this, in bytes: elements are opened again.
const MAX_GROWTH_BYTES: usize = 256 << 10;

const OPEN: &str = "<details><summary>•••</summary>";
const CLOSE: &str = "</details>";

/// Elements that begin a line.
#[rustfmt::skip]
const BLOCKS: &[&str] = &[
    "address", "article", "aside", "blockquote", "caption", "center", "dd", "details", "dir", "div", "dl",
    "dt", "figcaption", "figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "li", "main",
    "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul",
];
/// Those with space around them.
const SPACED: &[&str] =
    &["blockquote", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"];
/// What may hold a fold.
const HOLDERS: &[&str] = &[
    "article",
    "aside",
    "blockquote",
    "center",
    "dd",
    "div",
    "footer",
    "header",
    "main",
    "section",
    "td",
    "th",
];
/// What cannot be closed and opened again.
#[rustfmt::skip]
const WHOLE: &[&str] = &[
    "caption", "col", "colgroup", "details", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
];
const VOID: &[&str] = &["br", "col", "hr", "img", "wbr"];

/// The HTML with folds; `None` where there is nothing to fold. `html` is what ammonia serialised.
pub(super) fn fold(html: &str) -> Option<String> {
    let page = Page::read(html);
    let folds = page.folds();
    if folds.is_empty() {
        return None;
    }
    let mut out = String::with_capacity(html.len() + 1024);
    let mut at = 0;
    for fold in folds {
        for edge in [fold.begin, fold.end] {
            out.push_str(&html[at..edge.at]);
            out.push_str(&edge.insert);
            at = edge.at;
            if out.len() > at + MAX_GROWTH_BYTES {
                return None;
            }
        }
    }
    out.push_str(&html[at..]);
    Some(out)
}

/// A tag or a run of text.
struct Event<'a> {
    range: Range<usize>,
    /// Of the element; empty for text.
    name: &'a str,
    kind: EventKind,
    /// The event that opened the element around it.
    parent: Option<usize>,
    depth: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum EventKind {
    Open,
    Close,
    /// An element without an end tag.
    Void,
    /// A text, or a line of one in `pre`.
    Text,
}

/// A line, and the first and last event that shows something on it.
#[derive(Default)]
struct Line {
    text: String,
    shown: Option<(usize, usize)>,
}

struct Page<'a> {
    html: &'a str,
    events: Vec<Event<'a>>,
    lines: Vec<Line>,
}

/// Where something is put in.
struct Edge {
    at: usize,
    insert: String,
}

struct Fold {
    begin: Edge,
    end: Edge,
}

impl<'a> Page<'a> {
    fn read(html: &'a str) -> Page<'a> {
        let events = events(html);
        let mut page = Page { html, events, lines: Vec::new() };
        page.lines = page.read_lines();
        page
    }

    fn read_lines(&self) -> Vec<Line> {
        let mut lines = vec![Line::default()];
        let (mut quotes, mut preformatted) = (0_usize, 0_usize);
        for (index, event) in self.events.iter().enumerate() {
            let opens = event.kind == EventKind::Open;
            let change = |count: usize| if opens { count + 1 } else { count.saturating_sub(1) };
            if BLOCKS.contains(&event.name) {
                break_line(&mut lines, SPACED.contains(&event.name));
            }
            match (event.name, event.kind) {
                ("blockquote", _) => quotes = change(quotes),
                ("pre", _) => preformatted = change(preformatted),
                ("br", _) => lines.push(Line::default()),
                ("td" | "th", EventKind::Close) => push(&mut lines, quotes, " "),
                ("hr", _) => {
                    break_line(&mut lines, false);
                    push(&mut lines, quotes, "________________");
                    show(&mut lines, index);
                    break_line(&mut lines, false);
                }
                ("img", _) => show(&mut lines, index),
                (_, EventKind::Text) => self.text(index, quotes, preformatted > 0, &mut lines),
                _ => {}
            }
        }
        lines
    }

    fn text(&self, index: usize, quotes: usize, preformatted: bool, lines: &mut Vec<Line>) {
        let text = &self.html[self.events[index].range.clone()];
        let blank = text.trim_matches(|c: char| c.is_ascii_whitespace()).replace("&nbsp;", "").is_empty();
        let decoded =
            text.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ").replace("&amp;", "&");
        let words: Vec<&str> = decoded.split_ascii_whitespace().collect();
        let begins_apart = decoded.starts_with(|c: char| c.is_ascii_whitespace());
        if begins_apart || blank {
            push(lines, quotes, " ");
        }
        if !blank {
            push(lines, quotes, &words.join(" "));
            if decoded.ends_with(|c: char| c.is_ascii_whitespace()) {
                push(lines, quotes, " ");
            }
            show(lines, index);
        }
        if preformatted && text.ends_with('\n') {
            lines.push(Line::default());
        }
    }

    /// What is folded: neighbouring lines that are not the writer's. Of a letter without any words of
    /// its writer, and of what it forwards, nothing.
    fn folds(&self) -> Vec<Fold> {
        let mut text = String::new();
        let mut starts = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            starts.push(text.len());
            text.push_str(line.text.trim_end());
            text.push('\n');
        }
        let parts = quote::parts(&text);
        let wrote =
            parts.iter().any(|part| part.kind == Kind::Reply && !text[part.range.clone()].trim().is_empty());
        let mut folds = Vec::new();
        let mut run: Option<(usize, usize)> = None;
        for part in parts.iter().filter(|_| wrote) {
            let lines = starts.partition_point(|&at| at < part.range.start)
                ..starts.partition_point(|&at| at < part.range.end);
            let shown = self.lines[lines].iter().filter_map(|line| line.shown);
            let Some((first, last)) = shown.reduce(|all, line| (all.0, line.1)) else { continue };
            let piece = &text[part.range.clone()];
            if part.kind == Kind::Reply || quote::is_forward(piece) {
                folds.extend(run.take());
            } else {
                run = Some((run.map_or(first, |run| run.0), last));
            }
        }
        folds.extend(run);
        folds.into_iter().take(MAX_FOLDS).filter_map(|(first, last)| self.folded(first, last)).collect()
    }

    fn folded(&self, first: usize, last: usize) -> Option<Fold> {
        let shows = |index: &usize| self.shows(*index);
        let before = (0..first).rev().find(shows).map_or(0, |index| index + 1);
        let behind = (last + 1..self.events.len()).find(shows).unwrap_or(self.events.len());
        let fewest = |places: Range<usize>| places.map(|at| self.depth(at)).min();
        // Both edges on one level, as far out as both can be.
        let level = fewest(before..first + 1)?.max(fewest(last + 1..behind + 1)?);
        let begin = (before..=first).rev().find(|&at| self.depth(at) <= level)?;
        let end = (last + 1..=behind).find(|&at| self.depth(at) <= level)?;
        let (around_begin, around_end) = (self.around(begin), self.around(end));
        let common = around_begin.iter().zip(&around_end).take_while(|(one, two)| one == two).count();
        let name = |index: usize| self.events[index].name;
        let holds = |&&index: &&usize| HOLDERS.contains(&name(index)) || WHOLE.contains(&name(index));
        let kept = around_begin[..common].iter().take_while(holds).count();
        let (over_begin, over_end) = (&around_begin[kept..], &around_end[kept..]);
        if over_begin.iter().chain(over_end).any(|&index| WHOLE.contains(&name(index))) {
            return None;
        }
        Some(Fold { begin: self.edge(begin, over_begin, OPEN), end: self.edge(end, over_end, CLOSE) })
    }

    fn shows(&self, index: usize) -> bool {
        let event = &self.events[index];
        match event.kind {
            EventKind::Text => !self.html[event.range.clone()].replace("&nbsp;", "").trim().is_empty(),
            EventKind::Void => matches!(event.name, "img" | "hr"),
            _ => false,
        }
    }

    /// How many elements are open before an event.
    fn depth(&self, at: usize) -> usize {
        self.events.get(at).map_or(0, |event| event.depth + usize::from(event.kind == EventKind::Close))
    }

    /// The elements that are open before an event, outermost first.
    fn around(&self, at: usize) -> Vec<usize> {
        let Some(event) = self.events.get(at) else { return Vec::new() };
        let mut around: Vec<usize> =
            std::iter::successors(event.parent, |&index| self.events[index].parent).collect();
        around.reverse();
        around
    }

    /// Closes what reaches over the edge, and opens it again behind it.
    fn edge(&self, at: usize, over: &[usize], mark: &str) -> Edge {
        let mut insert = String::new();
        for &index in over.iter().rev() {
            insert.push_str("</");
            insert.push_str(self.events[index].name);
            insert.push('>');
        }
        insert.push_str(mark);
        over.iter().for_each(|&index| insert.push_str(&self.html[self.events[index].range.clone()]));
        let at = self.events.get(at).map_or(self.html.len(), |event| event.range.start);
        Edge { at, insert }
    }
}

fn break_line(lines: &mut Vec<Line>, spaced: bool) {
    if lines.last().is_some_and(|line| !line.text.trim().is_empty() || line.shown.is_some()) {
        lines.push(Line::default());
        if spaced {
            lines.push(Line::default());
        }
    }
}

fn push(lines: &mut [Line], quotes: usize, text: &str) {
    if let Some(line) = lines.last_mut() {
        if line.text.is_empty() && quotes > 0 {
            line.text.push_str("> ");
        }
        // Layouts have blanks between their tags.
        if text != " " || !line.text.ends_with(' ') {
            line.text.push_str(text);
        }
    }
}

fn show(lines: &mut [Line], index: usize) {
    if let Some(line) = lines.last_mut() {
        line.shown = Some((line.shown.map_or(index, |shown| shown.0), index));
    }
}

/// Tags and texts. The HTML is ammonia's: every `<` begins a tag, values stand in double quotes.
fn events(html: &str) -> Vec<Event<'_>> {
    let mut events: Vec<Event<'_>> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut at = 0;
    let mut preformatted = 0_usize;
    while at < html.len() {
        let (parent, depth) = (open.last().copied(), open.len());
        if !html[at..].starts_with('<') {
            let end = at + text_length(&html[at..], preformatted > 0);
            events.push(Event { range: at..end, name: "", kind: EventKind::Text, parent, depth });
            at = end;
            continue;
        }
        let end = at + tag_length(&html[at..]);
        let tag = &html[at..end];
        let name = tag[1..].trim_start_matches('/');
        let name = &name[..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())];
        let kind = match () {
            () if tag.starts_with("</") => EventKind::Close,
            () if VOID.contains(&name) => EventKind::Void,
            () => EventKind::Open,
        };
        match kind {
            EventKind::Open => open.push(events.len()),
            EventKind::Close => drop(open.pop()),
            _ => {}
        }
        let is_pre = usize::from(name == "pre");
        preformatted = if kind == EventKind::Open {
            preformatted + is_pre
        } else {
            preformatted - is_pre.min(preformatted)
        };
        let depth = if kind == EventKind::Close { open.len() } else { depth };
        events.push(Event { range: at..end, name, kind, parent, depth });
        at = end;
    }
    events
}

/// Up to the next tag; in `pre` a line at a time.
fn text_length(rest: &str, preformatted: bool) -> usize {
    let tag = rest.find('<').unwrap_or(rest.len());
    let line = rest[..tag].find('\n').filter(|_| preformatted);
    line.map_or(tag, |line| line + 1)
}

fn tag_length(rest: &str) -> usize {
    let mut quoted = false;
    let end = rest.bytes().position(|byte| {
        quoted ^= byte == b'"';
        byte == b'>' && !quoted
    });
    end.map_or(rest.len(), |end| end + 1)
}

#[cfg(test)]
mod tests;
