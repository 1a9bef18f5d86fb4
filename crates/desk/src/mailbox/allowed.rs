//! Hosts inside the company that everybody may name in a mailbox.
//!
//! Whoever is not administrator may have the program connect only to public addresses: a form for
//! mailboxes would otherwise be a way to look around inside. A company that runs its own mail server
//! inside names it here.

use super::checked::checked_host;
use crate::may::{Actor, Verb};
use crate::people::invalid;
use crate::{Desk, Refusal};
use model::Reach;
use store::settings;
use store::sql::{Error, Sql};

/// The setting's name: a JSON list of host names.
const SETTING: &str = "allowed_hosts";
/// Hosts that may be named.
const MOST: usize = 100;

/// The hosts that everybody may name.
pub async fn allowed_hosts(desk: &Desk, actor: &Actor) -> Result<Vec<String>, Refusal> {
    actor.may(Verb::ChangeSystem)?;
    Ok(hosts(&mut &desk.db).await?)
}

/// Replaces them.
pub async fn allow_hosts(desk: &Desk, actor: &Actor, hosts: &[String]) -> Result<Vec<String>, Refusal> {
    actor.may(Verb::ChangeSystem)?;
    if hosts.len() > MOST {
        return Err(invalid("hosts", "too_many", format!("at most {MOST}")).with("most", MOST));
    }
    let mut checked: Vec<String> =
        hosts.iter().map(|host| checked_host("hosts", host)).collect::<Result<_, _>>()?;
    checked.sort();
    checked.dedup();
    let text = serde_json::to_string(&checked).map_err(anyhow::Error::from)?;
    let mut tx = desk.db.begin().await?;
    settings::set(&mut tx, SETTING, &text).await?;
    crate::outgoing::tell(desk, &mut tx, "allowed_hosts").await?;
    tx.commit().await?;
    Ok(checked)
}

async fn hosts(sql: &mut impl Sql) -> Result<Vec<String>, Error> {
    let text = settings::get(sql, SETTING).await?;
    // A list that cannot be read allows nothing.
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

/// As [`reach`], as things stand now.
pub(crate) async fn reach_now(desk: &Desk, host: &str, chosen: Reach) -> Result<Reach, Error> {
    reach(&mut &desk.db, host, chosen).await
}

/// Where a host may be that was chosen with this reach.
pub(crate) async fn reach(sql: &mut impl Sql, host: &str, reach: Reach) -> Result<Reach, Error> {
    match reach {
        Reach::Anywhere => Ok(Reach::Anywhere),
        Reach::Public if hosts(sql).await?.iter().any(|allowed| allowed == host) => Ok(Reach::Anywhere),
        Reach::Public => Ok(Reach::Public),
    }
}
