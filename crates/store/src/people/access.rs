//! Which threads somebody may see.

use crate::sql::{Params, Value};

/// Which threads somebody may see: all, or those that carry one of these tokens in
/// `thread_access` (`m<mailbox>`, `u<user>`, `t<team>`). No tokens, no threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Every thread.
    All,
    /// Threads with one of these tokens.
    Tokens(Vec<String>),
}

impl Access {
    /// A condition for a WHERE clause that holds for the visible ones among the threads that the SQL
    /// expression `thread` names (`t.id`, `c.thread_id`); their tokens go to the end of `params`.
    /// `thread` is written by the program, never by a user.
    pub fn condition(&self, thread: &str, params: &mut Params) -> String {
        let Access::Tokens(tokens) = self else {
            return "1 = 1".to_owned();
        };
        if tokens.is_empty() {
            return "1 = 0".to_owned();
        }
        let marks = marks(tokens, params);
        format!(
            "EXISTS (SELECT 1 FROM thread_access ta WHERE ta.thread_id = {thread} AND ta.token IN ({marks}))"
        )
    }

    /// The tokens, or `None` where everything may be seen.
    pub fn tokens(&self) -> Option<Vec<String>> {
        match self {
            Access::All => None,
            Access::Tokens(tokens) => Some(tokens.clone()),
        }
    }

    /// Whether nothing at all can be seen.
    pub fn is_none(&self) -> bool {
        matches!(self, Access::Tokens(tokens) if tokens.is_empty())
    }
}

/// `$3,$4` for two values that are pushed behind two others.
fn marks(tokens: &[String], params: &mut Params) -> String {
    let mut marks = Vec::with_capacity(tokens.len());
    for token in tokens {
        params.push(Value::from(token));
        marks.push(format!("${}", params.len()));
    }
    marks.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params;

    #[test]
    fn the_condition_numbers_its_tokens_behind_the_other_values() {
        let mut params = params![5i64, "open"];
        let access = Access::Tokens(vec!["m1".into(), "u2".into()]);
        let condition = access.condition("t.id", &mut params);
        assert!(condition.ends_with("ta.thread_id = t.id AND ta.token IN ($3,$4))"), "{condition}");
        assert_eq!(params, params![5i64, "open", "m1", "u2"]);
    }

    #[test]
    fn without_tokens_nothing_is_seen_and_with_all_everything() {
        let mut params = params![];
        assert_eq!(Access::Tokens(vec![]).condition("t.id", &mut params), "1 = 0");
        assert_eq!(Access::All.condition("t.id", &mut params), "1 = 1");
        assert!(params.is_empty());
    }
}
