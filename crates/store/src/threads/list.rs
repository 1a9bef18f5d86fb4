//! Lists of threads by position, and their counts.

use super::{COLUMNS, Reader, ThreadRow, complete};
use crate::people::Access;
use crate::sql::{Error, Params, Sql, Value};
use model::{MailboxId, UserId};

model::words! {
    /// The lists every inbox has.
    View {
        /// Open cases assigned to the reader.
        Mine = "mine",
        /// Open cases assigned to nobody.
        Unassigned = "unassigned",
        /// Open cases.
        Open = "open",
        /// Cases that wait for somebody outside.
        Waiting = "waiting",
        /// Finished cases.
        Closed = "closed",
        /// Threads that belong to no record.
        Unlinked = "unlinked",
        /// All threads.
        All = "all",
    }
}

/// Which threads, for whom.
#[derive(Clone, Debug)]
pub struct Filter<'a> {
    /// The list.
    pub view: View,
    /// Only what came through this mailbox.
    pub mailbox: Option<MailboxId>,
    /// What the reader may see.
    pub access: &'a Access,
    /// The reader: whose [`View::Mine`] it is.
    pub user: Option<UserId>,
}

/// How many threads the list has.
pub async fn count(sql: &mut impl Sql, filter: &Filter<'_>) -> Result<i64, Error> {
    let Some(walk) = Walk::of(filter) else {
        return Ok(0);
    };
    let text = format!("SELECT count(*) {}", walk.from);
    sql.query_one(&text, walk.params).await?.get(0)
}

/// A part of the list, newest first. At equal times the later thread comes first, so that no row
/// is shown twice or left out between pages.
pub async fn list(
    sql: &mut impl Sql,
    filter: &Filter<'_>,
    offset: i64,
    limit: i64,
) -> Result<Vec<ThreadRow>, Error> {
    let Some(mut walk) = Walk::of(filter) else {
        return Ok(Vec::new());
    };
    let at = walk.params.len();
    walk.params.extend([Value::from(limit), Value::from(offset)]);
    let text = format!(
        "SELECT {COLUMNS} {} ORDER BY {} LIMIT ${} OFFSET ${}",
        walk.from,
        walk.order,
        at + 1,
        at + 2
    );
    let rows = sql.query(&text, walk.params).await?;
    complete(sql, rows, Reader { user: filter.user }).await
}

/// FROM, WHERE and ORDER BY of a list.
struct Walk {
    from: String,
    order: &'static str,
    params: Params,
}

impl Walk {
    /// `None` if the list is empty whatever there is.
    fn of(filter: &Filter<'_>) -> Option<Walk> {
        if filter.access.is_none() || (filter.view == View::Mine && filter.user.is_none()) {
            return None;
        }
        let mailbox = filter.mailbox.map(|id| format!("m{id}"));
        let one_token = match (&mailbox, filter.access) {
            (Some(token), _) => Some(token),
            (None, Access::Tokens(tokens)) if tokens.len() == 1 => tokens.first(),
            _ => None,
        };
        match one_token {
            // Few cases are open, many threads are closed or none: those lists start from the token.
            Some(token) if is_long(filter.view) => Some(Walk::by_token(filter, token)),
            _ => Some(Walk::by_view(filter, mailbox)),
        }
    }

    fn by_view(filter: &Filter<'_>, mailbox: Option<String>) -> Walk {
        let mut params = Params::new();
        let mut from = "FROM threads t WHERE t.merged_into IS NULL".to_owned();
        from.push_str(&view_condition(filter, &mut params));
        narrow(&mut from, filter.access, &mut params);
        if let Some(token) = mailbox {
            narrow(&mut from, &Access::Tokens(vec![token]), &mut params);
        }
        Walk { from, order: "t.last_at DESC, t.id DESC", params }
    }

    fn by_token(filter: &Filter<'_>, token: &String) -> Walk {
        let mut params = Params::from([Value::from(token)]);
        let mut from = "FROM thread_access d JOIN threads t ON t.id = d.thread_id \
                        WHERE d.token = $1 AND t.merged_into IS NULL"
            .to_owned();
        from.push_str(&view_condition(filter, &mut params));
        if !matches!(filter.access, Access::Tokens(tokens) if tokens == std::slice::from_ref(token)) {
            narrow(&mut from, filter.access, &mut params);
        }
        Walk { from, order: "d.last_at DESC, d.thread_id DESC", params }
    }
}

fn is_long(view: View) -> bool {
    matches!(view, View::Closed | View::Unlinked | View::All)
}

fn narrow(from: &mut String, access: &Access, params: &mut Params) {
    if *access != Access::All {
        from.push_str(" AND ");
        from.push_str(&access.condition("t.id", params));
    }
}

/// The words stand in the text, not among the values, so that both planners know which partial
/// index serves.
fn view_condition(filter: &Filter<'_>, params: &mut Params) -> String {
    match filter.view {
        View::Mine => {
            params.push(filter.user.into());
            format!(" AND t.assignee_id = ${} AND t.case_status = 'open'", params.len())
        }
        View::Unassigned => " AND t.assignee_id IS NULL AND t.case_status = 'open'".to_owned(),
        View::Open => " AND t.case_status = 'open'".to_owned(),
        View::Waiting => " AND t.case_status = 'waiting'".to_owned(),
        View::Closed => " AND t.case_status = 'closed'".to_owned(),
        View::Unlinked => " AND t.links = 0".to_owned(),
        View::All => String::new(),
    }
}
