//! Acme in the middle of a week: Support shares its cases in turn, one of them is away, one case is put off.

use super::id_of;
use crate::api::Api;
use crate::sample::Mailbox;
use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// The team that shares what comes to the helpdesk.
const TEAM: &str = "Support";
/// Cases that wait for the team already and are handed to it, so that its members have something to do.
const HANDED: usize = 9;

/// Sets this up once the mail is filed, always the same: only the moments depend on the day.
///
/// # Errors
/// When the API refuses.
pub fn enliven(api: &mut Api) -> Result<()> {
    let team = id_of(&named(&api.get("/teams")?, "name", TEAM)?)?;
    let mailbox = named(&api.get("/mailboxes")?["rows"], "address", Mailbox::Helpdesk.address())?;
    let sharing = json!({"distribution": "round_robin", "team_id": team, "reply_within_min": 8 * 60});
    api.patch(&format!("/mailboxes/{}/distribution", id_of(&mailbox)?), &sharing)?;

    let users = api.get("/users")?;
    let user = |login: &str| named(&users, "login", login).and_then(|user| id_of(&user));
    let (hana, igor) = (user("hana@acme.example")?, user("igor@acme.example")?);
    let away = json!({"away_from": day(-2), "away_until": day(5), "deputy_id": hana});
    api.patch(&format!("/users/{igor}/availability"), &away)?;
    api.patch(&format!("/users/{hana}/availability"), &json!({"capacity": 12}))?;

    answer_by_itself(api, id_of(&mailbox)?)?;
    sort_newsletters(api, id_of(&mailbox)?)?;

    let waiting = api.get(&format!("/threads?view=unassigned&team={team}&limit={HANDED}"))?;
    let rows = waiting["rows"].as_array().context("no list of threads")?;
    for row in rows {
        api.post(&format!("/threads/{}/hand", id_of(row)?), &json!({"team": team}))?;
    }
    let case = |at: usize| rows.get(at).map(|row| format!("/cases/{}", row["case"]["id"]));
    if let Some(later) = case(1) {
        api.patch(&later, &json!({"snoozed_until": day(1)}))?;
    }
    if let Some(urgent) = case(2) {
        api.patch(&urgent, &json!({"priority": "high"}))?;
    }
    Ok(())
}

/// The helpdesk answers the first mail of a case.
fn answer_by_itself(api: &mut Api, mailbox: i64) -> Result<()> {
    let text = |language, body| json!({"language": language, "subject": "", "body": body});
    let texts = [
        text(
            "cs",
            "Dobrý den, {{customer.name}},\n\nVaši zprávu jsme přijali pod číslem {{case.number}}. \
                    Ozveme se do jednoho pracovního dne.\n\n{{mailbox.name}}",
        ),
        text(
            "sk",
            "Dobrý deň, {{customer.name}},\n\nVašu správu sme prijali pod číslom {{case.number}}. \
                    Ozveme sa do jedného pracovného dňa.\n\n{{mailbox.name}}",
        ),
        text(
            "pl",
            "Dzień dobry, {{customer.name}},\n\nPaństwa wiadomość przyjęliśmy pod numerem {{case.number}}. \
                    Odpowiemy w ciągu jednego dnia roboczego.\n\n{{mailbox.name}}",
        ),
        text(
            "en",
            "Hello {{customer.name}},\n\nWe have your message; its number is {{case.number}}. \
                    We answer within one working day.\n\n{{mailbox.name}}",
        ),
    ];
    let template = id_of(&api.post("/templates", &json!({"name": "We have your message", "texts": texts}))?)?;
    api.put(&format!("/auto-replies/{mailbox}"), &json!({"template_id": template}))?;
    Ok(())
}

/// Newsletters bear a label and are nobody's unread mail.
fn sort_newsletters(api: &mut Api, mailbox: i64) -> Result<()> {
    let label = id_of(&api.post("/labels", &json!({"name": "Newsletters"}))?)?;
    let conditions = [json!({"field": "nature", "test": "equals", "value": "list"})];
    let actions = [json!({"do": "label", "label": label}), json!({"do": "mark_read"})];
    let rule = json!({"kind": "rule", "mailbox": mailbox, "name": "Newsletters", "conditions": conditions,
                      "actions": actions});
    api.post("/rules", &rule)?;
    Ok(())
}

/// Now, some days on.
fn day(on: i64) -> String {
    (Timestamp::now() + SignedDuration::from_hours(24 * on)).to_string()
}

/// The one of a list that has this.
fn named(rows: &Value, field: &str, value: &str) -> Result<Value> {
    let found = rows.as_array().into_iter().flatten().find(|row| row[field] == value);
    found.cloned().with_context(|| format!("nothing whose {field} is {value}"))
}
