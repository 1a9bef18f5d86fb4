//! RTF bodies: decompressed (MS-OXRTFCP), then read as the HTML they carry (MS-OXRTFEX) or as text.
//!
//! Outlook writes HTML mail as RTF with the tags in `\*\htmltag` groups; what RTF itself shows of
//! that is switched off by `\htmlrtf`. Only what a reader sees of plain RTF is kept: text, line
//! ends, tabs. Decoding follows the font's charset: Czech and Polish text often stands in
//! `\fcharset238` fonts of a document that says code page 1252.

use std::collections::HashMap;

use super::decode;

/// Longest RTF body, in bytes; compression gains at most eightfold.
const MAX_RTF_BYTES: usize = 32 << 20;
/// Deepest nesting of groups whose state is kept.
const MAX_GROUPS: usize = 1_000;

/// What the compression's dictionary holds before the first byte (MS-OXRTFCP 2.1.2.1).
const DICTIONARY: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \
\\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\
\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

/// Decompresses a body; `None` if it is none. A body that ends early gives what was there.
pub(super) fn decompress(bytes: &[u8]) -> Option<Vec<u8>> {
    let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let raw_size = (word(4)? as usize).min(MAX_RTF_BYTES);
    let content = bytes.get(16..)?;
    match word(8)? {
        // "LZFu" and "MELA".
        0x7546_5a4c => Some(expand(content, raw_size)),
        0x414c_454d => Some(content[..content.len().min(raw_size)].to_vec()),
        _ => None,
    }
}

fn expand(content: &[u8], raw_size: usize) -> Vec<u8> {
    let mut window = [b' '; 4096];
    window[..DICTIONARY.len()].copy_from_slice(DICTIONARY);
    let mut at = DICTIONARY.len();
    let mut out = Vec::with_capacity(raw_size.min(content.len() * 8));
    let mut input = content.iter().copied();
    let put = |out: &mut Vec<u8>, window: &mut [u8; 4096], byte: u8, at: &mut usize| {
        out.push(byte);
        window[*at] = byte;
        *at = (*at + 1) % 4096;
    };
    while let Some(control) = input.next() {
        for bit in 0..8 {
            if out.len() >= raw_size {
                return out;
            }
            let Some(first) = input.next() else { return out };
            if control & (1 << bit) == 0 {
                put(&mut out, &mut window, first, &mut at);
                continue;
            }
            let Some(second) = input.next() else { return out };
            let reference = usize::from(first) << 8 | usize::from(second);
            let (from, length) = (reference >> 4, (reference & 15) + 2);
            // A reference to the place being written ends the body.
            if from == at {
                return out;
            }
            for k in 0..length {
                let byte = window[(from + k) % 4096];
                put(&mut out, &mut window, byte, &mut at);
            }
        }
    }
    out
}

/// What a reader sees of an RTF body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    Html(String),
    Text(String),
}

pub(super) fn body(rtf: &[u8]) -> Body {
    let head = &rtf[..rtf.len().min(4096)];
    let is_html = head.windows(9).any(|w| w == b"\\fromhtml");
    let mut document = Document::new(is_html);
    document.read(rtf);
    let text = document.finish();
    if is_html { Body::Html(text) } else { Body::Text(text.trim().to_owned()) }
}

/// State that ends with its group.
#[derive(Clone, Copy)]
struct Group {
    /// Nothing of this group is shown (font table, styles, pictures).
    hidden: bool,
    /// Inside `\*\htmltag`: the text is markup.
    tag: bool,
    /// Between `\htmlrtf` and `\htmlrtf0`: only RTF readers show it.
    rtf_only: bool,
    in_fonts: bool,
    font: i32,
    /// Characters that stand for a `\u` one in readers without Unicode.
    skip: usize,
}

struct Document {
    is_html: bool,
    out: String,
    /// Bytes in the current font's code page, not yet decoded.
    pending: Vec<u8>,
    group: Group,
    outer: Vec<Group>,
    /// Groups beyond [`MAX_GROUPS`] that are still open.
    uncounted: usize,
    codepage: u32,
    /// Code pages of the fonts that name a charset.
    fonts: HashMap<i32, u32>,
    /// Bytes to pass over after a `\u`.
    to_skip: usize,
    /// First half of a character beyond the basic plane.
    surrogate: Option<u16>,
    /// The last control was `\*`.
    starred: bool,
}

impl Document {
    fn new(is_html: bool) -> Self {
        let group = Group { hidden: false, tag: false, rtf_only: false, in_fonts: false, font: -1, skip: 1 };
        Document {
            is_html,
            out: String::new(),
            pending: Vec::new(),
            group,
            outer: Vec::new(),
            uncounted: 0,
            codepage: 1252,
            fonts: HashMap::new(),
            to_skip: 0,
            surrogate: None,
            starred: false,
        }
    }

    fn finish(mut self) -> String {
        self.flush();
        self.out
    }

    fn read(&mut self, rtf: &[u8]) {
        let mut at = 0;
        while let Some(&byte) = rtf.get(at) {
            at += 1;
            match byte {
                b'{' => self.open(),
                b'}' => self.close(),
                b'\\' => at = self.control(rtf, at),
                b'\r' | b'\n' => {}
                _ => self.byte(byte),
            }
        }
    }

    fn open(&mut self) {
        self.flush();
        if self.outer.len() < MAX_GROUPS {
            self.outer.push(self.group);
        } else {
            self.uncounted += 1;
        }
        self.starred = false;
        self.to_skip = 0;
    }

    fn close(&mut self) {
        self.flush();
        if self.uncounted > 0 {
            self.uncounted -= 1;
        } else if let Some(group) = self.outer.pop() {
            self.group = group;
        }
        self.to_skip = 0;
    }

    /// Reads the control at `at`, after its backslash; returns where it ends.
    fn control(&mut self, rtf: &[u8], at: usize) -> usize {
        let Some(&first) = rtf.get(at) else { return at };
        if first == b'\'' {
            let hex = rtf.get(at + 1..at + 3).and_then(|h| std::str::from_utf8(h).ok());
            if let Some(byte) = hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
                self.byte(byte);
            }
            return (at + 3).min(rtf.len());
        }
        if !first.is_ascii_alphabetic() {
            self.symbol(first);
            return at + 1;
        }
        let word_end = end_of(rtf, at, 32, u8::is_ascii_alphabetic);
        let minus = usize::from(rtf.get(word_end) == Some(&b'-'));
        let number_end = end_of(rtf, word_end + minus, 10, u8::is_ascii_digit);
        let word = std::str::from_utf8(&rtf[at..word_end]).unwrap_or("");
        let number = std::str::from_utf8(&rtf[word_end..number_end]).unwrap_or("").parse().ok();
        let end = if number.is_some() { number_end } else { word_end };
        self.word(word, number);
        // One blank after a control belongs to it.
        end + usize::from(rtf.get(end) == Some(&b' '))
    }

    fn symbol(&mut self, symbol: u8) {
        match symbol {
            b'*' => self.starred = true,
            b'~' => self.show("\u{a0}"),
            b'_' => self.show("-"),
            b'\n' | b'\r' => self.show_break(),
            b'{' | b'}' | b'\\' => self.byte(symbol),
            _ => {}
        }
    }

    fn word(&mut self, word: &str, number: Option<i32>) {
        let starred = std::mem::take(&mut self.starred);
        match word {
            "htmltag" if starred => (self.group.tag, self.group.hidden) = (true, false),
            "htmlrtf" => {
                self.flush();
                self.group.rtf_only = number != Some(0);
            }
            "fonttbl" => (self.group.in_fonts, self.group.hidden) = (true, true),
            "colortbl" | "stylesheet" | "info" | "pict" | "object" | "mhtmltag" => self.group.hidden = true,
            _ if starred => self.group.hidden = true,
            "ansicpg" => self.codepage = number.and_then(|n| n.try_into().ok()).unwrap_or(1252),
            "f" => {
                self.flush();
                self.group.font = number.unwrap_or(0);
            }
            "fcharset" if self.group.in_fonts => {
                if let (Some(codepage), true) = (charset_codepage(number), self.fonts.len() < 10_000) {
                    self.fonts.insert(self.group.font, codepage);
                }
            }
            "uc" => self.group.skip = number.and_then(|n| n.try_into().ok()).unwrap_or(1).min(16),
            "u" => self.unicode(number.unwrap_or(0)),
            "par" | "line" => self.show_break(),
            "tab" | "cell" => self.show("\t"),
            "row" => self.show("\n"),
            "emdash" => self.show("—"),
            "endash" => self.show("–"),
            "lquote" => self.show("‘"),
            "rquote" => self.show("’"),
            "ldblquote" => self.show("“"),
            "rdblquote" => self.show("”"),
            "bullet" => self.show("•"),
            _ => {}
        }
    }

    fn is_shown(&self) -> bool {
        !self.group.hidden && !self.group.rtf_only
    }

    fn byte(&mut self, byte: u8) {
        self.starred = false;
        if self.to_skip > 0 {
            self.to_skip -= 1;
        } else if self.is_shown() {
            self.surrogate = None;
            self.pending.push(byte);
        }
    }

    fn show(&mut self, text: &str) {
        if self.is_shown() && self.out.len() < MAX_RTF_BYTES {
            self.flush();
            self.out.push_str(text);
        }
    }

    /// A line end: in HTML only white space.
    fn show_break(&mut self) {
        self.show(if self.is_html { "\r\n" } else { "\n" });
    }

    fn unicode(&mut self, number: i32) {
        self.to_skip = self.group.skip;
        // Numbers above 32767 are written as negative ones.
        let unit = (number & 0xffff) as u16;
        let units = [self.surrogate.take().unwrap_or(unit), unit];
        let units = if units[0] == unit { &units[..1] } else { &units[..] };
        if (0xd800..0xdc00).contains(&unit) {
            self.surrogate = Some(unit);
            return;
        }
        let text = String::from_utf16_lossy(units);
        self.show(&text);
    }

    fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let codepage = self.fonts.get(&self.group.font).copied().unwrap_or(self.codepage);
        self.out.push_str(&decode(&self.pending, codepage));
        self.pending.clear();
    }
}

/// Where a run of such bytes ends, at most `most` long.
fn end_of(bytes: &[u8], from: usize, most: usize, is: impl Fn(&u8) -> bool) -> usize {
    let from = from.min(bytes.len());
    from + bytes[from..].iter().take(most).take_while(|b| is(b)).count()
}

/// Code pages of the charsets of fonts.
fn charset_codepage(number: Option<i32>) -> Option<u32> {
    Some(match number? {
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        // 0 is "ANSI", 1 "default", 2 "symbol": the document's own.
        _ => return None,
    })
}
