//! Who may see a thread, written down: `m<mailbox>`, `u<user>` and `t<team>` in `thread_access`.
//!
//! The tokens of mailboxes come with their messages and go with them (`filing`, `clearing`). Those of users
//! and teams follow from what stands elsewhere and are written anew by [`refresh`] whenever that changes:
//!
//! | token | stands for |
//! |---|---|
//! | `u` | one of the user's addresses is among From, Reply-To, To or Cc of a message |
//! | `u` | the user is in charge of the thread, of its case, or of a record it is linked to |
//! | `t` | the team is in charge of the thread, of its case, or of a record it is linked to |
//!
//! Decided against working out access when somebody looks: every list, count and search would join five
//! tables for each thread. Decided against a token for every reason (`a` for "in charge"): whoever holds
//! more tokens pays for each in every list.

use crate::params;
use crate::sql::{Error, Params, Sql, Tx};
use model::{MessageId, RecordId, ThreadId, UserId};

/// Threads whose tokens are written by one statement; bounds its parameters and its memory.
const AT_ONCE: usize = 500;

/// Who is in charge of threads: their own, their case's, and that of linked records.
const CHARGE: &str = "\
    SELECT t.id AS thread_id, 'u' || CAST(t.assignee_id AS TEXT) AS token FROM threads t \
      WHERE t.assignee_id IS NOT NULL AND t.id IN ({threads}) \
    UNION SELECT t.id, 't' || CAST(t.team_id AS TEXT) FROM threads t \
      WHERE t.team_id IS NOT NULL AND t.id IN ({threads}) \
    UNION SELECT t.id, 'u' || CAST(r.assignee_id AS TEXT) FROM threads t JOIN records r ON r.id = t.case_id \
      WHERE r.assignee_id IS NOT NULL AND t.id IN ({threads}) \
    UNION SELECT t.id, 't' || CAST(r.team_id AS TEXT) FROM threads t JOIN records r ON r.id = t.case_id \
      WHERE r.team_id IS NOT NULL AND t.id IN ({threads}) \
    UNION SELECT l.thread_id, 'u' || CAST(r.assignee_id AS TEXT) FROM links l JOIN records r ON r.id = l.record_id \
      WHERE r.assignee_id IS NOT NULL AND l.thread_id IN ({threads}) \
    UNION SELECT l.thread_id, 't' || CAST(r.team_id AS TEXT) FROM links l JOIN records r ON r.id = l.record_id \
      WHERE r.team_id IS NOT NULL AND l.thread_id IN ({threads})";

/// Whose address is on a message.
const ADDRESSES: &str = "\
    SELECT m.thread_id, 'u' || CAST(a.user_id AS TEXT) AS token FROM messages m \
      JOIN participants p ON p.message_id = m.id AND p.role IN ('from', 'reply_to', 'to', 'cc') \
      JOIN user_addresses a ON a.address = p.address WHERE m.thread_id IN ({threads})";

/// Writes the tokens of users and teams of these threads anew: gives what is due and takes what is not.
pub async fn refresh(tx: &mut Tx, threads: &[ThreadId]) -> Result<(), Error> {
    for some in threads.chunks(AT_ONCE) {
        let wanted = format!("{CHARGE} UNION {ADDRESSES}");
        let text = format!(
            "DELETE FROM thread_access WHERE thread_id IN ({{threads}}) AND substr(token, 1, 1) <> 'm' \
             AND NOT EXISTS (SELECT 1 FROM ({wanted}) w \
             WHERE w.thread_id = thread_access.thread_id AND w.token = thread_access.token)"
        );
        execute(tx, &text, some).await?;
        give(tx, &wanted, some).await?;
    }
    Ok(())
}

/// Gives those in charge of these threads what is due to them and takes nothing: for a filing, which only adds.
pub async fn grant(tx: &mut Tx, threads: &[ThreadId]) -> Result<(), Error> {
    for some in threads.chunks(AT_ONCE) {
        give(tx, CHARGE, some).await?;
    }
    Ok(())
}

/// Writes the tokens of all threads of a record anew: those linked to it and, of a case, those in it.
pub async fn refresh_record(tx: &mut Tx, record: RecordId) -> Result<(), Error> {
    let text = "SELECT thread_id AS id FROM links WHERE record_id = $1 AND thread_id > $2 \
                UNION SELECT id FROM threads WHERE case_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    let mut after = ThreadId(0);
    loop {
        let rows = tx.query(text, params![record, after, AT_ONCE]).await?;
        let threads = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<ThreadId>, Error>>()?;
        refresh(tx, &threads).await?;
        match threads.last() {
            Some(last) if threads.len() == AT_ONCE => after = *last,
            _ => return Ok(()),
        }
    }
}

/// An address whose threads wait for their tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Who got or lost it.
    pub user: UserId,
    /// The address, lower case.
    pub address: String,
    /// Messages up to this one are done.
    pub after: MessageId,
}

/// Writes down that a user got or lost these addresses: [`refresh_due`] has to go over all their mail.
pub async fn owe(tx: &mut Tx, user: UserId, addresses: &[String]) -> Result<(), Error> {
    let rows = addresses.iter().map(|address| params![user, address, 0]).collect();
    let head = "INSERT INTO access_due (user_id, address, after_message_id) VALUES";
    let tail = "ON CONFLICT (user_id, address) DO UPDATE SET after_message_id = 0";
    tx.insert_many(head, tail, rows).await.map(drop)
}

/// What is due first.
pub async fn due(sql: &mut impl Sql) -> Result<Option<Due>, Error> {
    let text = "SELECT user_id, address, after_message_id FROM access_due ORDER BY user_id, address LIMIT 1";
    let row = sql.query_opt(text, params![]).await?;
    row.map(|row| Ok(Due { user: row.get(0)?, address: row.get(1)?, after: row.get(2)? })).transpose()
}

/// Writes the tokens of the next threads anew in which an address takes part; whether it was the last of them.
pub async fn refresh_due(tx: &mut Tx, due: &Due) -> Result<bool, Error> {
    let text = "SELECT p.message_id, m.thread_id FROM participants p JOIN messages m ON m.id = p.message_id \
                WHERE p.address = $1 AND p.message_id > $2 ORDER BY p.message_id LIMIT $3";
    let rows = tx.query(text, params![due.address.as_str(), due.after, AT_ONCE]).await?;
    let mut threads = rows.iter().map(|row| row.get(1)).collect::<Result<Vec<ThreadId>, Error>>()?;
    threads.sort();
    threads.dedup();
    refresh(tx, &threads).await?;
    let key = params![due.user, due.address.as_str()];
    match rows.last() {
        Some(last) if rows.len() == AT_ONCE => {
            let text = "UPDATE access_due SET after_message_id = $3 WHERE user_id = $1 AND address = $2";
            let after: MessageId = last.get(0)?;
            tx.execute(text, key.into_iter().chain([after.into()]).collect()).await?;
            Ok(false)
        }
        _ => {
            tx.execute("DELETE FROM access_due WHERE user_id = $1 AND address = $2", key).await?;
            Ok(true)
        }
    }
}

async fn give(tx: &mut Tx, wanted: &str, threads: &[ThreadId]) -> Result<(), Error> {
    let text = format!(
        "INSERT INTO thread_access (token, thread_id, last_at) SELECT w.token, w.thread_id, t.last_at \
         FROM ({wanted}) w JOIN threads t ON t.id = w.thread_id WHERE t.merged_into IS NULL \
         ON CONFLICT (token, thread_id) DO NOTHING"
    );
    execute(tx, &text, threads).await
}

async fn execute(tx: &mut Tx, text: &str, threads: &[ThreadId]) -> Result<(), Error> {
    let marks: Vec<String> = (1..=threads.len()).map(|at| format!("${at}")).collect();
    let params: Params = threads.iter().map(|id| (*id).into()).collect();
    tx.execute(&text.replace("{threads}", &marks.join(",")), params).await.map(drop)
}
