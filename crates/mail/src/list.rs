//! Recognises mail that was sent to many: lists and newsletters (RFC 2919, RFC 2369, RFC 8058).

use crate::letter::Letter;

/// Longest address to unsubscribe that is kept, in bytes, and most of them.
const MAX_LINK_BYTES: usize = 2_000;
const MAX_LINKS: usize = 10;

/// What a letter says of the list it came through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// List-Id without its description.
    pub id: Option<String>,
    /// Where one posts to it (List-Post); a newsletter has none.
    pub post: Option<String>,
    /// `https:`, `http:` and `mailto:` addresses to unsubscribe by, in the sender's order.
    pub unsubscribe: Vec<String>,
    /// One POST to the first `https:` address unsubscribes (RFC 8058 3.1).
    pub one_click: bool,
}

/// The list a letter came through: a header of lists, or a Precedence that only bulk mail has.
pub fn recognise(letter: &Letter) -> Option<List> {
    let header = |name| letter.headers.get(name);
    let bulk = matches!(letter.precedence.as_deref(), Some("list" | "bulk" | "junk"));
    let marked =
        ["List-Unsubscribe", "List-Post", "Mailing-List", "X-Mailing-List", "X-ML-Name", "X-BeenThere"];
    // A bounce may say bulk too; it is for one person.
    let is_list = letter.list_id.is_some()
        || marked.iter().any(|name| header(name).is_some())
        || bulk && !crate::bounce::is_from_daemon(letter) && letter.auto_submitted.is_none();
    is_list.then(|| List {
        id: letter.list_id.clone(),
        post: header("List-Post").and_then(|value| links(value).into_iter().next()),
        unsubscribe: header("List-Unsubscribe").map(links).unwrap_or_default(),
        one_click: header("List-Unsubscribe-Post")
            .is_some_and(|value| value.trim().eq_ignore_ascii_case("List-Unsubscribe=One-Click")),
    })
}

/// Addresses between angle brackets (RFC 2369 2).
fn links(value: &str) -> Vec<String> {
    let inner = value.split('<').skip(1).filter_map(|piece| piece.split_once('>'));
    inner
        .map(|(link, _)| link.split_whitespace().collect::<String>())
        .filter(|link| {
            let lower = link.to_ascii_lowercase();
            link.len() <= MAX_LINK_BYTES
                && ["https:", "http:", "mailto:"].iter().any(|scheme| lower.starts_with(scheme))
        })
        .take(MAX_LINKS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(head: &str) -> Option<List> {
        recognise(&crate::parse::parse(format!("From: ann@a.example\n{head}\n\nx\n").as_bytes()))
    }

    #[test]
    fn b9_a_newsletter_tells_how_to_leave_it() {
        let list = of("List-Id: News of A <news.a.example>\nList-Unsubscribe: <https://a.example/u?x=1>,\n <mailto:u@a.example>, <javascript:x>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click").unwrap();
        assert_eq!(list.id.as_deref(), Some("news.a.example"));
        assert_eq!(list.unsubscribe, ["https://a.example/u?x=1", "mailto:u@a.example"]);
        assert!(list.one_click && list.post.is_none());
    }

    #[test]
    fn b9_bulk_mail_without_a_list_is_a_list_and_a_persons_mail_is_none() {
        assert_eq!(of("Precedence: bulk"), Some(List::default()));
        assert_eq!(of("Subject: List"), None);
        assert_eq!(of("Precedence: bulk\nAuto-Submitted: auto-replied"), None);
        assert_eq!(
            of("List-Post: <mailto:talk@a.example>").unwrap().post.as_deref(),
            Some("mailto:talk@a.example")
        );
    }
}
