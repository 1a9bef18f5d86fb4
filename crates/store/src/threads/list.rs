//! Lists of threads by position, and their counts.

use super::{COLUMNS, Reader, ThreadRow, complete};
use crate::people::Access;
use crate::sql::{Error, Params, Sql, Value};
use model::{MailboxId, ProcessId, TeamId, Time, UserId};

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
        /// What is out of sight until later.
        Snoozed = "snoozed",
        /// Open cases whose customer should have been answered.
        Overdue = "overdue",
        /// Finished cases.
        Closed = "closed",
        /// Threads that belong to no record.
        Unlinked = "unlinked",
        /// All threads.
        All = "all",
    }
}

/// A part of every list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What came through this mailbox.
    Mailbox(MailboxId),
    /// What this team is in charge of.
    Team(TeamId),
    /// What is filed to this area of work.
    Process(ProcessId),
}

/// Which threads, for whom.
#[derive(Clone, Debug)]
pub struct Filter<'a> {
    /// The list.
    pub view: View,
    /// Only this part of it.
    pub part: Option<Part>,
    /// What the reader may see.
    pub access: &'a Access,
    /// The reader: whose [`View::Mine`] it is.
    pub user: Option<UserId>,
    /// By when it should have been answered, of [`View::Overdue`].
    pub now: Time,
}

/// Sets of threads up to this size are sorted rather than looked for on a walk over all threads.
const SMALL_SET: i64 = 2000;

/// How many threads the list has.
pub async fn count(sql: &mut impl Sql, filter: &Filter<'_>) -> Result<i64, Error> {
    if filter.is_empty() {
        return Ok(0);
    }
    let walk = match filter.narrowed() && is_long(filter.view) {
        true => Walk::over_set(filter),
        false => Walk::over_view(filter),
    };
    let text = format!("SELECT count(*) {}", walk.from);
    sql.query_one(&text, walk.params).await?.get(0)
}

/// A part of the list, newest first; `total` is its [`count`], by which the way is chosen. At equal
/// times the later thread comes first, so that no row is shown twice or left out between pages.
pub async fn list(
    sql: &mut impl Sql,
    filter: &Filter<'_>,
    total: i64,
    offset: i64,
    limit: i64,
) -> Result<Vec<ThreadRow>, Error> {
    if filter.is_empty() || offset >= total {
        return Ok(Vec::new());
    }
    let mut walk = Walk::of_page(filter, total);
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

impl Filter<'_> {
    /// Whether the list is empty whatever there is.
    fn is_empty(&self) -> bool {
        self.access.is_none() || (self.view == View::Mine && self.user.is_none())
    }

    /// Whether it shows less than everybody's threads of the view.
    fn narrowed(&self) -> bool {
        self.part.is_some() || *self.access != Access::All
    }

    /// The mailbox as a token.
    fn mailbox_token(&self) -> Option<String> {
        match self.part {
            Some(Part::Mailbox(id)) => Some(format!("m{id}")),
            _ => None,
        }
    }
}

/// FROM, WHERE and ORDER BY of a list.
struct Walk {
    from: String,
    order: &'static str,
    params: Params,
}

impl Walk {
    fn of_page(filter: &Filter<'_>, total: i64) -> Walk {
        // Few cases are open, many threads are closed or none: short lists are walked by their view.
        if !filter.narrowed() || !is_long(filter.view) {
            return Walk::over_view(filter);
        }
        match (filter.mailbox_token(), filter.access) {
            (Some(token), _) => Walk::over_token(filter, &token),
            (None, Access::Tokens(tokens)) if tokens.len() == 1 => Walk::over_token(filter, &tokens[0]),
            _ if total <= SMALL_SET => Walk::over_set(filter),
            _ => Walk::over_view(filter),
        }
    }

    /// Over the view's index, each thread being asked whether it may be seen.
    fn over_view(filter: &Filter<'_>) -> Walk {
        let mut params = Params::new();
        let mut from = "FROM threads t WHERE t.merged_into IS NULL".to_owned();
        from.push_str(&view_condition(filter, &mut params));
        from.push_str(&part_condition(filter.part, &mut params));
        narrow(&mut from, filter.access, &mut params);
        if let Some(token) = filter.mailbox_token() {
            narrow(&mut from, &Access::Tokens(vec![token]), &mut params);
        }
        Walk { from, order: "t.last_at DESC, t.id DESC", params }
    }

    /// Over what one token lets see, in order.
    fn over_token(filter: &Filter<'_>, token: &String) -> Walk {
        let mut params = Params::from([Value::from(token)]);
        let mut from = "FROM thread_access d JOIN threads t ON t.id = d.thread_id \
                        WHERE d.token = $1 AND t.merged_into IS NULL"
            .to_owned();
        from.push_str(&view_condition(filter, &mut params));
        from.push_str(&part_condition(filter.part, &mut params));
        if !matches!(filter.access, Access::Tokens(tokens) if tokens == std::slice::from_ref(token)) {
            narrow(&mut from, filter.access, &mut params);
        }
        Walk { from, order: "d.last_at DESC, d.thread_id DESC", params }
    }

    /// Over the set of all that may be seen, gathered first and sorted. The `+` keeps both planners
    /// from walking all threads for the sake of the order.
    fn over_set(filter: &Filter<'_>) -> Walk {
        let mut params = Params::new();
        let mut from = "FROM threads t WHERE t.merged_into IS NULL".to_owned();
        from.push_str(&view_condition(filter, &mut params));
        from.push_str(&part_condition(filter.part, &mut params));
        for tokens in [filter.access.tokens(), filter.mailbox_token().map(|token| vec![token])] {
            let Some(tokens) = tokens else { continue };
            let marks: Vec<String> = tokens
                .into_iter()
                .map(|token| {
                    params.push(Value::from(token));
                    format!("${}", params.len())
                })
                .collect();
            let marks = marks.join(",");
            from.push_str(&format!(
                " AND t.id IN (SELECT thread_id FROM thread_access WHERE token IN ({marks}))"
            ));
        }
        Walk { from, order: "+t.last_at DESC, +t.id DESC", params }
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

/// Of a thread in a case it is the case that has a team and an area of work. A mailbox is a token.
fn part_condition(part: Option<Part>, params: &mut Params) -> String {
    let (column, id) = match part {
        None | Some(Part::Mailbox(_)) => return String::new(),
        Some(Part::Team(id)) => ("team_id", id.0),
        Some(Part::Process(id)) => ("process_id", id.0),
    };
    params.push(id.into());
    let at = params.len();
    format!(" AND COALESCE((SELECT c.{column} FROM records c WHERE c.id = t.case_id), t.{column}) = ${at}")
}

/// The words stand in the text, not among the values, so that both planners know which partial
/// index serves.
fn view_condition(filter: &Filter<'_>, params: &mut Params) -> String {
    match filter.view {
        View::Mine => {
            params.push(filter.user.into());
            format!(
                " AND t.assignee_id = ${} AND t.case_status = 'open' AND t.snoozed_until IS NULL",
                params.len()
            )
        }
        View::Unassigned => {
            " AND t.assignee_id IS NULL AND t.case_status = 'open' AND t.snoozed_until IS NULL".to_owned()
        }
        View::Open => " AND t.case_status = 'open' AND t.snoozed_until IS NULL".to_owned(),
        View::Waiting => " AND t.case_status = 'waiting' AND t.snoozed_until IS NULL".to_owned(),
        View::Snoozed => " AND t.snoozed_until IS NOT NULL".to_owned(),
        // A promise to a customer does not sleep: what is out of sight is shown too.
        View::Overdue => {
            params.push(filter.now.into());
            let due = params.len();
            format!(
                " AND t.case_id IN (SELECT r.id FROM records r WHERE r.due_at < ${due} AND r.status = 'open')"
            )
        }
        View::Closed => " AND t.case_status = 'closed'".to_owned(),
        View::Unlinked => " AND t.links = 0".to_owned(),
        View::All => String::new(),
    }
}
