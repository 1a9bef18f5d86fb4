//! Templates: kept texts with variables that answers are made from, each in several languages.
//!
//! `{{customer.name}}` is replaced by what is known, `{{customer.name|Sir or Madam}}` says what stands there where
//! nothing is; without that, the variable's own fallback does ([`variables`]). A name that is no variable is refused
//! when the template is saved. What is put in is never looked at again: a customer who calls himself
//! `{{case.number}}` is greeted so.

pub mod variables;

use crate::may::{Actor, Verb};
use crate::{Desk, Refusal, outgoing, rule};
use model::{MailboxId, TemplateId, ThreadId};
use std::collections::BTreeSet;
use store::mailboxes;
use store::rules::Reference;
use store::sql::{Sql, Tx};
use store::templates::{self, Template, Text};
use variables::Values;

/// Languages of one template.
const MOST_TEXTS: usize = 30;
/// Longest name, in bytes.
const LONGEST_NAME: usize = 200;
/// Longest subject, in bytes.
const LONGEST_SUBJECT: usize = 500;
/// Longest text, in bytes.
const LONGEST_BODY: usize = 50_000;

/// What is to change; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct TemplateChange {
    /// Its name.
    pub name: Option<String>,
    /// Its texts, all of them.
    pub texts: Option<Vec<Text>>,
    /// The version the change was thought for; without one the newest wins.
    pub version: Option<i64>,
}

/// A text with its variables replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The language that was taken.
    pub language: String,
    /// The subject.
    pub subject: String,
    /// The text.
    pub body: String,
    /// Variables for which nothing was known.
    pub missing: Vec<&'static str>,
}

/// What is to be looked at: a template as it is kept, or as it is being written.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// In which language; without one the first.
    pub language: Option<String>,
    /// Subject and text that are not saved.
    pub draft: Option<(String, String)>,
    /// With the values of this thread.
    pub thread: Option<ThreadId>,
}

/// All templates by name.
pub async fn list(desk: &Desk, actor: &Actor) -> Result<Vec<Template>, Refusal> {
    actor.may(Verb::ReadTemplates)?;
    let mut reader = desk.db.snapshot().await?;
    Ok(templates::all(&mut reader).await?)
}

/// One template.
pub async fn get(desk: &Desk, actor: &Actor, id: TemplateId) -> Result<Template, Refusal> {
    actor.may(Verb::ReadTemplates)?;
    let mut reader = desk.db.snapshot().await?;
    templates::get(&mut reader, id).await?.ok_or(Refusal::NotFound)
}

/// Adds a template.
pub async fn add(desk: &Desk, actor: &Actor, name: &str, texts: Vec<Text>) -> Result<Template, Refusal> {
    actor.may(Verb::ManageTemplates)?;
    let (name, texts) = (checked_name(name)?, checked_texts(texts)?);
    let mut tx = desk.db.begin().await?;
    let id = templates::add(&mut tx, &name, desk.clock.now()).await?.ok_or_else(|| taken(&name))?;
    templates::set_texts(&mut tx, id, &texts).await?;
    finished(desk, tx, id, "template_added").await
}

/// Changes a template.
pub async fn change(
    desk: &Desk,
    actor: &Actor,
    id: TemplateId,
    wanted: TemplateChange,
) -> Result<Template, Refusal> {
    actor.may(Verb::ManageTemplates)?;
    let mut tx = desk.db.begin().await?;
    let before = templates::get(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    if wanted.version.is_some_and(|version| version != before.version) {
        return Err(crate::record::changed_meanwhile());
    }
    let name = wanted.name.map_or(Ok(before.name), |name| checked_name(&name))?;
    if templates::named(&mut tx, &name).await?.is_some_and(|other| other != id) {
        return Err(taken(&name));
    }
    templates::change(&mut tx, id, &name, desk.clock.now()).await?;
    if let Some(texts) = wanted.texts {
        templates::set_texts(&mut tx, id, &checked_texts(texts)?).await?;
    }
    finished(desk, tx, id, "template_changed").await
}

/// Removes a template that no mailbox answers with. Rules that would are switched off: they may be others' than who
/// manages templates.
pub async fn remove(desk: &Desk, actor: &Actor, id: TemplateId) -> Result<(), Refusal> {
    actor.may(Verb::ManageTemplates)?;
    let mut tx = desk.db.begin().await?;
    let template = templates::get(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    if !template.mailboxes.is_empty() {
        let message = "A mailbox answers with this template. Change that first.";
        return Err(Refusal::conflict("template_in_use", message));
    }
    templates::remove(&mut tx, id).await?;
    rule::switch_off(desk, &mut tx, Reference::Template(id), &template.name).await?;
    outgoing::tell(desk, &mut tx, "template_removed").await?;
    Ok(tx.commit().await?)
}

async fn finished(
    desk: &Desk,
    mut tx: Tx,
    id: TemplateId,
    action: &'static str,
) -> Result<Template, Refusal> {
    let template = templates::get(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    outgoing::tell(desk, &mut tx, action).await?;
    tx.commit().await?;
    Ok(template)
}

/// What it says, with the values of a thread that the actor may see, or with examples.
pub async fn preview(desk: &Desk, actor: &Actor, id: TemplateId, look: Look) -> Result<Preview, Refusal> {
    actor.may(Verb::ReadTemplates)?;
    let mut reader = desk.db.snapshot().await?;
    let template = templates::get(&mut reader, id).await?.ok_or(Refusal::NotFound)?;
    let text = match look.draft {
        Some((subject, body)) => {
            let language = look.language.unwrap_or_else(|| "en".to_owned());
            checked_text(Text { language, subject, body })?
        }
        None => text_in(&template, look.language.as_deref().into_iter())
            .ok_or_else(|| Refusal::conflict("template_empty", "The template has no text yet."))?
            .clone(),
    };
    let values = match look.thread {
        None => Values::examples(),
        Some(thread) => {
            crate::thread::visible(&mut reader, actor, thread).await?;
            variables::of_thread(&mut reader, actor, thread).await?
        }
    };
    Ok(filled(&text, &values))
}

/// A text with these values.
pub(crate) fn filled(text: &Text, values: &Values) -> Preview {
    let mut missing = BTreeSet::new();
    let mut fill = |template: &str| {
        variables::fill(template, |name, fallback| {
            if values.get(name).is_none() {
                missing.insert(name);
            }
            values.or_fallback(name, fallback)
        })
    };
    let (subject, body) = (fill(&text.subject), fill(&text.body));
    Preview { language: text.language.clone(), subject, body, missing: missing.into_iter().collect() }
}

/// The text in the first of these languages that the template has; Czechs and Slovaks read each other's. Else in
/// English, else the first.
pub(crate) fn text_in<'a, 'b>(
    template: &'a Template,
    wanted: impl Iterator<Item = &'b str>,
) -> Option<&'a Text> {
    let in_language = |language: &str| template.texts.iter().find(|text| text.language == language);
    let neighbour = |language| match language {
        "cs" => Some("sk"),
        "sk" => Some("cs"),
        _ => None,
    };
    let mut wanted = wanted.flat_map(|language| [Some(language), neighbour(language)]).flatten();
    wanted.find_map(in_language).or_else(|| in_language("en")).or(template.texts.first())
}

/// The group mailboxes that may answer by themselves, with the template they answer with.
pub async fn auto_replies(
    desk: &Desk,
    actor: &Actor,
) -> Result<Vec<(mailboxes::Mailbox, Option<TemplateId>)>, Refusal> {
    actor.may(Verb::ManageTemplates)?;
    let mut reader = desk.db.snapshot().await?;
    let mut found = Vec::new();
    for mailbox in mailboxes::all(&mut reader).await? {
        if mailbox.kind == model::MailboxKind::Group {
            let template = templates::of_mailbox(&mut reader, mailbox.id).await?;
            found.push((mailbox, template));
        }
    }
    Ok(found)
}

/// Says with which template a group mailbox answers the first mail of a case; `None`: with none.
pub async fn set_auto_reply(
    desk: &Desk,
    actor: &Actor,
    mailbox: MailboxId,
    template: Option<TemplateId>,
) -> Result<(), Refusal> {
    actor.may(Verb::ManageTemplates)?;
    let mut tx = desk.db.begin().await?;
    let found = mailboxes::mailbox(&mut tx, mailbox).await?;
    let found = found.filter(|one| one.kind == model::MailboxKind::Group).ok_or(Refusal::NotFound)?;
    if let Some(id) = template {
        check_usable(&mut tx, id, "template_id").await?;
        if found.outgoing.is_none() {
            let message = "The mailbox does not send: enter its outgoing server first.";
            return Err(Refusal::invalid("template_id", "does_not_send", message));
        }
    }
    templates::set_of_mailbox(&mut tx, mailbox, template).await?;
    outgoing::tell(desk, &mut tx, "auto_reply").await?;
    Ok(tx.commit().await?)
}

/// Refuses a template that does not exist or says nothing.
pub(crate) async fn check_usable(
    sql: &mut impl Sql,
    id: TemplateId,
    field: &'static str,
) -> Result<(), Refusal> {
    match templates::get(sql, id).await? {
        Some(template) if !template.texts.is_empty() => Ok(()),
        Some(_) => Err(Refusal::invalid(field, "template_empty", "The template has no text yet.")),
        None => Err(Refusal::invalid(field, "unknown", "There is no such template.")),
    }
}

fn taken(name: &str) -> Refusal {
    Refusal::conflict("name_taken", format!("There is a template called {name:?}.")).with("name", name)
}

fn checked_name(name: &str) -> Result<String, Refusal> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Refusal::invalid("name", "required", "A template needs a name."));
    }
    check_length("name", name, LONGEST_NAME)?;
    Ok(name.to_owned())
}

fn checked_texts(texts: Vec<Text>) -> Result<Vec<Text>, Refusal> {
    if texts.len() > MOST_TEXTS {
        let message = format!("A template has at most {MOST_TEXTS} languages.");
        return Err(Refusal::invalid("texts", "too_many", message).with("most", MOST_TEXTS));
    }
    let texts = texts.into_iter().map(checked_text).collect::<Result<Vec<_>, _>>()?;
    let languages: BTreeSet<&str> = texts.iter().map(|text| text.language.as_str()).collect();
    if languages.len() < texts.len() {
        return Err(Refusal::invalid("texts", "language_twice", "Each language stands once."));
    }
    Ok(texts)
}

fn checked_text(text: Text) -> Result<Text, Refusal> {
    let language = text.language.trim().to_ascii_lowercase();
    if language.len() != 2 || !language.bytes().all(|byte| byte.is_ascii_lowercase()) {
        let message = "A language has two letters: cs, sk, pl, en, de.";
        return Err(Refusal::invalid("language", "bad_language", message));
    }
    if text.body.trim().is_empty() {
        return Err(Refusal::invalid("body", "required", "Write the text of the answer."));
    }
    check_length("subject", &text.subject, LONGEST_SUBJECT)?;
    check_length("body", &text.body, LONGEST_BODY)?;
    variables::check("subject", &text.subject)?;
    variables::check("body", &text.body)?;
    Ok(Text { language, subject: text.subject.trim().to_owned(), body: text.body })
}

fn check_length(field: &'static str, text: &str, most: usize) -> Result<(), Refusal> {
    match text.len() <= most {
        true => Ok(()),
        false => {
            Err(Refusal::invalid(field, "too_long", format!("At most {most} bytes.")).with("most", most))
        }
    }
}
