//! The records that a rule links a letter to: contacts and accounts by the writer's or the recipients'
//! addresses. An address that two of a kind share decides nothing here either.

use crate::plan::{Directory, Entry, Known, LinkPlan, RuleAction, Step};
use mail::{Address, Letter};
use model::{Action, LinkReason, RecordId, RecordKind, Side, TriedRule};

/// People whose records are looked for.
const MOST_PEOPLE: usize = 50;

/// Records that addresses lead to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Those that are meant, each once.
    pub records: Vec<(RecordId, String)>,
    /// An address that leads to several, if there is one.
    pub ambiguous: Option<String>,
}

/// Adds what rules link to what was found, each record once. A record that was found already keeps its
/// reason: it says more.
pub fn find(
    letter: &Letter,
    known: &Known,
    actions: &[RuleAction],
    links: &mut Vec<LinkPlan>,
    steps: &mut Vec<Step>,
) {
    let tried: &[TriedRule] = known.trial.map_or(&[], |trial| trial.rules.tried());
    for one in actions {
        for (record, _) in named(&one.action, letter, known.directory).records {
            if links.iter().any(|link| link.record == record) {
                continue;
            }
            let rule = tried.iter().find(|rule| rule.id == one.rule).map_or("", |rule| &rule.name);
            steps.push(Step::new("link", LinkReason::Rule.word(), rule));
            links.push(LinkPlan { record, reason: LinkReason::Rule, detail: rule.to_owned() });
        }
    }
}

/// The records that an action links.
pub fn named(action: &Action, letter: &Letter, directory: &Directory) -> Named {
    let (by, of) = match action {
        Action::LinkContact { by } => (*by, Of::Contact),
        Action::LinkAccount { by } => (*by, Of::Account),
        _ => return Named::default(),
    };
    let people: Vec<&Address> = match by {
        Side::From => letter.from.iter().collect(),
        Side::To => letter.to.iter().chain(&letter.cc).collect(),
    };
    let mut out = Named::default();
    for address in people.into_iter().take(MOST_PEOPLE).map(Address::key) {
        if !directory.ours.contains(&address) {
            add(of, &address, directory, &mut out);
        }
    }
    out
}

/// What is wanted of an address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Contact,
    Account,
}

fn add(of: Of, address: &str, directory: &Directory, out: &mut Named) {
    let by_address = directory.by_address.get(address).map_or(&[][..], Vec::as_slice);
    let is_a = |kind: RecordKind| move |entry: &&Entry| entry.kind == kind;
    let own = |kind| by_address.iter().filter(is_a(kind)).map(|entry| (entry.record, entry.name.clone()));
    let mut found: Vec<(RecordId, String)> = match of {
        Of::Contact => own(RecordKind::Contact).collect(),
        Of::Account => {
            let of_people = by_address.iter().flat_map(|entry| &entry.accounts);
            own(RecordKind::Account).chain(of_people.map(|account| (*account, String::new()))).collect()
        }
    };
    if of == Of::Account && found.is_empty() {
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        let accounts: &[Entry] = directory.by_domain.get(domain).map_or(&[], Vec::as_slice);
        found = accounts
            .iter()
            .filter(is_a(RecordKind::Account))
            .map(|entry| (entry.record, entry.name.clone()))
            .collect();
    }
    found.sort_by_key(|(record, _)| *record);
    found.dedup_by_key(|(record, _)| *record);
    match found.as_slice() {
        [] => {}
        [one] if out.records.iter().any(|(record, _)| *record == one.0) => {}
        [_] => out.records.extend(found),
        _ => out.ambiguous = Some(address.to_owned()),
    }
}
