//! What Acme's CRM knows: companies, people, and some business in the making.

use super::company::{COMPANIES, Role};

/// A record to be made through the API.
#[derive(Clone, Debug)]
pub struct Record {
    /// `account`, `contact`, `lead` or `opportunity`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Mail addresses, of people.
    pub addresses: Vec<String>,
    /// Domains, of companies.
    pub domains: Vec<String>,
    /// The name of the account it belongs to, which comes before it.
    pub account: Option<String>,
    /// Of a contact: names of further accounts.
    pub further: &'static [&'static str],
    /// Of an opportunity its stage, of a lead its status.
    pub stage: Option<&'static str>,
    /// Of an opportunity: its worth, its currency, and in how many days it is to close.
    pub worth: Option<(&'static str, &'static str, i64)>,
    /// The login of who is to act.
    pub assignee: Option<&'static str>,
    /// Labels and values.
    pub fields: Vec<(&'static str, String)>,
}

impl Record {
    fn of(kind: &'static str, name: &str) -> Record {
        Record {
            kind,
            name: name.into(),
            addresses: Vec::new(),
            domains: Vec::new(),
            account: None,
            further: &[],
            stage: None,
            worth: None,
            assignee: None,
            fields: Vec::new(),
        }
    }
}

/// All records; accounts come before what belongs to them. Who is no customer yet is in none or a lead.
pub fn records() -> Vec<Record> {
    let mut out = Vec::new();
    for company in COMPANIES.iter().filter(|company| company.role != Role::Unknown) {
        let role = match company.role {
            Role::Supplier => "Supplier",
            Role::Press => "Press",
            Role::Customer | Role::Unknown => "Customer",
        };
        out.push(Record {
            domains: vec![company.domain.into()],
            fields: vec![("City", company.city.into()), ("Type", role.into())],
            ..Record::of("account", company.name)
        });
        for (local, name) in company.people {
            out.push(Record {
                addresses: vec![format!("{local}@{}", company.domain)],
                account: Some(company.name.into()),
                ..Record::of("contact", name)
            });
        }
    }
    out.extend(business());
    out
}

fn business() -> Vec<Record> {
    let lead = |name, address: &str, stage, source: &str| Record {
        addresses: vec![address.into()],
        stage: Some(stage),
        fields: vec![("Source", source.into())],
        ..Record::of("lead", name)
    };
    let deal = |name, account: &str, stage, worth| Record {
        account: Some(account.into()),
        stage: Some(stage),
        worth,
        assignee: Some("emil@acme.example"),
        ..Record::of("opportunity", name)
    };
    vec![
        lead("Ulla Berg", "ulla@bluebird-robotics.example", "contacted", "Trade fair"),
        lead("Marta Jelínková", "marta@knihovna-lipova.example", "new", "Website"),
        Record {
            addresses: vec!["poradce@dvere-a-haly.example".into()],
            account: Some("Pivovar Hradná".into()),
            further: &["Northfield Logistics", "Hurtownia Wiśniewski"],
            fields: vec![("Role", "Adviser for warehouses".into())],
            ..Record::of("contact", "Radek Poradce")
        },
        deal(
            "Tool cabinets for the new brewery hall",
            "Pivovar Hradná",
            "proposal",
            Some(("486000", "CZK", 20)),
        ),
        deal("Framework contract 2027", "Northfield Logistics", "negotiation", Some(("120000", "EUR", 45))),
        deal("Regały – drugi magazyn", "Hurtownia Wiśniewski", "qualified", Some(("38500", "PLN", 60))),
        deal("Workbenches for two trainees", "Pivovar Hradná", "won", Some(("31900", "CZK", -12))),
        deal("Spare keys for all cabinets", "Northfield Logistics", "new", None),
    ]
}
