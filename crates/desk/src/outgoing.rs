//! Outgoing mail of the system itself: notices and other mail that no person sends.
//!
//! It goes through a server of its own, or, where the setting has an address and no server, through the
//! group mailbox of that address. The password is kept and forgotten like a mailbox's.

use crate::mailbox::Credential;
use crate::may::{Actor, Verb};
use crate::people::{checked_address, invalid};
use crate::seal::Secret;
use crate::sending::SendingLogin;
use crate::{Desk, Refusal, mailbox};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::{MailboxId, MailboxKind, Reach, Tls};
use serde::{Deserialize, Serialize};
use store::changes::{self, Change, ChangeKind};
use store::mailboxes;
use store::settings;
use store::sql::{Error, Sql, Tx};

/// The setting's name.
const SETTING: &str = "outgoing";
/// Where its password is kept, as the seal names it.
const PLACE: &str = "settings|outgoing|secret";

/// The setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The address that system mail comes from; empty: none is sent.
    pub address: String,
    /// Where the server is; empty: the group mailbox of the address sends.
    pub host: String,
    /// On which port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Who signs in.
    pub username: String,
    /// Whether a password is stored.
    pub has_password: bool,
}

/// What the setting comes to.
#[derive(Clone, Debug)]
pub enum System {
    /// No mail of the system goes out.
    None,
    /// Through a group mailbox.
    Mailbox {
        /// Which.
        id: MailboxId,
        /// Its address.
        address: String,
    },
    /// Through a server of its own.
    Server {
        /// The address it comes from.
        address: String,
        /// The server and who signs in there.
        login: Box<SendingLogin>,
    },
}

/// The setting as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    address: String,
    host: String,
    port: u16,
    tls: Tls,
    username: String,
    /// The sealed password in base64.
    secret: Option<String>,
}

/// The setting as it stands.
pub async fn get(desk: &Desk, actor: &Actor) -> Result<Outgoing, Refusal> {
    actor.may(Verb::ChangeSystem)?;
    Ok(shown(kept(&mut &desk.db).await?))
}

/// Sets it. Without a server, the address must be that of a group mailbox that sends; the password is
/// forgotten if server, port, protection or user change and it is not entered again.
pub async fn set(
    desk: &Desk,
    actor: &Actor,
    wanted: Outgoing,
    password: Option<Secret>,
) -> Result<Outgoing, Refusal> {
    actor.may(Verb::ChangeSystem)?;
    let mut tx = desk.db.begin().await?;
    let before = kept(&mut tx).await?;
    let mut after = checked(&mut tx, wanted).await?;
    let same = |before: &Kept| {
        (&before.host, before.port, before.tls, &before.username)
            == (&after.host, after.port, after.tls, &after.username)
    };
    after.secret = match password.filter(|password| !password.reveal().is_empty()) {
        _ if after.host.is_empty() => None,
        Some(password) => Some(STANDARD.encode(desk.seal.seal(PLACE, &password))),
        None => before.filter(same).and_then(|before| before.secret),
    };
    let text = serde_json::to_string(&after).map_err(anyhow::Error::from)?;
    settings::set(&mut tx, SETTING, &text).await?;
    tell(desk, &mut tx, "outgoing").await?;
    tx.commit().await?;
    Ok(shown(Some(after)))
}

async fn checked(tx: &mut Tx, wanted: Outgoing) -> Result<Kept, Refusal> {
    let Outgoing { address, host, port, tls, username, .. } = wanted;
    let none = Kept {
        address: String::new(),
        host: String::new(),
        port: 0,
        tls,
        username: String::new(),
        secret: None,
    };
    let address = match address.trim() {
        "" if host.trim().is_empty() => return Ok(none),
        address => checked_address("address", address)?,
    };
    if host.trim().is_empty() {
        if through(tx, &address).await?.is_none() {
            let message = format!(
                "no group mailbox with an outgoing server has the address {address}: enter a server, or the address of one that has"
            );
            return Err(invalid("address", "no_such_mailbox", message).with("address", address));
        }
        return Ok(Kept { address, ..none });
    }
    let (host, port, username) = mailbox::checked_server(&host, port, &username, tls)?;
    Ok(Kept { address, host, port, tls, username, secret: None })
}

/// The group mailbox of an address that sends, the first where there are several.
async fn through(sql: &mut impl Sql, address: &str) -> Result<Option<MailboxId>, Error> {
    let all = mailboxes::at(sql, address).await?;
    let sends = all.into_iter().find(|one| one.kind == MailboxKind::Group && one.outgoing.is_some());
    Ok(sends.map(|one| one.id))
}

/// The address that the system's mail comes from, and the mailbox it goes through (`None`: a server of its own);
/// nothing where no mail of the system goes out.
pub(crate) async fn sender(sql: &mut impl Sql) -> Result<Option<(String, Option<MailboxId>)>, Error> {
    let Some(kept) = kept(sql).await?.filter(|kept| !kept.address.is_empty()) else { return Ok(None) };
    if !kept.host.is_empty() {
        return Ok(Some((kept.address, None)));
    }
    let through = through(sql, &kept.address).await?;
    Ok(through.map(|id| (kept.address, Some(id))))
}

/// Through what the system's mail goes out.
pub async fn system(desk: &Desk) -> Result<System, Refusal> {
    let mut reader = desk.db.snapshot().await?;
    let Some(kept) = kept(&mut reader).await?.filter(|kept| !kept.address.is_empty()) else {
        return Ok(System::None);
    };
    if kept.host.is_empty() {
        let id = through(&mut reader, &kept.address).await?;
        return Ok(id.map_or(System::None, |id| System::Mailbox { id, address: kept.address }));
    }
    let Some(secret) = kept.secret else { return Ok(System::None) };
    let sealed = STANDARD.decode(secret).map_err(anyhow::Error::from)?;
    let password = Credential::Password(desk.seal.open(PLACE, &sealed)?);
    let login = SendingLogin {
        host: kept.host,
        port: kept.port,
        tls: kept.tls,
        reach: Reach::Anywhere,
        account: Some((kept.username, password)),
    };
    Ok(System::Server { address: kept.address, login: Box::new(login) })
}

async fn kept(sql: &mut impl Sql) -> Result<Option<Kept>, Error> {
    let Some(text) = settings::get(sql, SETTING).await? else { return Ok(None) };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| Error::Other(format!("the setting {SETTING}: {error}")))
}

fn shown(kept: Option<Kept>) -> Outgoing {
    match kept {
        None => Outgoing {
            address: String::new(),
            host: String::new(),
            port: 0,
            tls: Tls::Implicit,
            username: String::new(),
            has_password: false,
        },
        Some(Kept { address, host, port, tls, username, secret }) => {
            Outgoing { address, host, port, tls, username, has_password: secret.is_some() }
        }
    }
}

/// Leaves a change of the system's settings.
pub(crate) async fn tell(desk: &Desk, tx: &mut Tx, action: &'static str) -> Result<(), Error> {
    let change = Change { kind: ChangeKind::System, entity_id: 0, thread: None, action };
    changes::add(tx, change, desk.clock.now()).await.map(drop)
}
