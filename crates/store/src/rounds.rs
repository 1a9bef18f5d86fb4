//! What the rounds read of mailboxes.

use crate::params;
use crate::sql::{Error, Row, Sql, Tx};
use model::{GrantId, MailboxId, MailboxKind, MailboxMode, ProcessId, Protocol, TeamId, Time, Tls};

/// A mailbox that is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The mailbox.
    pub id: MailboxId,
    /// Whether it is read. One that is not may still owe its server something.
    pub active: bool,
    /// A group's or a person's.
    pub kind: MailboxKind,
    /// Its address.
    pub address: String,
    /// How it is received.
    pub protocol: Protocol,
    /// What is done with its folders.
    pub mode: MailboxMode,
    /// Signs in with this grant instead of a password.
    pub grant: Option<GrantId>,
    /// Whether something may be deleted on its server at all.
    pub delete_on_server: bool,
    /// POP3: days after keeping that a message is deleted on the server; `None`: never.
    pub delete_after_days: Option<u16>,
    /// Name of its server.
    pub host: String,
    /// Port of its server.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Who signs in.
    pub username: String,
    /// The sealed password; `None` until it is entered.
    pub secret: Option<Vec<u8>>,
    /// Whether each new thread becomes a case.
    pub create_cases: bool,
    /// What its server calls itself in Authentication-Results; empty: nobody is believed.
    pub authserv_id: String,
    /// The process of its cases.
    pub process: Option<ProcessId>,
    /// The team of its cases: the first that was given the mailbox.
    pub team: Option<TeamId>,
}

const SOURCE: &str = "SELECT m.id, m.kind, m.address, m.host, m.port, m.tls, m.username, m.secret, m.create_cases, m.process_id,
    (SELECT MIN(t.team_id) FROM mailbox_teams t WHERE t.mailbox_id = m.id), m.protocol, m.mode, m.grant_id, m.delete_on_server, m.delete_after_days, m.active, m.authserv_id
    FROM mailboxes m WHERE";

/// All active mailboxes whose rounds are not paused, oldest first; and those that are switched off and owe
/// their server something.
pub async fn active(sql: &mut impl Sql) -> Result<Vec<Source>, Error> {
    let owes = "m.protocol = 'imap' AND EXISTS (SELECT 1 FROM operations p WHERE p.mailbox_id = m.id AND p.state = 'due')";
    let text = format!("{SOURCE} (m.active OR ({owes})) AND m.paused IS NULL ORDER BY m.id");
    sql.query(&text, params![]).await?.iter().map(source).collect()
}

/// One mailbox, active or not.
pub async fn source_of(sql: &mut impl Sql, id: MailboxId) -> Result<Option<Source>, Error> {
    let row = sql.query_opt(&format!("{SOURCE} m.id = $1"), params![id]).await?;
    row.map(|row| source(&row)).transpose()
}

/// Whether a mailbox shows an error or an alarm, or was never read.
pub async fn is_troubled(sql: &mut impl Sql, id: MailboxId) -> Result<bool, Error> {
    let text = "SELECT 1 FROM mailboxes WHERE id = $1
                AND (last_error IS NOT NULL OR alarmed_at IS NOT NULL OR last_success_at IS NULL)";
    Ok(sql.query_opt(text, params![id]).await?.is_some())
}

/// Writes down when rounds that brought nothing came to their end.
pub async fn succeeded(tx: &mut Tx, rounds: Vec<(MailboxId, Time)>) -> Result<(), Error> {
    let rows = rounds.into_iter().map(|(id, at)| params![id, at]).collect();
    tx.execute_many("UPDATE mailboxes SET last_success_at = $2 WHERE id = $1", rows).await.map(drop)
}

/// Active mailboxes without an alarm whose last success (but not before `since`, when somebody began to
/// look) is longer ago than they may be silent; `usual_s` where nothing else was said.
pub async fn silent(
    sql: &mut impl Sql,
    now: Time,
    since: Time,
    usual_s: i64,
) -> Result<Vec<MailboxId>, Error> {
    let text = "SELECT id FROM mailboxes WHERE active AND paused IS NULL AND alarmed_at IS NULL
                AND CASE WHEN COALESCE(last_success_at, 0) > $2 THEN last_success_at ELSE $2 END
                  < $1 - COALESCE(alarm_after_s, $3) * 1000000 ORDER BY id";
    sql.query(text, params![now, since, usual_s]).await?.iter().map(|row| row.get(0)).collect()
}

/// Notes that an alarm was given, unless one was; whether it is a new one.
pub async fn alarmed(tx: &mut Tx, id: MailboxId, at: Time) -> Result<bool, Error> {
    let text = "UPDATE mailboxes SET alarmed_at = $2 WHERE id = $1 AND alarmed_at IS NULL";
    Ok(tx.execute(text, params![id, at]).await? > 0)
}

fn source(row: &Row) -> Result<Source, Error> {
    let (kind, tls): (String, String) = (row.get(1)?, row.get(5)?);
    let (protocol, mode): (String, String) = (row.get(11)?, row.get(12)?);
    let unknown = |word: &str| Error::Other(format!("a mailbox has the unknown word {word:?}"));
    Ok(Source {
        id: row.get(0)?,
        active: row.get(16)?,
        kind: MailboxKind::of(&kind).ok_or_else(|| unknown(&kind))?,
        address: row.get(2)?,
        protocol: Protocol::of(&protocol).ok_or_else(|| unknown(&protocol))?,
        mode: MailboxMode::of(&mode).ok_or_else(|| unknown(&mode))?,
        grant: row.get(13)?,
        delete_on_server: row.get(14)?,
        delete_after_days: row.get(15)?,
        host: row.get(3)?,
        port: u16::try_from(row.get::<i64>(4)?).map_err(|_| unknown("port"))?,
        tls: Tls::of(&tls).ok_or_else(|| unknown(&tls))?,
        username: row.get(6)?,
        secret: row.get(7)?,
        create_cases: row.get(8)?,
        authserv_id: row.get(17)?,
        process: row.get::<Option<i64>>(9)?.map(ProcessId),
        team: row.get::<Option<i64>>(10)?.map(TeamId),
    })
}
