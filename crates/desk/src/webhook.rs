//! Webhooks: other systems that rules report to, and the reports on their way.
//!
//! Rules report only to addresses that an administrator has named here: whoever may write a rule could have the
//! program knock at any door otherwise. A report says which rule matched which message, with its header fields and the
//! records it belongs to, and nothing of its text: whoever needs that asks for it with a token. It is signed with the
//! webhook's secret, so that the receiver knows whose it is, and says when it was sent, so that it cannot be replayed:
//! `X-Lettercase-Signature: t=1772438400,v1=` and the HMAC-SHA256 of `1772438400.` and the body, in hex.
//!
//! A report is a job, written in the transaction that files the message; the crate `sync` delivers it, at least once.
//! To a webhook that is switched off nothing is written down and nothing is sent; what was on its way is given up, and
//! can be sent again from the list of deliveries once it is on.
//!
//! Decided against redirects: they would lead anywhere.

use crate::mailbox::reach_now;
use crate::may::{Actor, Verb};
use crate::seal::Secret;
use crate::{Desk, Refusal, outgoing, rule};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use model::{Action, JobId, Reach, RuleId, Time};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use store::jobs::{self, Job, JobState, Webhook};
use store::rules::{self, Reference, Rule};
use store::sql::{Error, Tx};
use url::Url;

/// The kind of job a report is.
pub const KIND: &str = "webhook";
/// Webhooks there may be.
const MOST: usize = 100;
/// Longest address, in bytes.
const LONGEST_URL: usize = 1_000;
/// Waits between tries, in seconds; after the last one it is given up.
const WAITS_S: [i64; 7] = [10, 60, 300, 1_800, 7_200, 21_600, 43_200];
/// What was delivered is forgotten after this long, in seconds.
const KEPT_S: i64 = 14 * 86_400;
/// Longest reason that is kept, in characters.
const REASON_CHARS: usize = 500;

/// A report as it waits.
#[derive(Serialize, Deserialize)]
struct Report {
    url: String,
    body: String,
}

/// What a report tells, of its body.
#[derive(Deserialize)]
struct Event {
    event: String,
}

/// A report that is due.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The job.
    pub id: JobId,
    /// Where it goes.
    pub url: String,
    /// Which addresses its host may lead to.
    pub reach: Reach,
    /// What is sent: JSON.
    pub body: String,
    /// What proves whose it is, for the field `X-Lettercase-Signature`.
    pub signature: String,
}

/// A webhook, and the rules that report to it.
#[derive(Clone, Debug)]
pub struct Used {
    /// The webhook.
    pub webhook: Webhook,
    /// Id and name of each rule.
    pub rules: Vec<(RuleId, String)>,
}

/// A report with what became of it.
#[derive(Clone, Debug)]
pub struct Reported {
    /// How far it is.
    pub job: Job,
    /// Where it goes.
    pub url: String,
    /// What it tells: `rule` or `test`.
    pub event: String,
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    /// The other side has it.
    Taken,
    /// It may take it later.
    Later(String),
    /// It never will.
    Refused(String),
}

/// All webhooks by address, with the rules that report there.
pub async fn list(desk: &Desk, actor: &Actor) -> Result<Vec<Used>, Refusal> {
    actor.may(Verb::ChangeSystem)?;
    let mut reader = desk.db.snapshot().await?;
    let (webhooks, rules) = (jobs::webhooks(&mut reader).await?, rules::all(&mut reader).await?);
    let reports = |rule: &Rule, to: &str| {
        rule.actions.iter().any(|action| matches!(action, Action::Webhook { url } if url == to))
    };
    let used = |webhook: Webhook| {
        let rules = rules.iter().filter(|rule| reports(rule, &webhook.url));
        Used { rules: rules.map(|rule| (rule.id, rule.name.clone())).collect(), webhook }
    };
    Ok(webhooks.into_iter().map(used).collect())
}

/// Adds a webhook; its secret is told this once.
pub async fn add(desk: &Desk, actor: &Actor, url: &str) -> Result<(Webhook, Secret), Refusal> {
    actor.may(Verb::ChangeSystem)?;
    let url = checked_url(url)?;
    let mut tx = desk.db.begin().await?;
    if jobs::webhooks(&mut tx).await?.len() >= MOST {
        return Err(
            Refusal::conflict("too_many", format!("There are at most {MOST} webhooks.")).with("most", MOST)
        );
    }
    let secret = Secret::new(format!("whsec_{}", URL_SAFE_NO_PAD.encode(crate::random::bytes::<32>())));
    let id = jobs::next_webhook(&mut tx).await?;
    let sealed = desk.seal.seal(&place(id), &secret);
    let new = Webhook { id, url, secret: sealed, enabled: true, created_at: desk.clock.now() };
    if !jobs::add_webhook(&mut tx, &new).await? {
        return Err(Refusal::conflict("webhook_exists", "There is a webhook with this address."));
    }
    outgoing::tell(desk, &mut tx, "webhook_added").await?;
    tx.commit().await?;
    Ok((new, secret))
}

/// Removes a webhook; what is on its way to it is given up, and rules that report to it are switched off.
pub async fn remove(desk: &Desk, actor: &Actor, id: i64) -> Result<(), Refusal> {
    actor.may(Verb::ChangeSystem)?;
    let mut tx = desk.db.begin().await?;
    let all = jobs::webhooks(&mut tx).await?;
    let webhook = all.into_iter().find(|webhook| webhook.id == id).ok_or(Refusal::NotFound)?;
    jobs::remove_webhook(&mut tx, id).await?;
    rule::switch_off(desk, &mut tx, Reference::Webhook(webhook.url.clone()), &webhook.url).await?;
    outgoing::tell(desk, &mut tx, "webhook_removed").await?;
    Ok(tx.commit().await?)
}

/// Switches a webhook on or off.
pub async fn enable(desk: &Desk, actor: &Actor, id: i64, state: Switch) -> Result<(), Refusal> {
    actor.may(Verb::ChangeSystem)?;
    let mut tx = desk.db.begin().await?;
    if !jobs::enable_webhook(&mut tx, id, state == Switch::On).await? {
        return Err(Refusal::NotFound);
    }
    outgoing::tell(desk, &mut tx, "webhook_changed").await?;
    Ok(tx.commit().await?)
}

/// Whether anything is sent to a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// It is.
    On,
    /// It is not.
    Off,
}

/// Queues a report that tells nothing, so that somebody sees whether it arrives and is understood.
pub async fn test(desk: &Desk, actor: &Actor, id: i64) -> Result<JobId, Refusal> {
    actor.may(Verb::ChangeSystem)?;
    let mut tx = desk.db.begin().await?;
    let webhook = jobs::webhook_by_id(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    if !webhook.enabled {
        return Err(Refusal::conflict("webhook_off", "The webhook is switched off: switch it on first."));
    }
    let body = serde_json::json!({ "event": "test", "webhook": { "id": id } });
    let job = add_report(desk, &mut tx, webhook.url, &body).await?;
    outgoing::tell(desk, &mut tx, "webhook_due").await?;
    tx.commit().await?;
    Ok(job)
}

/// Reports with what became of them, the newest first, and how many there are.
pub async fn deliveries(
    desk: &Desk,
    actor: &Actor,
    offset: u64,
    limit: u32,
) -> Result<(i64, Vec<Reported>), Refusal> {
    actor.may(Verb::ChangeSystem)?;
    let mut reader = desk.db.snapshot().await?;
    let (total, rows) = jobs::page(&mut reader, offset, limit).await?;
    let reported = |job: Job| -> Result<Reported, anyhow::Error> {
        let report: Report = serde_json::from_str(&job.data)?;
        let Event { event } = serde_json::from_str(&report.body)?;
        Ok(Reported { url: report.url, event, job })
    };
    Ok((total, rows.into_iter().map(reported).collect::<Result<_, _>>()?))
}

/// Tries a report again that was given up.
pub async fn again(desk: &Desk, actor: &Actor, id: JobId) -> Result<(), Refusal> {
    actor.may(Verb::ChangeSystem)?;
    let mut tx = desk.db.begin().await?;
    jobs::get(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    if !jobs::again(&mut tx, id, desk.clock.now()).await? {
        return Err(Refusal::conflict("nothing_to_send", "Nothing of it failed."));
    }
    outgoing::tell(desk, &mut tx, "webhook_due").await?;
    Ok(tx.commit().await?)
}

/// Writes a report down, in the transaction of what it tells of, where somebody has named the address and it is
/// switched on; says so in a word.
pub(crate) async fn queue(
    desk: &Desk,
    tx: &mut Tx,
    url: &str,
    body: &serde_json::Value,
) -> Result<&'static str, Error> {
    match jobs::webhook_at(tx, url).await? {
        None => Ok("unknown_webhook"),
        Some(webhook) if !webhook.enabled => Ok("webhook_off"),
        Some(webhook) => add_report(desk, tx, webhook.url, body).await.map(|_| "done"),
    }
}

async fn add_report(desk: &Desk, tx: &mut Tx, url: String, body: &serde_json::Value) -> Result<JobId, Error> {
    let report = Report { url, body: body.to_string() };
    let data = serde_json::to_string(&report).expect("two texts are plain data");
    jobs::add(tx, KIND, &data, desk.clock.now()).await
}

/// A report as it is to be sent now. `None`: it is no longer to be sent, which is written down.
pub async fn delivery(desk: &Desk, id: JobId) -> Result<Option<Delivery>, Refusal> {
    let now = desk.clock.now();
    let mut reader = desk.db.snapshot().await?;
    let Some(job) = jobs::get(&mut reader, id).await? else { return Ok(None) };
    if job.state != JobState::Due || job.next_at > now {
        return Ok(None);
    }
    let report: Report = serde_json::from_str(&job.data).map_err(anyhow::Error::from)?;
    let webhook = jobs::webhook_at(&mut reader, &report.url).await?;
    drop(reader);
    let webhook = match webhook {
        Some(webhook) if webhook.enabled => webhook,
        gone => {
            let why = if gone.is_some() { "the webhook is switched off" } else { "the webhook was removed" };
            tried(desk, id, Tried::Refused(why.into())).await?;
            return Ok(None);
        }
    };
    let secret = desk.seal.open(&place(webhook.id), &webhook.secret)?;
    let host = Url::parse(&report.url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let reach = reach_now(desk, &host.unwrap_or_default(), Reach::Public).await?;
    let signature = signature(&secret, now, &report.body);
    Ok(Some(Delivery { id, url: report.url, reach, body: report.body, signature }))
}

/// What became of a try.
pub async fn tried(desk: &Desk, id: JobId, how: Tried) -> Result<(), Refusal> {
    let now = desk.clock.now();
    let mut tx = desk.db.begin().await?;
    let Some(job) = jobs::get(&mut tx, id).await? else { return Ok(()) };
    let wait = WAITS_S.get(usize::try_from(job.attempts).unwrap_or(usize::MAX));
    let cut = |why: &str| why.chars().take(REASON_CHARS).collect::<String>();
    match (how, wait) {
        (Tried::Taken, _) => jobs::tried(&mut tx, id, JobState::Done, None, now).await?,
        (Tried::Later(why), Some(wait)) => {
            jobs::tried(&mut tx, id, JobState::Due, Some(&cut(&why)), now.plus_s(*wait)).await?
        }
        (Tried::Later(why) | Tried::Refused(why), _) => {
            jobs::tried(&mut tx, id, JobState::Failed, Some(&cut(&why)), now).await?
        }
    }
    jobs::forget_done(&mut tx, now.plus_s(-KEPT_S)).await?;
    outgoing::tell(desk, &mut tx, "webhook_tried").await?;
    Ok(tx.commit().await?)
}

fn place(id: i64) -> String {
    format!("webhooks|{id}|secret")
}

fn checked_url(url: &str) -> Result<String, Refusal> {
    let refused = |message: &str| Refusal::invalid("url", "bad_url", message);
    let url = url.trim();
    let parsed =
        Url::parse(url).map_err(|_| refused("This is no address; like https://crm.acme.example/mail."))?;
    let local = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if parsed.scheme() != "https" && !(parsed.scheme() == "http" && local) {
        return Err(refused("A webhook's address begins with https://."));
    }
    if !parsed.username().is_empty() || parsed.password().is_some() || parsed.fragment().is_some() {
        return Err(refused("A webhook's address has no user name and no fragment."));
    }
    if url.len() > LONGEST_URL {
        return Err(Refusal::invalid("url", "too_long", format!("At most {LONGEST_URL} bytes."))
            .with("most", LONGEST_URL));
    }
    Ok(url.to_owned())
}

fn signature(secret: &Secret, now: Time, body: &str) -> String {
    let at_s = now.0 / 1_000_000;
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()).expect("a key may have any length");
    mac.update(format!("{at_s}.{body}").as_bytes());
    let mac = mac.finalize().into_bytes();
    let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={at_s},v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c6_a_report_is_signed_with_the_time_and_the_webhooks_secret() {
        // Made with: printf '1772438400.{}' | openssl dgst -sha256 -hmac x
        assert_eq!(
            signature(&Secret::new("x"), Time(1_772_438_400_000_000), "{}"),
            "t=1772438400,v1=9700a7dd596682d717e16a0fa53403e43b275da347bf187e47a573d1070bfdeb"
        );
    }

    #[test]
    fn t7_a_webhook_is_https_without_a_password() {
        for url in ["https://crm.acme.example/x?y=1", "http://127.0.0.1:8080/", " https://a.example "] {
            assert!(checked_url(url).is_ok(), "{url}");
        }
        for url in [
            "",
            "crm",
            "http://crm.acme.example/",
            "file:///etc/passwd",
            "gopher://a.example",
            "https://a:b@c.example",
            "https://a.example/#x",
        ] {
            assert!(checked_url(url).is_err(), "{url}");
        }
    }
}
