//! `message/delivery-status` (RFC 3464 2): groups of fields, the first about the message, one for
//! each recipient. Read leniently: systems leave out blank lines, types and required fields.

use super::{Action, MAX_RECIPIENTS, Recipient, code, one_line};

/// Longest field value kept, in bytes.
const MAX_VALUE_BYTES: usize = 8 << 10;
/// Most fields read.
const MAX_FIELDS: usize = 20_000;

/// What a delivery status says.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) envelope_id: Option<String>,
    pub(super) recipients: Vec<Recipient>,
}

pub(super) fn read(text: &str) -> Report {
    let mut report = Report::default();
    let mut group = Group::default();
    for (name, value) in fields(text) {
        let starts_anew = name.is_empty() || group.has(&name);
        if starts_anew {
            report.recipients.extend(std::mem::take(&mut group).recipient());
        }
        if name == "original-envelope-id" {
            report.envelope_id = Some(value.clone());
        }
        group.add(&name, value);
    }
    report.recipients.extend(group.recipient());
    report.recipients.truncate(MAX_RECIPIENTS);
    report
}

/// Names in lower case with unfolded values; a blank line is a field without a name.
pub(crate) fn fields(text: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        let is_folded = line.starts_with([' ', '\t']) && !line.trim().is_empty();
        match fields.last_mut() {
            Some((name, value)) if is_folded && !name.is_empty() => {
                if value.len() + line.len() <= MAX_VALUE_BYTES {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                continue;
            }
            _ => {}
        }
        if fields.len() >= MAX_FIELDS {
            break;
        }
        if line.trim().is_empty() {
            fields.push((String::new(), String::new()));
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_lowercase(), value.trim().to_owned()));
        }
    }
    fields
}

/// The fields of one recipient.
#[derive(Default)]
struct Group {
    final_recipient: Option<String>,
    original_recipient: Option<String>,
    actual_recipient: Option<String>,
    action: Option<String>,
    status: Option<String>,
    diagnostic: Option<String>,
}

impl Group {
    fn slot(&mut self, name: &str) -> Option<&mut Option<String>> {
        Some(match name {
            "final-recipient" => &mut self.final_recipient,
            "original-recipient" => &mut self.original_recipient,
            "x-actual-recipient" => &mut self.actual_recipient,
            "action" => &mut self.action,
            "status" => &mut self.status,
            "diagnostic-code" => &mut self.diagnostic,
            _ => return None,
        })
    }

    fn add(&mut self, name: &str, value: String) {
        if let Some(slot) = self.slot(name) {
            slot.get_or_insert(value);
        }
    }

    /// Whether this field begins the next recipient, because a system left out the blank line.
    fn has(&mut self, name: &str) -> bool {
        matches!(name, "final-recipient" | "action") && self.slot(name).is_some_and(|slot| slot.is_some())
    }

    fn recipient(self) -> Option<Recipient> {
        let addresses = [&self.original_recipient, &self.final_recipient, &self.actual_recipient];
        let found: Vec<&str> = addresses.into_iter().flatten().map(|v| address(v)).collect();
        // The original one is what the message was sent to; local names are of no use outside.
        let full = found.iter().find(|a| a.contains('@')).or(found.iter().find(|a| !a.is_empty()));
        let address = (*full?).to_owned();
        let diagnostic = self.diagnostic.as_deref().map(one_line).filter(|d| !d.is_empty());
        let said = diagnostic.as_deref().unwrap_or("");
        let status = better(self.status.as_deref().and_then(code::status), code::status(said));
        let action = self.action.as_deref().and_then(action).unwrap_or(match status.as_deref() {
            Some(s) if s.starts_with('2') => Action::Delivered,
            _ => Action::Failed,
        });
        let failed = matches!(action, Action::Failed | Action::Delayed);
        let class = status.as_deref().and_then(code::class).or_else(|| code::reply_class(said));
        Some(Recipient {
            permanent: if failed { class.map(|c| c == '5') } else { None },
            dead: failed && code::is_dead(status.as_deref(), said),
            address,
            action,
            status,
            diagnostic,
        })
    }
}

/// The code to believe: what the other server said, unless that says nothing (x.0.0); the field is
/// what the reporting system made of it, such as "expired" for a server that refused for days.
fn better(field: Option<String>, said: Option<String>) -> Option<String> {
    match (field, said) {
        (Some(field), Some(said)) if said.ends_with(".0.0") || said.starts_with('2') => Some(field),
        (field, said) => said.or(field),
    }
}

fn action(value: &str) -> Option<Action> {
    let word = value.trim().split(|c: char| !c.is_ascii_alphabetic()).next()?;
    Some(match word.to_ascii_lowercase().as_str() {
        "failed" | "failure" | "error" => Action::Failed,
        "delayed" => Action::Delayed,
        "delivered" | "deliverable" => Action::Delivered,
        "relayed" => Action::Relayed,
        "expanded" => Action::Expanded,
        _ => return None,
    })
}

/// The address of "rfc822; <ann@a.example>".
pub(crate) fn address(value: &str) -> &str {
    let value = match value.split_once(';') {
        Some((kind, rest)) if !kind.contains('@') => rest,
        _ => value,
    };
    let value = value.trim();
    let inner = value.rsplit_once('<').map_or(value, |(_, rest)| rest);
    inner.split(['>', ' ', '\t']).next().unwrap_or("").trim_matches(['"', '\'', ',', ';'])
}
