//! Content lines of a calendar: `NAME;PARAMETER=value:value`, folded over several lines (RFC 5545 3.1).

/// Longest line with all its folds, in bytes; an attachment in a calendar may be longer and is not read.
const MAX_LINE_BYTES: usize = 64 << 10;
/// Most lines.
const MAX_LINES: usize = 100_000;

/// One content line.
pub(super) struct Line<'a> {
    /// In capitals.
    pub name: String,
    parameters: &'a str,
    pub value: &'a str,
}

/// Gives each line, unfolded. Lines that are none are passed over.
pub(super) fn each(text: &str, mut take: impl FnMut(Line<'_>)) {
    let mut whole = String::new();
    for line in text.split(['\n', '\r']).filter(|line| !line.is_empty()).take(MAX_LINES) {
        if let Some(rest) = line.strip_prefix([' ', '\t']) {
            if whole.len() + rest.len() <= MAX_LINE_BYTES {
                whole.push_str(rest);
            }
            continue;
        }
        read(&whole).into_iter().for_each(&mut take);
        whole.clear();
        whole.push_str(&line[..line.floor_char_boundary(MAX_LINE_BYTES)]);
    }
    read(&whole).into_iter().for_each(&mut take);
}

fn read(line: &str) -> Option<Line<'_>> {
    let mut quoted = false;
    let colon = line.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        *c == ':' && !quoted
    });
    // A quote that is never closed: the first colon then.
    let colon = colon.map(|(at, _)| at).or_else(|| line.find(':'))?;
    let (head, value) = (&line[..colon], &line[colon + 1..]);
    let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
    Some(Line { name: name.trim().to_ascii_uppercase(), parameters, value })
}

impl<'a> Line<'a> {
    /// The value of a parameter, without quotes.
    pub fn parameter(&self, name: &str) -> Option<&'a str> {
        let mut quoted = false;
        let parts = self.parameters.split(move |c: char| {
            quoted ^= c == '"';
            c == ';' && !quoted
        });
        let mut pairs = parts.filter_map(|part| part.split_once('='));
        let (_, value) = pairs.find(|(key, _)| key.trim().eq_ignore_ascii_case(name))?;
        Some(value.trim_matches('"'))
    }

    /// The value as text: escapes undone (RFC 5545 3.3.11), cut to `limit` bytes.
    pub fn text(&self, limit: usize) -> String {
        let value = &self.value[..self.value.floor_char_boundary(limit)];
        let mut out = String::with_capacity(value.len());
        let mut chars = value.chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some('n' | 'N') => out.push('\n'),
                    Some(c) => out.push(c),
                    None => {}
                },
                c if c.is_control() && c != '\t' => {}
                c => out.push(c),
            }
        }
        out.trim().to_owned()
    }
}
