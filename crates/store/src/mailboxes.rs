//! Mailboxes, their folders and teams, and how their last round went.

use crate::counters;
use crate::params;
use crate::sql::{Error, Row, Sql, Tx};
use model::{
    AfterFiling, FolderId, GrantId, MailboxId, MailboxKind, MailboxMode, ProcessId, Protocol, ProviderId,
    Reach, TeamId, Time, Tls, UserId,
};

/// A mailbox; its secret stays where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// Its id.
    pub id: MailboxId,
    /// Of a group or of a person.
    pub kind: MailboxKind,
    /// Its address, lower case.
    pub address: String,
    /// Its name as people see it.
    pub name: String,
    /// Of a personal one: whose.
    pub owner: Option<UserId>,
    /// May change it without being administrator.
    pub keeper: Option<UserId>,
    /// Of a group one: the area of work.
    pub process: Option<(ProcessId, String)>,
    /// How it is received.
    pub protocol: Protocol,
    /// What is done with its folders.
    pub mode: MailboxMode,
    /// Where the server is.
    pub host: String,
    /// On which port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Who signs in there.
    pub username: String,
    /// Which addresses the host may lead to.
    pub reach: Reach,
    /// Whether a password may be sent without protection to another machine.
    pub allow_plain: bool,
    /// Whether a password is stored.
    pub has_secret: bool,
    /// Signs in with this grant of a provider instead of a password.
    pub grant: Option<GrantId>,
    /// Waits for its owner and is switched on as soon as the password is there.
    pub starts: bool,
    /// Whether a thread's first mail makes a case.
    pub create_cases: bool,
    /// What its server calls itself in Authentication-Results; empty: nobody is believed.
    pub authserv_id: String,
    /// Whether it is fetched.
    pub active: bool,
    /// Whether Lettercase may delete on the server at all.
    pub delete_on_server: bool,
    /// POP3: days after keeping that a message is deleted on the server; `None`: never.
    pub delete_after_days: Option<u16>,
    /// How it sends; `None`: it does not.
    pub outgoing: Option<Outgoing>,
    /// Of a group one that sends: whether users may send from it, as their role says.
    pub shared: bool,
    /// When the first message was downloaded or synchronisation began: the protocol is locked since.
    pub begun_at: Option<Time>,
    /// Why the rounds stopped and ask, as JSON; `None`: they run.
    pub paused: Option<String>,
    /// Silence longer than this, in seconds, is an alarm; `None`: the usual one.
    pub alarm_after_s: Option<i64>,
    /// When the alarm of the present silence was given.
    pub alarmed_at: Option<Time>,
    /// When a round last came to its end.
    pub last_success_at: Option<Time>,
    /// Why the last round failed, as JSON; `None` if it did not.
    pub last_error: Option<String>,
    /// The teams in charge, by name.
    pub teams: Vec<(TeamId, String)>,
    /// Its folders, in the order they were chosen.
    pub folders: Vec<ChosenFolder>,
}

impl Mailbox {
    /// A mailbox as it is before anything is said about it: off, IMAP, its folders filed.
    pub fn new(kind: MailboxKind, address: &str) -> Mailbox {
        Mailbox {
            id: MailboxId(0),
            kind,
            address: address.to_owned(),
            name: address.to_owned(),
            owner: None,
            keeper: None,
            process: None,
            protocol: Protocol::Imap,
            mode: MailboxMode::File,
            host: String::new(),
            port: 993,
            tls: Tls::Implicit,
            username: String::new(),
            reach: Reach::Anywhere,
            allow_plain: false,
            has_secret: false,
            grant: None,
            starts: false,
            create_cases: false,
            authserv_id: String::new(),
            active: false,
            delete_on_server: false,
            delete_after_days: None,
            outgoing: None,
            shared: false,
            begun_at: None,
            paused: None,
            alarm_after_s: None,
            alarmed_at: None,
            last_success_at: None,
            last_error: None,
            teams: Vec::new(),
            folders: Vec::new(),
        }
    }

    /// Whether it can sign in: a password or a grant is there.
    pub fn has_credential(&self) -> bool {
        self.has_secret || self.grant.is_some()
    }

    /// Whether it is a personal one whose owner has yet to enter the password.
    pub fn waits_for_owner(&self) -> bool {
        self.kind == MailboxKind::Personal && !self.has_credential()
    }
}

/// How a mailbox sends (SMTP); its secret stays where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Where the server is.
    pub host: String,
    /// On which port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Who signs in; empty: as for receiving.
    pub username: String,
    /// Which addresses the host may lead to.
    pub reach: Reach,
    /// Whether a password was entered for this server.
    pub has_secret: bool,
    /// Signs in with this grant of a provider instead of a password.
    pub grant: Option<GrantId>,
}

/// A folder of a mailbox as it was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChosenFolder {
    /// Its id.
    pub id: FolderId,
    /// Its name on the server.
    pub name: String,
    /// Whether it is read; one that was chosen before is kept with its history.
    pub read: bool,
    /// What is done on the server after filing.
    pub after_filing: AfterFiling,
    /// Where filed messages are moved.
    pub processed_folder: Option<String>,
}

const MAILBOX: &str = "SELECT m.id, m.kind, m.address, m.name, m.owner_id, m.process_id, p.name, m.protocol, \
     m.host, m.port, m.tls, m.username, m.secret IS NOT NULL, m.create_cases, m.active, m.last_success_at, \
     m.last_error, m.keeper_id, m.mode, m.grant_id, m.delete_on_server, m.delete_after_days, m.shared, \
     m.begun_at, m.paused, m.alarm_after_s, m.smtp_host, m.smtp_port, m.smtp_tls, m.smtp_username, \
     m.smtp_secret IS NOT NULL, m.reach, m.allow_plain, m.starts, m.alarmed_at, m.smtp_reach, m.smtp_grant_id, \
     m.authserv_id \
     FROM mailboxes m LEFT JOIN processes p ON p.id = m.process_id";

fn word<T>(of: fn(&str) -> Option<T>, row: &Row, at: usize) -> Result<T, Error> {
    let word: String = row.get(at)?;
    of(&word).ok_or_else(|| {
        Error::Other(format!("column {at} of a mailbox or folder holds the unknown word {word:?}"))
    })
}

fn mailbox_of(row: &Row) -> Result<Mailbox, Error> {
    let process: Option<ProcessId> = row.get(5)?;
    Ok(Mailbox {
        id: row.get(0)?,
        kind: word(MailboxKind::of, row, 1)?,
        address: row.get(2)?,
        name: row.get(3)?,
        owner: row.get(4)?,
        process: process.zip(row.get(6)?),
        protocol: word(Protocol::of, row, 7)?,
        host: row.get(8)?,
        port: row.get(9)?,
        tls: word(Tls::of, row, 10)?,
        username: row.get(11)?,
        has_secret: row.get(12)?,
        create_cases: row.get(13)?,
        active: row.get(14)?,
        last_success_at: row.get(15)?,
        last_error: row.get(16)?,
        keeper: row.get(17)?,
        mode: word(MailboxMode::of, row, 18)?,
        grant: row.get(19)?,
        delete_on_server: row.get(20)?,
        delete_after_days: row.get(21)?,
        shared: row.get(22)?,
        begun_at: row.get(23)?,
        paused: row.get(24)?,
        alarm_after_s: row.get(25)?,
        outgoing: outgoing_of(row)?,
        reach: word(Reach::of, row, 31)?,
        allow_plain: row.get(32)?,
        starts: row.get(33)?,
        alarmed_at: row.get(34)?,
        authserv_id: row.get(37)?,
        teams: Vec::new(),
        folders: Vec::new(),
    })
}

fn outgoing_of(row: &Row) -> Result<Option<Outgoing>, Error> {
    let outgoing = Outgoing {
        host: row.get(26)?,
        port: row.get(27)?,
        tls: word(Tls::of, row, 28)?,
        username: row.get(29)?,
        has_secret: row.get(30)?,
        reach: word(Reach::of, row, 35)?,
        grant: row.get(36)?,
    };
    Ok(Some(outgoing).filter(|outgoing| !outgoing.host.is_empty()))
}

/// All mailboxes by address.
pub async fn all(sql: &mut impl Sql) -> Result<Vec<Mailbox>, Error> {
    let rows = sql.query(&format!("{MAILBOX} ORDER BY m.address, m.id"), params![]).await?;
    complete(sql, rows.iter().map(mailbox_of).collect::<Result<_, _>>()?).await
}

/// The mailboxes of an address (lower case), oldest first.
pub async fn at(sql: &mut impl Sql, address: &str) -> Result<Vec<Mailbox>, Error> {
    let rows = sql.query(&format!("{MAILBOX} WHERE m.address = $1 ORDER BY m.id"), params![address]).await?;
    complete(sql, rows.iter().map(mailbox_of).collect::<Result<_, _>>()?).await
}

/// The mailboxes that somebody owns or keeps, by address.
pub async fn held(sql: &mut impl Sql, user: UserId) -> Result<Vec<Mailbox>, Error> {
    let text = format!("{MAILBOX} WHERE m.owner_id = $1 OR m.keeper_id = $1 ORDER BY m.address, m.id");
    let rows = sql.query(&text, params![user]).await?;
    complete(sql, rows.iter().map(mailbox_of).collect::<Result<_, _>>()?).await
}

/// The mailboxes with an outgoing server that a user owns or that are shared, by address.
pub async fn that_send(sql: &mut impl Sql, user: UserId) -> Result<Vec<Mailbox>, Error> {
    let text = format!(
        "{MAILBOX} WHERE m.smtp_host <> '' AND (m.owner_id = $1 OR m.shared = $2) ORDER BY m.address, m.id"
    );
    let rows = sql.query(&text, params![user, true]).await?;
    complete(sql, rows.iter().map(mailbox_of).collect::<Result<_, _>>()?).await
}

/// A grant as its mailbox shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Who was let in by the provider, and so may let a mailbox use it.
    pub holder: Option<UserId>,
    /// The provider.
    pub provider: ProviderId,
    /// Its name.
    pub provider_name: String,
    /// When the token ends; it is refreshed before.
    pub expires_at: Option<Time>,
    /// Why the last refresh failed; `None` if it did not.
    pub error: Option<String>,
}

/// What is shown of a grant.
pub async fn granted(sql: &mut impl Sql, id: GrantId) -> Result<Option<Granted>, Error> {
    let text = "SELECT g.user_id, p.id, p.name, g.expires_at, g.error FROM grants g \
                JOIN providers p ON p.id = g.provider_id WHERE g.id = $1";
    let Some(row) = sql.query_opt(text, params![id]).await? else { return Ok(None) };
    Ok(Some(Granted {
        holder: row.get(0)?,
        provider: row.get(1)?,
        provider_name: row.get(2)?,
        expires_at: row.get(3)?,
        error: row.get(4)?,
    }))
}

/// One mailbox.
pub async fn mailbox(sql: &mut impl Sql, id: MailboxId) -> Result<Option<Mailbox>, Error> {
    let rows = sql.query(&format!("{MAILBOX} WHERE m.id = $1"), params![id]).await?;
    let found = complete(sql, rows.iter().map(mailbox_of).collect::<Result<_, _>>()?).await?;
    Ok(found.into_iter().next())
}

/// Adds teams and folders to each.
async fn complete(sql: &mut impl Sql, mut mailboxes: Vec<Mailbox>) -> Result<Vec<Mailbox>, Error> {
    let ids = |mailboxes: &[Mailbox]| mailboxes.iter().map(|mailbox| params![mailbox.id]).collect();
    let teams = "SELECT t.id, t.name FROM mailbox_teams mt JOIN teams t ON t.id = mt.team_id \
                 WHERE mt.mailbox_id = $1 ORDER BY t.name";
    let folders = "SELECT id, name, read, after_filing, processed_folder FROM folders \
                   WHERE mailbox_id = $1 ORDER BY id";
    let teams = sql.query_many(teams, ids(&mailboxes)).await?;
    let folders = sql.query_many(folders, ids(&mailboxes)).await?;
    for (mailbox, (teams, folders)) in mailboxes.iter_mut().zip(teams.iter().zip(folders)) {
        let named = teams.iter().map(|row| Ok((row.get(0)?, row.get(1)?)));
        mailbox.teams = named.collect::<Result<_, Error>>()?;
        mailbox.folders = folders.iter().map(folder_of).collect::<Result<_, _>>()?;
    }
    Ok(mailboxes)
}

fn folder_of(row: &Row) -> Result<ChosenFolder, Error> {
    Ok(ChosenFolder {
        id: row.get(0)?,
        name: row.get(1)?,
        read: row.get(2)?,
        after_filing: word(AfterFiling::of, row, 3)?,
        processed_folder: row.get(4)?,
    })
}

/// Adds a mailbox with no secret, teams or folders yet; `mailbox.id` is ignored, the new one returned.
pub async fn add(tx: &mut Tx, mailbox: &Mailbox, at: Time) -> Result<MailboxId, Error> {
    let id = MailboxId(counters::take(tx, "mailboxes", 1).await?);
    let text = "INSERT INTO mailboxes (id, kind, address, name, protocol, host, port, tls, username, create_cases, \
                active, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    tx.execute(
        text,
        params![
            id,
            mailbox.kind.word(),
            &mailbox.address,
            &mailbox.name,
            mailbox.protocol.word(),
            &mailbox.host,
            mailbox.port,
            mailbox.tls.word(),
            &mailbox.username,
            mailbox.create_cases,
            mailbox.active,
            at
        ],
    )
    .await?;
    change(tx, &Mailbox { id, ..mailbox.clone() }).await?;
    Ok(id)
}

/// Writes a mailbox's settings; secrets, teams, folders and state have functions of their own.
pub async fn change(tx: &mut Tx, mailbox: &Mailbox) -> Result<(), Error> {
    let text = "UPDATE mailboxes SET kind = $2, address = $3, name = $4, owner_id = $5, process_id = $6, \
                protocol = $7, host = $8, port = $9, tls = $10, username = $11, create_cases = $12, active = $13, \
                keeper_id = $14, mode = $15, grant_id = $16, delete_on_server = $17, delete_after_days = $18, \
                shared = $19, alarm_after_s = $20, reach = $21, allow_plain = $22, starts = $23, \
                authserv_id = $24 WHERE id = $1";
    tx.execute(
        text,
        params![
            mailbox.id,
            mailbox.kind.word(),
            &mailbox.address,
            &mailbox.name,
            mailbox.owner,
            mailbox.process.as_ref().map(|(id, _)| *id),
            mailbox.protocol.word(),
            &mailbox.host,
            mailbox.port,
            mailbox.tls.word(),
            &mailbox.username,
            mailbox.create_cases,
            mailbox.active,
            mailbox.keeper,
            mailbox.mode.word(),
            mailbox.grant,
            mailbox.delete_on_server,
            mailbox.delete_after_days,
            mailbox.shared,
            mailbox.alarm_after_s,
            mailbox.reach.word(),
            mailbox.allow_plain,
            mailbox.starts,
            &mailbox.authserv_id
        ],
    )
    .await?;
    change_outgoing(tx, mailbox).await
}

async fn change_outgoing(tx: &mut Tx, mailbox: &Mailbox) -> Result<(), Error> {
    let none = Outgoing {
        host: String::new(),
        port: 0,
        tls: Tls::Implicit,
        username: String::new(),
        reach: Reach::Anywhere,
        has_secret: false,
        grant: None,
    };
    let outgoing = mailbox.outgoing.as_ref().unwrap_or(&none);
    let text = "UPDATE mailboxes SET smtp_host = $2, smtp_port = $3, smtp_tls = $4, smtp_username = $5, \
                smtp_reach = $6, smtp_grant_id = $7 WHERE id = $1";
    tx.execute(
        text,
        params![
            mailbox.id,
            &outgoing.host,
            outgoing.port,
            outgoing.tls.word(),
            &outgoing.username,
            outgoing.reach.word(),
            outgoing.grant
        ],
    )
    .await?;
    Ok(())
}

/// Notes that the first message was downloaded or synchronisation began: from now on the protocol is
/// locked. Nothing changes if it was noted before.
pub async fn begun(tx: &mut Tx, id: MailboxId, at: Time) -> Result<(), Error> {
    tx.execute("UPDATE mailboxes SET begun_at = $2 WHERE id = $1 AND begun_at IS NULL", params![id, at])
        .await?;
    Ok(())
}

/// Whether what lies in its folders when they are first read is history.
pub async fn is_history(sql: &mut impl Sql, id: MailboxId) -> Result<bool, Error> {
    let row = sql.query_opt("SELECT history FROM mailboxes WHERE id = $1", params![id]).await?;
    row.map_or(Ok(false), |row| row.get(0))
}

/// Makes what lies in its folders when they are first read history.
pub async fn set_history(tx: &mut Tx, id: MailboxId) -> Result<(), Error> {
    tx.execute("UPDATE mailboxes SET history = TRUE WHERE id = $1", params![id]).await.map(drop)
}

/// Stops the rounds with a question (JSON), or lets them run again.
pub async fn pause(tx: &mut Tx, id: MailboxId, why: Option<&str>) -> Result<(), Error> {
    tx.execute("UPDATE mailboxes SET paused = $2 WHERE id = $1", params![id, why.map(str::to_owned)]).await?;
    Ok(())
}

/// The sealed password.
pub async fn secret(sql: &mut impl Sql, id: MailboxId) -> Result<Option<Vec<u8>>, Error> {
    let row = sql.query_opt("SELECT secret FROM mailboxes WHERE id = $1", params![id]).await?;
    row.map_or(Ok(None), |row| row.get(0))
}

/// Any sealed password there is, to check the key with.
pub async fn any_secret(sql: &mut impl Sql) -> Result<Option<Vec<u8>>, Error> {
    let text = "SELECT COALESCE(secret, smtp_secret) FROM mailboxes \
                WHERE secret IS NOT NULL OR smtp_secret IS NOT NULL ORDER BY id LIMIT 1";
    sql.query_opt(text, params![]).await?.map(|row| row.get(0)).transpose()
}

/// Writes the sealed password, or forgets it.
pub async fn set_secret(tx: &mut Tx, id: MailboxId, sealed: Option<Vec<u8>>) -> Result<(), Error> {
    tx.execute("UPDATE mailboxes SET secret = $2 WHERE id = $1", params![id, sealed]).await?;
    Ok(())
}

/// The sealed password of outgoing mail.
pub async fn outgoing_secret(sql: &mut impl Sql, id: MailboxId) -> Result<Option<Vec<u8>>, Error> {
    let row = sql.query_opt("SELECT smtp_secret FROM mailboxes WHERE id = $1", params![id]).await?;
    row.map_or(Ok(None), |row| row.get(0))
}

/// Writes the sealed password of outgoing mail, or forgets it.
pub async fn set_outgoing_secret(tx: &mut Tx, id: MailboxId, sealed: Option<Vec<u8>>) -> Result<(), Error> {
    tx.execute("UPDATE mailboxes SET smtp_secret = $2 WHERE id = $1", params![id, sealed]).await?;
    Ok(())
}

/// Replaces the teams in charge.
pub async fn set_teams(tx: &mut Tx, id: MailboxId, teams: &[TeamId]) -> Result<(), Error> {
    tx.execute("DELETE FROM mailbox_teams WHERE mailbox_id = $1", params![id]).await?;
    let rows = teams.iter().map(|team| params![id, *team]).collect();
    let head = "INSERT INTO mailbox_teams (mailbox_id, team_id) VALUES";
    tx.insert_many(head, "ON CONFLICT DO NOTHING", rows).await?;
    Ok(())
}

/// Chooses the folders that are read. Known ones keep their id and where reading stands; those no
/// longer chosen are kept with their history and not read.
pub async fn choose_folders(
    tx: &mut Tx,
    id: MailboxId,
    chosen: &[(String, AfterFiling, Option<String>)],
) -> Result<(), Error> {
    let unread = "UPDATE folders SET read = $2 WHERE mailbox_id = $1";
    tx.execute(unread, params![id, false]).await?;
    let count = i64::try_from(chosen.len()).unwrap_or(i64::MAX);
    let first = counters::take(tx, "folders", count).await?;
    let rows = (first..).zip(chosen).map(|(folder, (name, after, processed))| {
        params![folder, id, name, true, after.word(), processed.clone(), 0i64, 0i64, "", "", 0i64]
    });
    let head = "INSERT INTO folders (id, mailbox_id, name, read, after_filing, processed_folder, uidvalidity, \
                cursor, listed, attempt, attempts) VALUES";
    let tail = "ON CONFLICT (mailbox_id, name) DO UPDATE SET read = excluded.read, \
                after_filing = excluded.after_filing, processed_folder = excluded.processed_folder";
    tx.insert_many(head, tail, rows.collect()).await?;
    Ok(())
}

/// Notes that a round came to its end.
pub async fn succeeded(tx: &mut Tx, id: MailboxId, at: Time) -> Result<(), Error> {
    let text =
        "UPDATE mailboxes SET last_success_at = $2, last_error = NULL, alarmed_at = NULL WHERE id = $1";
    tx.execute(text, params![id, at]).await?;
    Ok(())
}

/// Notes why a round failed, as JSON.
pub async fn failed(tx: &mut Tx, id: MailboxId, error: &str) -> Result<(), Error> {
    tx.execute("UPDATE mailboxes SET last_error = $2 WHERE id = $1", params![id, error]).await?;
    Ok(())
}
