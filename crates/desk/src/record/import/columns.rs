//! What a column is, guessed from its name in Czech, Slovak, Polish, German or English.
//!
//! A guess is shown before anything follows from it; a column nobody knows becomes a field of its name.

use super::plan::Target;
use mail::fold::fold;
use model::RecordKind;

/// Folded names, words divided by one blank.
const NAMES: &[(Target, &[&str])] = &[
    (
        Target::Name,
        &[
            "name",
            "full name",
            "display name",
            "fn",
            "contact",
            "contact name",
            "title of deal",
            "jmeno a prijmeni",
            "cele jmeno",
            "nazev",
            "meno a priezvisko",
            "cele meno",
            "nazov",
            "imie i nazwisko",
            "pelna nazwa",
            "nazwa",
            "anzeigename",
            "vollstandiger name",
            "kontakt",
            "osoba",
        ],
    ),
    (
        Target::FirstName,
        &[
            "first name",
            "firstname",
            "given name",
            "n given",
            "jmeno",
            "krestni jmeno",
            "meno",
            "krstne meno",
            "imie",
            "vorname",
        ],
    ),
    (
        Target::LastName,
        &[
            "last name",
            "lastname",
            "surname",
            "family name",
            "n family",
            "prijmeni",
            "priezvisko",
            "nazwisko",
            "nachname",
        ],
    ),
    (
        Target::Address,
        &[
            "email",
            "e mail",
            "mail",
            "email address",
            "e mail address",
            "emails",
            "e mail 1 value",
            "e mail 2 value",
            "email 2",
            "e mail 2",
            "e mail 2 address",
            "e mail 3 address",
            "emailova adresa",
            "e mailova adresa",
            "adres email",
            "adres e mail",
            "poczta",
            "email adresse",
            "e mail adresse",
        ],
    ),
    (
        Target::Account,
        &[
            "account",
            "company",
            "company name",
            "organization",
            "organisation",
            "organization name",
            "org",
            "organization 1 name",
            "firma",
            "spolecnost",
            "spolocnost",
            "organizace",
            "organizacia",
            "organizacja",
            "nazwa firmy",
            "nazev firmy",
            "nazov firmy",
            "zamestnavatel",
            "unternehmen",
            "firmenname",
            "zakaznik",
            "klient",
        ],
    ),
    (Target::Domain, &["domain", "domains", "domena", "domeny"]),
    (
        Target::ExternalId,
        &[
            "id",
            "external id",
            "externalid",
            "uid",
            "externi id",
            "externe id",
            "zewnetrzne id",
            "identyfikator",
            "kod",
            "code",
            "customer number",
            "cislo zakaznika",
        ],
    ),
    (
        Target::Description,
        &[
            "description",
            "note",
            "notes",
            "comment",
            "comments",
            "popis",
            "poznamka",
            "poznamky",
            "opis",
            "notatka",
            "notatki",
            "uwagi",
            "beschreibung",
            "notiz",
            "notizen",
            "bemerkung",
        ],
    ),
    (Target::Stage, &["stage", "status", "state", "faze", "stav", "faza", "etap", "stadium", "phase"]),
    (
        Target::Amount,
        &[
            "amount", "value", "price", "castka", "hodnota", "cena", "ciastka", "suma", "kwota", "wartosc",
            "betrag", "wert",
        ],
    ),
    (Target::Currency, &["currency", "mena", "waluta", "wahrung"]),
    (
        Target::ClosesOn,
        &[
            "close date",
            "closes on",
            "expected close",
            "closing date",
            "datum uzavreni",
            "uzavreni",
            "datum uzavretia",
            "data zamkniecia",
            "abschluss",
        ],
    ),
];

/// What columns of these names are; each kind of record has its own parts.
pub(super) fn guess(kind: RecordKind, columns: &[String]) -> Vec<Target> {
    let mut out: Vec<Target> = columns.iter().map(|name| of_name(kind, name)).collect();
    // With a whole name, first and last name would only say it again.
    if out.contains(&Target::Name) && out.contains(&Target::LastName) {
        let part = |target: &Target| matches!(target, Target::FirstName | Target::LastName);
        out.iter_mut().filter(|target| part(target)).for_each(|target| *target = Target::Skip);
    }
    // "Jméno" alone is the whole one.
    if !out.contains(&Target::Name) && !out.contains(&Target::LastName) {
        out.iter_mut().filter(|t| **t == Target::FirstName).for_each(|t| *t = Target::Name);
    }
    // Of an account, "Company" is its name.
    if kind == RecordKind::Account && !out.contains(&Target::Name) {
        out.iter_mut().filter(|t| **t == Target::Account).take(1).for_each(|t| *t = Target::Name);
    }
    for at in 0..out.len() {
        let several = matches!(out[at], Target::Address | Target::Domain | Target::Field | Target::Skip);
        let taken = out[..at].contains(&out[at]) && !several;
        if taken || !out[at].fits(kind) {
            out[at] = Target::Field;
        }
    }
    out
}

fn of_name(kind: RecordKind, name: &str) -> Target {
    let folded = fold(name).replace(['-', '_', '/', ':'], " ");
    let words = folded.split_whitespace().collect::<Vec<_>>().join(" ");
    let known = NAMES.iter().find(|(_, names)| names.contains(&words.as_str()));
    match known {
        _ if words.is_empty() => Target::Skip,
        Some((target, _)) => *target,
        None if kind == RecordKind::Account && words == "web" => Target::Domain,
        None => Target::Field,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(kind: RecordKind, columns: &str) -> Vec<&'static str> {
        let columns: Vec<String> = columns.split('|').map(str::to_owned).collect();
        guess(kind, &columns).into_iter().map(Target::word).collect()
    }

    #[test]
    fn b5_columns_are_guessed_in_four_languages() {
        let contact = RecordKind::Contact;
        let rows = [
            (
                "First Name|Last Name|E-mail Address|Company|Notes",
                "first_name last_name address account description",
            ),
            ("Jméno|Příjmení|E-mail|Společnost|Poznámka", "first_name last_name address account description"),
            (
                "Meno|Priezvisko|E-mailová adresa|Firma|Poznámky",
                "first_name last_name address account description",
            ),
            (
                "Imię|Nazwisko|Adres e-mail|Nazwa firmy|Uwagi",
                "first_name last_name address account description",
            ),
            ("UID|FN|N.given|N.family|EMAIL|ORG|TEL", "external_id name skip skip address account field"),
        ];
        for (columns, expected) in rows {
            assert_eq!(guessed(contact, columns).join(" "), expected, "{columns}");
        }
    }

    #[test]
    fn b5_a_column_is_what_its_kind_of_record_can_have() {
        assert_eq!(
            guessed(RecordKind::Account, "Company|Web|Amount|Email").join(" "),
            "name domain field address"
        );
        assert_eq!(guessed(RecordKind::Contact, "Jméno|Domain|Stage").join(" "), "name field field");
        assert_eq!(
            guessed(RecordKind::Opportunity, "Název|Částka|Měna|Fáze|Datum uzavření").join(" "),
            "name amount currency stage closes_on"
        );
        assert_eq!(
            guessed(RecordKind::Lead, "Name|Name|Email|Email 2||Shoe size").join(" "),
            "name field address address skip field"
        );
    }
}
