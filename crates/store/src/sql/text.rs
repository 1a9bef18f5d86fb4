//! Statement texts: `$1..$n` as PostgreSQL reads them, rewritten once per text for SQLite.
//!
//! SQLite would take `$1` too, as a *named* parameter, which it looks up by a walk over all names;
//! `?1` is a number. Quoted names, strings and comments are left alone. Dollar-quoted strings are
//! not part of the common subset.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Texts beyond this many are rewritten anew: a program has a few hundred, and dynamic filters must
/// not grow the memory without end.
const MAX_TEXTS: usize = 1024;

/// The rewritten texts of a program's statements.
#[derive(Default)]
pub(crate) struct Texts(Mutex<HashMap<Box<str>, Arc<str>>>);

impl Texts {
    /// `sql` with `?n` for `$n`.
    pub(crate) fn numbered(&self, sql: &str) -> Arc<str> {
        let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = texts.get(sql) {
            return Arc::clone(text);
        }
        let text: Arc<str> = question_marks(sql).into();
        if texts.len() >= MAX_TEXTS {
            texts.clear();
        }
        texts.insert(sql.into(), Arc::clone(&text));
        text
    }
}

fn question_marks(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(at) = rest.find(['\'', '"', '$', '-', '/']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = token_length(rest);
        match rest.starts_with('$') && length > 1 {
            true => out.extend(["?", &rest[1..length]]),
            false => out.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

/// The length of the quoted string, comment or parameter that `text` begins with; 1 for none.
fn token_length(text: &str) -> usize {
    let upto = |from: usize, end: &str| text[from..].find(end).map_or(text.len(), |at| from + at + end.len());
    match text.as_bytes() {
        // A doubled quote inside is an end and a new beginning, which comes to the same.
        [b'\'', ..] => upto(1, "'"),
        [b'"', ..] => upto(1, "\""),
        [b'-', b'-', ..] => upto(2, "\n"),
        [b'/', b'*', ..] => upto(2, "*/"),
        [b'$', digits @ ..] => 1 + digits.iter().take_while(|c| c.is_ascii_digit()).count(),
        _ => 1,
    }
}

/// `($1,$2),($3,$4)` for 2 rows of 2 columns.
pub(crate) fn value_tuples(rows: usize, columns: usize) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(rows * columns * 5);
    for row in 0..rows {
        out.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..columns {
            let comma = if column == 0 { "" } else { "," };
            write!(out, "{comma}${}", row * columns + column + 1).expect("writing to a String cannot fail");
        }
        out.push(')');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_become_question_marks_outside_of_strings_names_and_comments() {
        let sql = "SELECT '$1''$2', \"a$3\", $10 -- $4 it's\n, $2/*$5*/ - $1 / 2 FROM t WHERE a<>'x";
        let want = "SELECT '$1''$2', \"a$3\", ?10 -- $4 it's\n, ?2/*$5*/ - ?1 / 2 FROM t WHERE a<>'x";
        assert_eq!(question_marks(sql), want);
        assert_eq!(question_marks("żółć $1 $ $"), "żółć ?1 $ $");
    }

    #[test]
    fn tuples_count_through_all_rows() {
        assert_eq!(value_tuples(2, 3), "($1,$2,$3),($4,$5,$6)");
        assert_eq!(value_tuples(1, 1), "($1)");
    }
}
