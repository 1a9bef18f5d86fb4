//! Acme at work: the sample's mail on a real Dovecot, and a Lettercase set up for it through its API.

mod life;
mod post;

pub use life::enliven;
pub use post::Post;

use crate::api::Api;
use crate::dovecot::{Dovecot, Options};
use crate::sample::{INBOX, Mailbox, Record, SENT, SampleMail, records};
use anyhow::{Context, Result, bail};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Who signs in.
#[derive(Clone, Copy, Debug)]
pub struct User {
    /// Their name.
    pub name: &'static str,
    /// What they type.
    pub login: &'static str,
    /// The name of their role.
    pub role: &'static str,
    /// The team they are in.
    pub team: Option<&'static str>,
}

/// Everybody's password.
pub const PASSWORD: &str = "demo-2026-acme";

/// The administrator.
pub const ADMINISTRATOR: User =
    User { name: "Ann Horáková", login: "ann@acme.example", role: "Administrator", team: None };

/// The others.
pub const USERS: [User; 7] = [
    User { name: "Dana Marková", login: "dana@acme.example", role: "Agent", team: Some("Support") },
    User { name: "Hana Dvořáková", login: "hana@acme.example", role: "Agent", team: Some("Support") },
    User { name: "Igor Kováč", login: "igor@acme.example", role: "Agent", team: Some("Support") },
    User { name: "Emil Havel", login: "emil@acme.example", role: "Agent", team: Some("Sales") },
    User { name: "Gita Sýkorová", login: "gita@acme.example", role: "Agent", team: Some("Press office") },
    User { name: "Ben Krejčí", login: "ben@acme.example", role: "Own mail", team: None },
    User { name: "Carla Benešová", login: "carla@acme.example", role: "Own mail", team: None },
];

/// A Dovecot with these mails in it.
///
/// # Errors
/// When Dovecot does not start or the mails cannot be written.
pub fn mail_server(mails: &[SampleMail]) -> Result<Dovecot> {
    // Sent mail counts as read; new mail is told within a second or two, not after half a minute.
    let extra = "mailbox_idle_check_interval = 2 secs\n".to_owned();
    let dovecot = Dovecot::try_start(&Options { extra_config: extra, ..Options::default() })?;
    for mailbox in Mailbox::ALL {
        for folder in [INBOX, SENT] {
            let its = mails.iter().filter(|mail| mail.mailbox == mailbox && mail.folder == folder);
            dovecot.fill_dated(mailbox.address(), folder, its.map(|mail| (mail.at, &mail.bytes)))?;
        }
    }
    Ok(dovecot)
}

/// Makes the administrator of an empty Lettercase and signs in.
///
/// # Errors
/// When the API refuses.
pub fn administrator(api: &mut Api) -> Result<()> {
    let User { name, login, .. } = ADMINISTRATOR;
    api.post("/setup", &json!({"name": name, "login": login, "password": PASSWORD, "language": "en"}))?;
    Ok(())
}

/// Adds the users, then the CRM's records, then connects the mailboxes, which begins the first scan. They send through
/// `post`, where there is one.
///
/// # Errors
/// When the API refuses.
pub fn set_up(api: &mut Api, dovecot: &Dovecot, post: Option<&Post>) -> Result<()> {
    let users = add_users(api)?;
    add_records(api, &users)?;
    for mailbox in Mailbox::ALL {
        let mut form = connection(mailbox, dovecot, &users);
        if let Some(post) = post {
            form["outgoing"] = post.connection();
            form["shared"] = json!(mailbox.process_and_team().is_some());
        }
        api.post("/mailboxes", &form).with_context(|| format!("connecting {}", mailbox.address()))?;
    }
    Ok(())
}

/// Ids by login.
fn add_users(api: &mut Api) -> Result<HashMap<&'static str, i64>> {
    let mut teams = HashMap::new();
    for (_, team) in Mailbox::ALL.iter().filter_map(|mailbox| mailbox.process_and_team()) {
        teams.insert(team, id_of(&api.post("/teams", &json!({"name": team}))?)?);
    }
    let roles = api.get("/roles")?;
    let roles = roles.as_array().or(roles["rows"].as_array()).context("no list of roles")?.clone();
    let mut ids = HashMap::new();
    for user in USERS {
        let role = roles.iter().find(|role| role["name"] == user.role).context(user.role)?;
        let teams: Vec<_> = user.team.and_then(|team| teams.get(team)).into_iter().collect();
        let form = json!({
            "name": user.name, "login": user.login, "password": PASSWORD, "language": "en",
            "role_id": id_of(role)?, "teams": teams, "addresses": [user.login],
        });
        ids.insert(user.login, id_of(&api.post("/users", &form)?)?);
    }
    Ok(ids)
}

fn add_records(api: &mut Api, users: &HashMap<&str, i64>) -> Result<()> {
    let mut accounts = HashMap::new();
    for (number, record) in records().into_iter().enumerate() {
        let mut form = form_of(&record, &accounts, users);
        form["external_id"] = json!(format!("crm-{}", number + 1));
        let id = id_of(&api.post("/records", &form)?)?;
        accounts.insert(record.name, id);
    }
    Ok(())
}

/// What the API is told about a record.
fn form_of(record: &Record, accounts: &HashMap<String, i64>, users: &HashMap<&str, i64>) -> Value {
    let fields: serde_json::Map<_, _> =
        record.fields.iter().map(|(label, value)| ((*label).to_owned(), json!(value))).collect();
    let mut form = json!({"kind": record.kind, "name": record.name, "fields": fields});
    if !record.addresses.is_empty() {
        form["addresses"] = json!(record.addresses);
    }
    if !record.domains.is_empty() {
        form["domains"] = json!(record.domains);
    }
    if let Some(account) = &record.account {
        form["account_id"] = json!(accounts.get(account));
        let further = record.further.iter().filter_map(|name| accounts.get(*name));
        form["further_account_ids"] = json!(further.collect::<Vec<_>>());
    }
    if let Some(stage) = record.stage {
        form["stage"] = json!(stage);
    }
    if let Some(login) = record.assignee {
        form["assignee_id"] = json!(users.get(login));
    }
    if let Some((amount, currency, days)) = record.worth {
        let day = Timestamp::now() + SignedDuration::from_hours(24 * days);
        form["amount"] = json!(amount);
        form["currency"] = json!(currency);
        form["closes_on"] = json!(day.to_string()[..10]);
    }
    form
}

/// What the API is told about a mailbox: INBOX is moved to Processed, Acme's own mail stays where it is.
fn connection(mailbox: Mailbox, dovecot: &Dovecot, users: &HashMap<&str, i64>) -> Value {
    let mut form = json!({
        "kind": "personal",
        "address": mailbox.address(),
        "name": mailbox.name(),
        "host": dovecot.host,
        "port": dovecot.imap_port,
        "tls": "none",
        "username": mailbox.address(),
        "password": dovecot.password,
        "folders": [
            {"name": INBOX, "after_filing": "move", "processed_folder": "Processed"},
            {"name": SENT, "after_filing": "leave"},
        ],
        "active": true,
    });
    match mailbox.process_and_team() {
        Some((process, team)) => {
            form["kind"] = json!("group");
            form["process"] = json!(process);
            form["team"] = json!(team);
            form["create_cases"] = json!(true);
        }
        None => form["owner_id"] = json!(users.get(mailbox.address())),
    }
    form
}

fn id_of(value: &Value) -> Result<i64> {
    value["id"].as_i64().with_context(|| format!("no id in {value}"))
}

/// How many mails have their place now: filed, filtered or quarantined.
///
/// # Errors
/// When the API refuses, or a mailbox cannot be read.
pub fn settled(api: &mut Api) -> Result<u64> {
    let mut sum = 0;
    let answer = api.get("/mailboxes")?;
    for mailbox in answer["rows"].as_array().context("no list of mailboxes")? {
        if mailbox["state"]["phase"] == "failed" {
            bail!("{} cannot be read: {}", mailbox["address"], mailbox["state"]["last_error"]);
        }
        let ledger = &mailbox["ledger"];
        sum +=
            ["filed", "filtered", "quarantined"].iter().filter_map(|word| ledger[word].as_u64()).sum::<u64>();
    }
    Ok(sum)
}
