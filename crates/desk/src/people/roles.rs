//! Roles: what their holders may see and do; the built-in ones, and what an administrator makes of them.

use super::{ROLES_LOCK, checked_name, tell};
use crate::may::{Actor, Verb};
use crate::{Desk, Refusal};
use model::{GroupMail, Level, RoleId};
use store::people::{self, Role};
use store::sql::Tx;

/// The roles that are there from the beginning: name, administrator, mail, records, group mail. Only
/// administrators may connect mailboxes.
pub const BUILT_IN_ROLES: [(&str, bool, Level, Level, GroupMail); 5] = [
    ("Administrator", true, Level::All, Level::All, GroupMail::All),
    ("Lead", false, Level::All, Level::All, GroupMail::Team),
    ("Agent", false, Level::Team, Level::All, GroupMail::Team),
    ("Own mail", false, Level::Own, Level::Team, GroupMail::No),
    ("No mail", false, Level::No, Level::No, GroupMail::No),
];

/// The role of whoever gets none: they see no mail at all.
pub const DEFAULT_ROLE: &str = "No mail";

/// What is to be changed of a role; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct RoleChange {
    /// Its name.
    pub name: Option<String>,
    /// Sets up mailboxes, people and roles.
    pub administrator: Option<bool>,
    /// How far its holders see mail.
    pub mail: Option<Level>,
    /// How far they see records.
    pub records: Option<Level>,
    /// Whether they may connect personal mailboxes of their own.
    pub own_mailboxes: Option<bool>,
    /// From which shared group mailboxes they may send.
    pub group_mail: Option<GroupMail>,
}

/// All roles; the built-in ones are made where there are none.
pub(super) async fn roles(tx: &mut Tx) -> Result<Vec<Role>, Refusal> {
    tx.lock(ROLES_LOCK).await?;
    let roles = people::roles(tx).await?;
    if !roles.is_empty() {
        return Ok(roles);
    }
    for (name, administrator, mail, records, group_mail) in BUILT_IN_ROLES {
        let (id, name, own_mailboxes) = (RoleId(0), name.to_owned(), administrator);
        let role = Role { id, name, administrator, mail, records, own_mailboxes, group_mail };
        people::add_role(tx, &role).await?;
    }
    Ok(people::roles(tx).await?)
}

/// Adds a role; what is not said is no right.
pub async fn add_role(desk: &Desk, actor: &Actor, wanted: RoleChange) -> Result<Role, Refusal> {
    actor.may(Verb::ManagePeople)?;
    let none = Role {
        id: RoleId(0),
        name: String::new(),
        administrator: false,
        mail: Level::No,
        records: Level::No,
        own_mailboxes: false,
        group_mail: GroupMail::No,
    };
    let mut tx = desk.db.begin().await?;
    let all = roles(&mut tx).await?;
    let mut role = changed(&all, &none, wanted)?;
    role.name = checked_name("name", &role.name)?;
    role.id = people::add_role(&mut tx, &role).await?;
    tell(&mut tx, role.id.0, "role_added", desk.clock.now()).await?;
    tx.commit().await?;
    Ok(role)
}

/// Changes a role, a built-in one too. Its holders' rights change at once. The last role with an active
/// administrator stays one of administrators.
pub async fn change_role(
    desk: &Desk,
    actor: &Actor,
    id: RoleId,
    wanted: RoleChange,
) -> Result<Role, Refusal> {
    actor.may(Verb::ManagePeople)?;
    let mut tx = desk.db.begin().await?;
    let all = roles(&mut tx).await?;
    let before = all.iter().find(|role| role.id == id).ok_or(Refusal::NotFound)?;
    let after = changed(&all, before, wanted)?;
    if before.administrator && !after.administrator && no_other_administrator(&mut tx, id).await? {
        let message = "Its holders are the last administrators. Make somebody else one first.";
        return Err(Refusal::conflict("last_administrator", message));
    }
    people::change_role(&mut tx, &after).await?;
    tell(&mut tx, id.0, "role_changed", desk.clock.now()).await?;
    tx.commit().await?;
    Ok(after)
}

async fn no_other_administrator(tx: &mut Tx, role: RoleId) -> Result<bool, Refusal> {
    let holders = people::active_of_role(tx, role).await?;
    let all = people::administrators(tx).await?;
    Ok(all.iter().all(|user| holders.contains(user)))
}

fn changed(all: &[Role], before: &Role, wanted: RoleChange) -> Result<Role, Refusal> {
    let name = match wanted.name {
        Some(name) => checked_name("name", &name)?,
        None => before.name.clone(),
    };
    if all.iter().any(|other| other.id != before.id && other.name == name) {
        let message = format!("There is a role {name} already.");
        return Err(Refusal::conflict("role_taken", message).with("name", name));
    }
    Ok(Role {
        id: before.id,
        name,
        administrator: wanted.administrator.unwrap_or(before.administrator),
        mail: wanted.mail.unwrap_or(before.mail),
        records: wanted.records.unwrap_or(before.records),
        own_mailboxes: wanted.own_mailboxes.unwrap_or(before.own_mailboxes),
        group_mail: wanted.group_mail.unwrap_or(before.group_mail),
    })
}
