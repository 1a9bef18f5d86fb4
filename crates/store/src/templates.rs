//! Templates: texts that answers are made from, each in any number of languages.

use crate::counters;
use crate::params;
use crate::sql::{Error, Row, Sql, Tx};
use model::{MailboxId, TemplateId, Time};

/// A template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its id.
    pub id: TemplateId,
    /// Its name, of which there is one.
    pub name: String,
    /// Counts its changes.
    pub version: i64,
    /// When it was changed last.
    pub updated_at: Time,
    /// Its texts, by language.
    pub texts: Vec<Text>,
    /// Group mailboxes that answer first mails with it: id and address.
    pub mailboxes: Vec<(MailboxId, String)>,
}

/// What it says in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The language (ISO 639-1): cs, sk, pl, en, de …
    pub language: String,
    /// The subject; empty: made from that of the mail that is answered.
    pub subject: String,
    /// The text.
    pub body: String,
}

const TEMPLATE: &str = "SELECT id, name, version, updated_at FROM templates";

/// All templates by name.
pub async fn all(sql: &mut impl Sql) -> Result<Vec<Template>, Error> {
    let rows = sql.query(&format!("{TEMPLATE} ORDER BY name"), params![]).await?;
    complete(sql, &rows).await
}

/// One template.
pub async fn get(sql: &mut impl Sql, id: TemplateId) -> Result<Option<Template>, Error> {
    let rows = sql.query(&format!("{TEMPLATE} WHERE id = $1"), params![id]).await?;
    Ok(complete(sql, &rows).await?.pop())
}

async fn complete(sql: &mut impl Sql, rows: &[Row]) -> Result<Vec<Template>, Error> {
    let ids: Vec<TemplateId> = rows.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?;
    let each = || ids.iter().map(|id| params![*id]).collect::<Vec<_>>();
    let texts = "SELECT language, subject, body FROM template_texts WHERE template_id = $1 ORDER BY language";
    let texts = sql.query_many(texts, each()).await?;
    let mailboxes = "SELECT id, address FROM mailboxes WHERE auto_reply_id = $1 ORDER BY address, id";
    let mailboxes = sql.query_many(mailboxes, each()).await?;
    let text = |row: &Row| Ok(Text { language: row.get(0)?, subject: row.get(1)?, body: row.get(2)? });
    let one = |((row, texts), mailboxes): ((&Row, &Vec<Row>), &Vec<Row>)| {
        Ok(Template {
            id: row.get(0)?,
            name: row.get(1)?,
            version: row.get(2)?,
            updated_at: row.get(3)?,
            texts: texts.iter().map(text).collect::<Result<_, Error>>()?,
            mailboxes: mailboxes
                .iter()
                .map(|row| Ok((row.get(0)?, row.get(1)?)))
                .collect::<Result<_, Error>>()?,
        })
    };
    rows.iter().zip(&texts).zip(&mailboxes).map(one).collect()
}

/// The template of a name.
pub async fn named(sql: &mut impl Sql, name: &str) -> Result<Option<TemplateId>, Error> {
    let row = sql.query_opt("SELECT id FROM templates WHERE name = $1", params![name]).await?;
    row.map(|row| row.get(0)).transpose()
}

/// Adds a template without texts. `None`: the name is taken.
pub async fn add(tx: &mut Tx, name: &str, at: Time) -> Result<Option<TemplateId>, Error> {
    let id = TemplateId(counters::take(tx, "templates", 1).await?);
    let text = "INSERT INTO templates (id, name, version, created_at, updated_at) VALUES ($1, $2, 1, $3, $3) \
                ON CONFLICT (name) DO NOTHING";
    Ok((tx.execute(text, params![id, name, at]).await? > 0).then_some(id))
}

/// Gives it a name (which nobody else has) and counts the change.
pub async fn change(tx: &mut Tx, id: TemplateId, name: &str, at: Time) -> Result<(), Error> {
    let text = "UPDATE templates SET name = $2, version = version + 1, updated_at = $3 WHERE id = $1";
    tx.execute(text, params![id, name, at]).await.map(drop)
}

/// Replaces its texts.
pub async fn set_texts(tx: &mut Tx, id: TemplateId, texts: &[Text]) -> Result<(), Error> {
    tx.execute("DELETE FROM template_texts WHERE template_id = $1", params![id]).await?;
    let row = |text: &Text| params![id, &text.language, &text.subject, &text.body];
    let head = "INSERT INTO template_texts (template_id, language, subject, body) VALUES";
    tx.insert_many(head, "", texts.iter().map(row).collect()).await.map(drop)
}

/// Removes one that nothing uses.
pub async fn remove(tx: &mut Tx, id: TemplateId) -> Result<(), Error> {
    tx.execute("DELETE FROM template_texts WHERE template_id = $1", params![id]).await?;
    tx.execute("DELETE FROM templates WHERE id = $1", params![id]).await.map(drop)
}

/// The template a mailbox answers first mails with.
pub async fn of_mailbox(sql: &mut impl Sql, mailbox: MailboxId) -> Result<Option<TemplateId>, Error> {
    let row = sql.query_opt("SELECT auto_reply_id FROM mailboxes WHERE id = $1", params![mailbox]).await?;
    row.map_or(Ok(None), |row| row.get(0))
}

/// Says with which template a mailbox answers first mails.
pub async fn set_of_mailbox(tx: &mut Tx, mailbox: MailboxId, id: Option<TemplateId>) -> Result<(), Error> {
    tx.execute("UPDATE mailboxes SET auto_reply_id = $2 WHERE id = $1", params![mailbox, id]).await.map(drop)
}
