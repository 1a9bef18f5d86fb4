//! What the rounds read of mailboxes.

use crate::params;
use crate::sql::{Error, Row, Sql};
use model::{MailboxId, MailboxKind, ProcessId, TeamId, Tls};

/// A mailbox that is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The mailbox.
    pub id: MailboxId,
    /// A group's or a person's.
    pub kind: MailboxKind,
    /// Its address.
    pub address: String,
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
    /// The process of its cases.
    pub process: Option<ProcessId>,
    /// The team of its cases: the first that was given the mailbox.
    pub team: Option<TeamId>,
}

const SOURCE: &str = "SELECT m.id, m.kind, m.address, m.host, m.port, m.tls, m.username, m.secret, m.create_cases, m.process_id,
    (SELECT MIN(t.team_id) FROM mailbox_teams t WHERE t.mailbox_id = m.id) FROM mailboxes m WHERE";

/// All active mailboxes, oldest first.
pub async fn active(sql: &mut impl Sql) -> Result<Vec<Source>, Error> {
    sql.query(&format!("{SOURCE} m.active ORDER BY m.id"), params![]).await?.iter().map(source).collect()
}

/// One mailbox, active or not.
pub async fn source_of(sql: &mut impl Sql, id: MailboxId) -> Result<Option<Source>, Error> {
    let row = sql.query_opt(&format!("{SOURCE} m.id = $1"), params![id]).await?;
    row.map(|row| source(&row)).transpose()
}

fn source(row: &Row) -> Result<Source, Error> {
    let (kind, tls): (String, String) = (row.get(1)?, row.get(5)?);
    let unknown = |word: &str| Error::Other(format!("a mailbox has the unknown word {word:?}"));
    Ok(Source {
        id: row.get(0)?,
        kind: MailboxKind::of(&kind).ok_or_else(|| unknown(&kind))?,
        address: row.get(2)?,
        host: row.get(3)?,
        port: u16::try_from(row.get::<i64>(4)?).map_err(|_| unknown("port"))?,
        tls: Tls::of(&tls).ok_or_else(|| unknown(&tls))?,
        username: row.get(6)?,
        secret: row.get(7)?,
        create_cases: row.get(8)?,
        process: row.get::<Option<i64>>(9)?.map(ProcessId),
        team: row.get::<Option<i64>>(10)?.map(TeamId),
    })
}
