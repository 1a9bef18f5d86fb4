//! Lays text out in lines: owed line breaks, collapsed white space, quote marks.
//!
//! Nothing is written before the next visible character: breaks, spaces, a list mark and the quote
//! prefix are owed until then, so empty elements leave no traces.

use super::MAX_TEXT_BYTES;

/// Deepest quoting that is marked with its own `>`; deeper text keeps this many.
const MAX_QUOTES: usize = 16;
/// Most line ends in a row outside `pre`: one blank line.
const MAX_BREAKS: usize = 2;

#[derive(Default)]
pub(super) struct Writer {
    out: String,
    /// Line ends owed before the next character.
    breaks: usize,
    /// White space owed before the next character of the same line.
    gap: Option<char>,
    /// An invisible joiner, kept only between two visible characters.
    joiner: Option<char>,
    /// Mark of a list item, owed at the start of its line.
    mark: Option<String>,
    quotes: usize,
    /// Quote depth of the line being written.
    line_quotes: usize,
    pre: usize,
    /// A cell of the current table row has begun.
    row_begun: bool,
    /// Where the text of the current cell begins.
    cell_start: usize,
    /// Nothing was written in the current cell yet.
    cell_empty: bool,
}

impl Writer {
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    /// What was written after `start`, a former [`Writer::len`].
    pub(super) fn since(&self, start: usize) -> &str {
        self.out.get(start..).unwrap_or("")
    }

    pub(super) fn finish(mut self) -> String {
        self.out.truncate(self.out.trim_end().len());
        self.out
    }

    pub(super) fn text(&mut self, text: &str) {
        for c in text.chars() {
            self.char(c);
        }
    }

    fn char(&mut self, c: char) {
        match c {
            '\n' if self.pre > 0 => self.breaks = (self.breaks + 1).min(MAX_BREAKS + 1),
            ' ' | '\t' if self.pre > 0 => self.put(c),
            ' ' | '\t' | '\n' | '\r' | '\u{c}' | '\u{a0}' | '\u{2007}' | '\u{202f}' => {
                self.joiner = None;
                self.gap.get_or_insert(' ');
            }
            // ZWNJ and ZWJ shape Persian, Indic scripts and emoji; as padding they mean nothing.
            '\u{200c}' | '\u{200d}' => self.joiner = Some(c),
            '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{34f}' | '\u{180e}' => {}
            c if c.is_control() => {}
            c => self.put(c),
        }
    }

    fn put(&mut self, c: char) {
        if self.out.len() >= MAX_TEXT_BYTES {
            return;
        }
        let joiner = self.joiner.take();
        self.cell_empty = false;
        if self.breaks > 0 || self.out.is_empty() {
            self.begin_line();
        } else if let Some(gap) = self.gap.take() {
            self.out.push(gap);
        } else if let Some(joiner) = joiner {
            self.out.push(joiner);
        }
        self.out.push(c);
    }

    fn begin_line(&mut self) {
        if !self.out.is_empty() {
            let between = self.line_quotes.min(self.quotes).min(MAX_QUOTES);
            for _ in 1..self.breaks {
                self.out.push('\n');
                self.out.extend(std::iter::repeat_n('>', between));
            }
            self.out.push('\n');
        }
        self.breaks = 0;
        self.gap = None;
        self.line_quotes = self.quotes;
        self.out.extend(std::iter::repeat_n('>', self.quotes.min(MAX_QUOTES)));
        if self.quotes > 0 {
            self.out.push(' ');
        }
        if let Some(mark) = self.mark.take() {
            self.out.push_str(&mark);
        }
    }

    /// Ends the line; `breaks` is 1 for a new line, 2 for a blank line between.
    pub(super) fn block(&mut self, breaks: usize) {
        if self.cell_empty {
            return;
        }
        self.breaks = self.breaks.max(breaks);
        self.gap = None;
        self.joiner = None;
    }

    pub(super) fn line_break(&mut self) {
        self.breaks = (self.breaks + 1).min(MAX_BREAKS);
        self.gap = None;
    }

    pub(super) fn open_quote(&mut self) {
        self.block(1);
        self.quotes += 1;
    }

    pub(super) fn close_quote(&mut self) {
        self.block(if self.quotes == 1 { 2 } else { 1 });
        self.quotes = self.quotes.saturating_sub(1);
    }

    pub(super) fn open_pre(&mut self) {
        self.block(1);
        self.pre += 1;
    }

    pub(super) fn close_pre(&mut self) {
        self.pre = self.pre.saturating_sub(1);
        self.block(1);
    }

    pub(super) fn item(&mut self, mark: String) {
        self.block(1);
        self.mark = Some(mark);
    }

    pub(super) fn row(&mut self) {
        if self.cell_is_one_line() {
            self.breaks = 1;
        }
        self.cell_empty = false;
        self.row_begun = false;
        self.block(1);
    }

    /// A cell begins. After a cell of one line it stands beside it, after a tab: word processors
    /// put a paragraph in every cell. After more it stands below.
    pub(super) fn cell(&mut self) {
        if self.row_begun && (self.breaks == 0 || self.cell_is_one_line()) {
            self.breaks = 0;
            self.gap = Some('\t');
        }
        self.row_begun = true;
        self.cell_empty = true;
        self.cell_start = self.out.len();
    }

    fn cell_is_one_line(&self) -> bool {
        // The line end before the cell's first character is written with that character.
        let cell = self.since(self.cell_start).trim_start_matches('\n');
        self.row_begun && !cell.contains('\n')
    }

    /// A horizontal rule: clients put one above the header of a quoted message.
    pub(super) fn rule(&mut self) {
        self.block(1);
        if !self.out.is_empty() {
            self.text("________________________________");
        }
        self.block(1);
    }
}
