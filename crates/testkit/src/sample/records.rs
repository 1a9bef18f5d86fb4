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
    /// Labels and values.
    pub fields: Vec<(&'static str, String)>,
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
            kind: "account",
            name: company.name.into(),
            addresses: Vec::new(),
            domains: vec![company.domain.into()],
            account: None,
            fields: vec![("City", company.city.into()), ("Type", role.into())],
        });
        for (local, name) in company.people {
            out.push(Record {
                kind: "contact",
                name: (*name).into(),
                addresses: vec![format!("{local}@{}", company.domain)],
                domains: Vec::new(),
                account: Some(company.name.into()),
                fields: Vec::new(),
            });
        }
    }
    out.extend(business());
    out
}

fn business() -> Vec<Record> {
    let record =
        |kind, name: &str, addresses: &[&str], account: Option<&str>, fields: &[(&'static str, &str)]| {
            Record {
                kind,
                name: name.into(),
                addresses: addresses.iter().map(|address| (*address).into()).collect(),
                domains: Vec::new(),
                account: account.map(Into::into),
                fields: fields.iter().map(|(label, value)| (*label, (*value).into())).collect(),
            }
        };
    vec![
        record("lead", "Ulla Berg", &["ulla@bluebird-robotics.example"], None, &[("Source", "Trade fair")]),
        record("lead", "Marta Jelínková", &["marta@knihovna-lipova.example"], None, &[("Source", "Website")]),
        record(
            "opportunity",
            "Tool cabinets for the new brewery hall",
            &[],
            Some("Pivovar Hradná"),
            &[("Amount", "486 000 Kč"), ("Stage", "Proposal")],
        ),
        record(
            "opportunity",
            "Framework contract 2027",
            &[],
            Some("Northfield Logistics"),
            &[("Amount", "€ 120,000"), ("Stage", "Negotiation")],
        ),
        record(
            "opportunity",
            "Regały – drugi magazyn",
            &[],
            Some("Hurtownia Wiśniewski"),
            &[("Stage", "Qualified")],
        ),
    ]
}
