//! Users, roles, teams, processes: first set-up, and what an administrator does with them.

mod roles;

pub use roles::{BUILT_IN_ROLES, DEFAULT_ROLE, RoleChange, add_role, change_role};

use crate::may::{Actor, Verb};
use crate::sign_in::{self, LONGEST_PASSWORD, NewSession};
use crate::{Desk, Refusal, access, rule};
use model::{ProcessId, RoleId, TeamId, Time, UserId};
use roles::roles;
use store::changes::{self, Change, ChangeKind};
use store::people::{self, User};
use store::rules::{self, Reference};
use store::sql::Tx;

/// Shorter passwords are refused.
pub const SHORTEST_PASSWORD: usize = 10;
/// Longer logins are refused (the longest mail address, RFC 5321 section 4.5.3.1.3).
pub const LONGEST_LOGIN: usize = 254;
/// Longer names are refused.
pub const LONGEST_NAME: usize = 200;
/// Addresses one user may have.
pub const MOST_ADDRESSES: usize = 50;

model::words! {
    /// Languages of the interface.
    Language {
        /// English.
        English = "en",
        /// Czech.
        Czech = "cs",
        /// Slovak.
        Slovak = "sk",
        /// Polish.
        Polish = "pl",
    }
}

model::words! {
    /// Colours of the interface.
    Theme {
        /// As the system says.
        System = "system",
        /// Dark on light.
        Light = "light",
        /// Light on dark.
        Dark = "dark",
    }
}

model::words! {
    /// How close the rows of lists stand.
    Density {
        /// With air.
        Comfortable = "comfortable",
        /// More rows on the screen.
        Compact = "compact",
    }
}

/// A new user, as asked for.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Name as others see it.
    pub name: String,
    /// What they type to sign in.
    pub login: String,
    /// Their first password.
    pub password: crate::seal::Secret,
    /// Language of the interface.
    pub language: Language,
    /// Their role; [`DEFAULT_ROLE`] if none.
    pub role: Option<RoleId>,
    /// Their mail addresses.
    pub addresses: Vec<String>,
    /// Their teams.
    pub teams: Vec<TeamId>,
}

/// What is to be changed of a user; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// Name as others see it.
    pub name: Option<String>,
    /// A new password; ends their sessions.
    pub password: Option<crate::seal::Secret>,
    /// Their role; ends their sessions.
    pub role: Option<RoleId>,
    /// Whether they may sign in; switching off ends their sessions.
    pub active: Option<bool>,
    /// Their mail addresses, all of them.
    pub addresses: Option<Vec<String>>,
    /// Their teams, all of them.
    pub teams: Option<Vec<TeamId>>,
}

/// What somebody changes of their own settings; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct SettingsChange {
    /// Name as others see it.
    pub name: Option<String>,
    /// Language of the interface.
    pub language: Option<Language>,
    /// Colours.
    pub theme: Option<Theme>,
    /// How close rows stand.
    pub density: Option<Density>,
    /// Whether single keys do things.
    pub shortcuts: Option<bool>,
}

/// Whether nobody is there yet, so that [`set_up`] may be called.
pub async fn set_up_required(desk: &Desk) -> Result<bool, Refusal> {
    Ok(!people::any_user(&mut &desk.db).await?)
}

/// Makes the roles and the first user, an administrator, and signs them in. Refused as soon as there
/// is a user, also where two come at the same moment.
pub async fn set_up(desk: &Desk, new: NewUser) -> Result<NewSession, Refusal> {
    if !set_up_required(desk).await? {
        return Err(already_set_up());
    }
    let new = checked(new)?;
    let hash = sign_in::hash(new.password.reveal().to_owned()).await?;
    let now = desk.clock.now();
    let mut tx = desk.db.begin().await?;
    // Holds a lock until the commit: of two at the same moment, one waits here.
    let roles = roles(&mut tx).await?;
    if people::any_user(&mut tx).await? {
        return Err(already_set_up());
    }
    let administrator = roles.iter().find(|role| role.administrator).map(|role| role.id);
    let role = administrator.ok_or_else(|| anyhow::anyhow!("there is no role for administrators"))?;
    let id = insert(&mut tx, &new, role, &hash, now).await?;
    let user = people::user(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    let session = sign_in::begin_session(&mut tx, user, now).await?;
    tx.commit().await?;
    Ok(session)
}

fn already_set_up() -> Refusal {
    Refusal::conflict("already_set_up", "There is a user already. Sign in.")
}

/// Held while the first roles and the first user are made: "role" as a number.
const ROLES_LOCK: i64 = 0x726f_6c65;

/// Adds a user.
pub async fn add_user(desk: &Desk, actor: &Actor, new: NewUser) -> Result<User, Refusal> {
    actor.may(Verb::ManagePeople)?;
    let new = checked(new)?;
    let hash = sign_in::hash(new.password.reveal().to_owned()).await?;
    let mut tx = desk.db.begin().await?;
    let roles = roles(&mut tx).await?;
    let role = match new.role {
        Some(id) => roles.iter().find(|role| role.id == id).ok_or_else(|| no_such("role_id", "role"))?,
        None => roles
            .iter()
            .find(|role| role.name == DEFAULT_ROLE)
            .ok_or_else(|| invalid("role_id", "required", "choose a role"))?,
    };
    if people::user_by_login(&mut tx, &new.login).await?.is_some() {
        let message = format!("The login {} is taken.", new.login);
        return Err(Refusal::conflict("login_taken", message).with("login", new.login));
    }
    let id = insert(&mut tx, &new, role.id, &hash, desk.clock.now()).await?;
    let user = people::user(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    tx.commit().await?;
    reach_old_mail(desk).await;
    Ok(user)
}

async fn insert(tx: &mut Tx, new: &NewUser, role: RoleId, hash: &str, at: Time) -> Result<UserId, Refusal> {
    let row = people::NewUser {
        login: &new.login,
        name: &new.name,
        password_hash: hash,
        role,
        language: new.language.word(),
        at,
    };
    let id = people::add_user(tx, row).await?;
    set_addresses(tx, id, &new.addresses).await?;
    set_teams(tx, id, &new.teams).await?;
    tell(tx, id.0, "added", at).await?;
    Ok(id)
}

/// Changes a user. The last active administrator can be neither switched off nor given another role.
pub async fn change_user(
    desk: &Desk,
    actor: &Actor,
    id: UserId,
    change: UserChange,
) -> Result<User, Refusal> {
    actor.may(Verb::ManagePeople)?;
    let hash = match &change.password {
        Some(password) => Some(sign_in::hash(checked_password(password.reveal())?.to_owned()).await?),
        None => None,
    };
    let now = desk.clock.now();
    let mut tx = desk.db.begin().await?;
    tx.lock(ROLES_LOCK).await?;
    let mut user = people::user(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    let before = user.clone();
    if let Some(name) = &change.name {
        user.name = checked_name("name", name)?;
    }
    if let Some(role) = change.role {
        let roles = people::roles(&mut tx).await?;
        user.role = roles.into_iter().find(|r| r.id == role).ok_or_else(|| no_such("role_id", "role"))?;
    }
    user.active = change.active.unwrap_or(user.active);
    keep_an_administrator(&mut tx, &before, &user).await?;
    people::change_user(&mut tx, &user).await?;
    if user.active != before.active {
        // Filters of people who are not there are not tried.
        rules::changed(&mut tx).await?;
    }
    if before.active && !user.active {
        rule::switch_off(desk, &mut tx, Reference::User(id), &user.name).await?;
    }
    if let Some(addresses) = &change.addresses {
        set_addresses(&mut tx, id, &checked_addresses(addresses)?).await?;
    }
    if let Some(teams) = &change.teams {
        set_teams(&mut tx, id, teams).await?;
    }
    if let Some(hash) = &hash {
        people::change_password(&mut tx, id, hash).await?;
    }
    if hash.is_some() || user.role.id != before.role.id || !user.active {
        people::end_sessions_of(&mut tx, id).await?;
    }
    tell(&mut tx, id.0, "changed", now).await?;
    tx.commit().await?;
    reach_old_mail(desk).await;
    Ok(user)
}

/// What somebody may see follows their addresses.
async fn set_addresses(tx: &mut Tx, id: UserId, addresses: &[String]) -> Result<(), Refusal> {
    let before = people::addresses(tx, id).await?;
    access::owe(tx, id, &before, addresses).await?;
    Ok(people::set_addresses(tx, id, addresses).await?)
}

/// The change is made; what cannot be done of its consequences now is done by the next tick.
async fn reach_old_mail(desk: &Desk) {
    if let Err(error) = access::catch_up(desk, access::MOST_AT_ONCE).await {
        tracing::warn!(%error, "access to old mail follows changed addresses later");
    }
}

async fn keep_an_administrator(tx: &mut Tx, before: &User, after: &User) -> Result<(), Refusal> {
    let was = before.active && before.role.administrator;
    let is = after.active && after.role.administrator;
    if !was || is || people::other_administrators(tx, after.id).await? > 0 {
        return Ok(());
    }
    let message = "This is the last administrator. Make somebody else one first.";
    Err(Refusal::conflict("last_administrator", message))
}

/// Changes the actor's own settings.
pub async fn change_settings(desk: &Desk, actor: &Actor, change: SettingsChange) -> Result<User, Refusal> {
    actor.may(Verb::ChangeSettings)?;
    let id = actor.person()?;
    let mut tx = desk.db.begin().await?;
    let mut user = people::user(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    if let Some(name) = &change.name {
        user.name = checked_name("name", name)?;
    }
    if let Some(language) = change.language {
        user.language = language.word().to_owned();
    }
    if let Some(theme) = change.theme {
        user.theme = theme.word().to_owned();
    }
    if let Some(density) = change.density {
        user.density = density.word().to_owned();
    }
    user.shortcuts = change.shortcuts.unwrap_or(user.shortcuts);
    people::change_user(&mut tx, &user).await?;
    tell(&mut tx, id.0, "changed", desk.clock.now()).await?;
    tx.commit().await?;
    Ok(user)
}

/// The team of this name, made if new.
pub async fn add_team(desk: &Desk, actor: &Actor, name: &str) -> Result<TeamId, Refusal> {
    actor.may(Verb::ManagePeople)?;
    let name = checked_name("name", name)?;
    let mut tx = desk.db.begin().await?;
    let (id, new) = people::team_named(&mut tx, &name).await?;
    if new {
        tell(&mut tx, id.0, "team_added", desk.clock.now()).await?;
    }
    tx.commit().await?;
    Ok(id)
}

/// The process of this name, made if new.
pub async fn add_process(desk: &Desk, actor: &Actor, name: &str) -> Result<ProcessId, Refusal> {
    actor.may(Verb::ManagePeople)?;
    let name = checked_name("name", name)?;
    let mut tx = desk.db.begin().await?;
    let (id, new) = people::process_named(&mut tx, &name).await?;
    if new {
        tell(&mut tx, id.0, "process_added", desk.clock.now()).await?;
    }
    tx.commit().await?;
    Ok(id)
}

async fn tell(tx: &mut Tx, entity_id: i64, action: &'static str, at: Time) -> Result<(), Refusal> {
    let change = Change { kind: ChangeKind::User, entity_id, thread: None, action };
    changes::add(tx, change, at).await?;
    Ok(())
}

async fn set_teams(tx: &mut Tx, id: UserId, teams: &[TeamId]) -> Result<(), Refusal> {
    let known = people::teams(tx).await?;
    if !teams.iter().all(|team| known.iter().any(|(id, _)| id == team)) {
        return Err(no_such("teams", "team"));
    }
    Ok(people::set_teams(tx, id, teams).await?)
}

fn checked(new: NewUser) -> Result<NewUser, Refusal> {
    checked_password(new.password.reveal())?;
    Ok(NewUser {
        name: checked_name("name", &new.name)?,
        login: checked_login(&new.login)?,
        addresses: checked_addresses(&new.addresses)?,
        ..new
    })
}

fn checked_login(login: &str) -> Result<String, Refusal> {
    let login = sign_in::folded(login);
    let odd = |c: char| c.is_whitespace() || c.is_control();
    if login.is_empty() || login.len() > LONGEST_LOGIN || login.contains(odd) {
        return Err(invalid("login", "bad_login", "a name or mail address without blanks"));
    }
    Ok(login)
}

fn checked_password(password: &str) -> Result<&str, Refusal> {
    if password.chars().count() < SHORTEST_PASSWORD {
        return Err(invalid("password", "too_short", format!("at least {SHORTEST_PASSWORD} characters"))
            .with("least", SHORTEST_PASSWORD));
    }
    if password.len() > LONGEST_PASSWORD {
        return Err(invalid("password", "too_long", format!("at most {LONGEST_PASSWORD} bytes"))
            .with("most", LONGEST_PASSWORD));
    }
    Ok(password)
}

/// A name without surrounding blanks, not empty and not endless.
pub(crate) fn checked_name(field: &'static str, name: &str) -> Result<String, Refusal> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(char::is_control) {
        return Err(invalid(
            field,
            "bad_name",
            format!("a name of 1 to {LONGEST_NAME} characters, on one line"),
        )
        .with("most", LONGEST_NAME));
    }
    Ok(name.to_owned())
}

fn checked_addresses(addresses: &[String]) -> Result<Vec<String>, Refusal> {
    if addresses.len() > MOST_ADDRESSES {
        return Err(invalid("addresses", "too_many", format!("at most {MOST_ADDRESSES}"))
            .with("most", MOST_ADDRESSES));
    }
    let mut out: Vec<String> =
        addresses.iter().map(|address| checked_address("addresses", address)).collect::<Result<_, _>>()?;
    out.sort();
    out.dedup();
    Ok(out)
}

/// A mail address in lower case: something, one @, something, nothing that would break a header.
pub(crate) fn checked_address(field: &'static str, address: &str) -> Result<String, Refusal> {
    let address = address.trim().to_lowercase();
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>,;\"()[]".contains(c);
    let whole = address
        .split_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'));
    if !whole || address.contains(odd) || address.len() > LONGEST_LOGIN {
        return Err(invalid(
            field,
            "bad_address",
            format!("{address:?} is no mail address; like ann@company.example"),
        )
        .with("address", address));
    }
    Ok(address)
}

pub(crate) fn invalid(field: &'static str, code: &'static str, message: impl Into<String>) -> Refusal {
    Refusal::invalid(field, code, message)
}

fn no_such(field: &'static str, what: &str) -> Refusal {
    invalid(field, "unknown", format!("there is no such {what}"))
}

/// A role by its name, for whoever has no list to choose from.
pub async fn role_named(desk: &Desk, actor: &Actor, name: &str) -> Result<RoleId, Refusal> {
    actor.may(Verb::ManagePeople)?;
    let mut tx = desk.db.begin().await?;
    let roles = roles(&mut tx).await?;
    tx.commit().await?;
    let names: Vec<&str> = roles.iter().map(|role| role.name.as_str()).collect();
    let found = roles.iter().find(|role| role.name == name);
    found
        .map(|role| role.id)
        .ok_or_else(|| invalid("role", "unknown", format!("there are these roles: {}", names.join(", "))))
}

/// A team by its name, made if new.
pub async fn team_named(desk: &Desk, actor: &Actor, name: &str) -> Result<TeamId, Refusal> {
    actor.may(Verb::ManagePeople)?;
    let name = checked_name("team", name)?;
    let mut tx = desk.db.begin().await?;
    let (id, is_new) = people::team_named(&mut tx, &name).await?;
    if is_new {
        tell(&mut tx, id.0, "team_added", desk.clock.now()).await?;
    }
    tx.commit().await?;
    Ok(id)
}
