//! What a template can speak of, and the text with it put in.

use crate::Refusal;
use crate::may::Actor;
use model::ThreadId;
use std::collections::BTreeMap;
use store::changes::RecordsHeard;
use store::sql::Sql;
use store::threads::{self, Reader};
use store::{mailboxes, records};

/// A variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What stands there where nothing is known: another variable, or nothing.
    pub fallback: Option<&'static str>,
    /// What it may look like.
    pub example: &'static str,
}

/// All variables.
pub const VARIABLES: &[Variable] = &[
    Variable { name: "case.number", fallback: None, example: "1042" },
    Variable { name: "case.subject", fallback: Some("message.subject"), example: "Broken printer" },
    Variable { name: "case.process", fallback: Some("mailbox.name"), example: "Helpdesk" },
    Variable { name: "message.subject", fallback: None, example: "Broken printer" },
    Variable { name: "customer.name", fallback: Some("customer.address"), example: "Ann Example" },
    Variable { name: "customer.address", fallback: None, example: "ann@example.com" },
    Variable { name: "account.name", fallback: Some("customer.name"), example: "Example Ltd" },
    Variable { name: "mailbox.name", fallback: Some("mailbox.address"), example: "Helpdesk" },
    Variable { name: "mailbox.address", fallback: None, example: "helpdesk@acme.example" },
    Variable { name: "assignee.name", fallback: Some("mailbox.name"), example: "Ben Example" },
    Variable { name: "user.name", fallback: Some("mailbox.name"), example: "Ben Example" },
];

fn variable(name: &str) -> Option<&'static Variable> {
    VARIABLES.iter().find(|variable| variable.name == name)
}

/// Longest value that is put in, in characters: it comes from a stranger's mail.
const LONGEST_VALUE: usize = 500;

/// What is known, by variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values(BTreeMap<&'static str, String>);

impl Values {
    /// The examples of all variables.
    pub fn examples() -> Values {
        Values(VARIABLES.iter().map(|variable| (variable.name, variable.example.to_owned())).collect())
    }

    /// The same, with this value; an empty one is none. Line ends and other control characters become blanks.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Values {
        debug_assert!(variable(name).is_some(), "{name} is no variable");
        let value = value.to_string();
        let value: String =
            value.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_VALUE).collect();
        if !value.trim().is_empty() {
            self.0.insert(name, value.trim().to_owned());
        }
        self
    }

    /// A value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A value, else what the template says, else that of the variable's fallback and so on.
    pub(super) fn or_fallback(&self, name: &str, fallback: Option<&str>) -> String {
        let mut at = variable(name);
        let known = |name: &str| self.get(name).map(str::to_owned);
        if let Some(value) = known(name).or_else(|| fallback.map(str::to_owned)) {
            return value;
        }
        // Each fallback stands once in the chain: there are fewer steps than variables.
        for _ in VARIABLES {
            let Some(next) = at.and_then(|variable| variable.fallback) else { break };
            if let Some(value) = known(next) {
                return value;
            }
            at = variable(next);
        }
        String::new()
    }
}

/// What is known in a thread to somebody who may see it; of records what they may see.
pub(crate) async fn of_thread(
    sql: &mut impl Sql,
    actor: &Actor,
    thread: ThreadId,
) -> Result<Values, Refusal> {
    let access = actor.mail_access();
    let row = threads::row(sql, thread, &access, Reader { user: actor.user }).await?;
    let row = row.ok_or(Refusal::NotFound)?;
    let mut values = Values::default()
        .with("message.subject", &row.subject)
        .with("customer.name", &row.from_name)
        .with("customer.address", &row.from_address)
        .with("user.name", &actor.name);
    if let Some(case) = &row.case {
        values = values.with("case.number", case.number).with("case.subject", &row.subject);
        if let Some((_, name)) = &case.assignee {
            values = values.with("assignee.name", name);
        }
        values = with_process(sql, actor, values, case.id).await?;
    }
    if let Some(account) = row.records.iter().find(|record| record.kind == model::RecordKind::Account)
        && records::visible(sql, account.id, &actor.records_heard()).await?
    {
        values = values.with("account.name", &account.name);
    }
    if let Some(id) = row.mailboxes.first()
        && let Some(mailbox) = mailboxes::mailbox(sql, *id).await?
    {
        values = values.with("mailbox.name", &mailbox.name).with("mailbox.address", &mailbox.address);
    }
    Ok(values)
}

async fn with_process(
    sql: &mut impl Sql,
    actor: &Actor,
    values: Values,
    case: model::RecordId,
) -> Result<Values, Refusal> {
    let heard: RecordsHeard = actor.records_heard();
    let found = records::record(sql, case, &heard).await?;
    let process = found.and_then(|record| record.case).and_then(|part| part.process);
    Ok(process.map_or(values.clone(), |(_, name)| values.with("case.process", name)))
}

/// A piece of a template.
enum Piece<'a> {
    Text(&'a str),
    /// A name in double braces, and what is to stand there where nothing is known.
    Variable(&'a str, Option<&'a str>),
}

/// Takes a template apart. Braces that are not closed, and names with line ends, are text.
fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find("{{") {
        let (before, inside) = (&rest[..at], &rest[at + 2..]);
        let Some(end) = inside.find("}}") else { break };
        let name = &inside[..end];
        if name.contains(['\n', '\r', '{']) {
            pieces.push(Piece::Text(&rest[..at + 2]));
            rest = inside;
            continue;
        }
        let (name, fallback) = match name.split_once('|') {
            Some((name, fallback)) => (name, Some(fallback.trim())),
            None => (name, None),
        };
        pieces.push(Piece::Text(before));
        pieces.push(Piece::Variable(name.trim(), fallback));
        rest = &inside[end + 2..];
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// Refuses a text with a name that is no variable, and names those there are.
pub(super) fn check(field: &'static str, template: &str) -> Result<(), Refusal> {
    let unknown = pieces(template).into_iter().find_map(|piece| match piece {
        Piece::Variable(name, _) if variable(name).is_none() => Some(name.to_owned()),
        _ => None,
    });
    let Some(name) = unknown else { return Ok(()) };
    let known: Vec<&str> = VARIABLES.iter().map(|variable| variable.name).collect();
    let known = known.join(", ");
    let message = format!("{{{{{name}}}}} is no variable. There are: {known}.");
    Err(Refusal::invalid(field, "unknown_variable", message).with("name", name).with("known", known))
}

/// Puts values in, in one pass: what is put in is not looked at again.
pub(super) fn fill(template: &str, mut value: impl FnMut(&'static str, Option<&str>) -> String) -> String {
    let mut out = String::with_capacity(template.len());
    for piece in pieces(template) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Variable(name, fallback) => match variable(name) {
                Some(variable) => out.push_str(&value(variable.name, fallback)),
                // Saved by a later version of this program.
                None => out.push_str(fallback.unwrap_or_default()),
            },
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::filled;
    use super::*;
    use store::templates::Text;

    fn text(body: &str) -> Text {
        Text { language: "en".into(), subject: String::new(), body: body.into() }
    }

    #[test]
    fn d3_variables_are_replaced_once_and_missing_ones_have_a_stated_fallback() {
        let values = Values::default()
            .with("customer.name", "{{case.number}} Ann\r\nBcc: x")
            .with("case.number", 12)
            .with("mailbox.name", "Helpdesk");
        for (template, expected) in [
            (
                "Hello {{customer.name}}, case {{ case.number }}.",
                "Hello {{case.number}} Ann  Bcc: x, case 12.",
            ),
            (
                "{{account.name|Your company}} / {{assignee.name}} / {{user.name|we}}",
                "Your company / Helpdesk / we",
            ),
            ("{{case.subject}}|{{customer.address}}", "|"),
            ("{{case.process}}", "Helpdesk"),
            ("a {{ b {{case.number}} }} c {{", "a {{ b 12 }} c {{"),
            ("{{case.\nnumber}}", "{{case.\nnumber}}"),
            ("", ""),
        ] {
            assert_eq!(filled(&text(template), &values).body, expected, "{template}");
        }
        let preview = filled(&text("{{case.number}} {{account.name}} {{account.name}}"), &values);
        assert_eq!(preview.missing, ["account.name"]);
    }

    #[test]
    fn d3_an_unknown_variable_is_refused_with_the_known_ones() {
        assert!(check("body", "{{case.number}} {{customer.name|you}} {{ {x}").is_ok());
        let Err(Refusal::Invalid { field, code, params, message }) = check("body", "Hi {{customer.nmae}}")
        else {
            panic!("it is no variable")
        };
        assert_eq!((field, code, params["name"].as_str()), ("body", "unknown_variable", "customer.nmae"));
        assert!(
            params["known"].starts_with("case.number, ") && message.contains("customer.name"),
            "{message}"
        );
    }

    #[test]
    fn d3_every_fallback_is_a_variable_and_comes_to_an_end() {
        for one in VARIABLES {
            assert!(one.fallback.is_none_or(|name| variable(name).is_some()), "{}", one.name);
            assert_eq!(Values::default().or_fallback(one.name, None), "");
        }
    }
}
