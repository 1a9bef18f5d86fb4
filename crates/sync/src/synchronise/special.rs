//! What folders are for: as the server says (RFC 6154), or guessed from their names where it says nothing.
//!
//! Guessed is only what has consequences: drafts, sent, trash, junk. A folder that is wrongly taken for one of
//! them would keep its mail from making cases, so only whole names count, at the top level or right below INBOX.

use std::collections::HashSet;
use store::folders::synchronised::ServerFolder;
use wire::imap::{Folder, SpecialUse};

/// Names that mean something, lower case: what Outlook, Thunderbird, Apple Mail, Gmail and web mailers call them in
/// the languages of Europe.
const NAMES: &[(&str, &[&str])] = &[
    (
        "drafts",
        &[
            "drafts",
            "draft",
            "entwürfe",
            "koncepty",
            "rozepsané",
            "rozepsaná pošta",
            "brouillons",
            "borradores",
            "bozze",
            "concepten",
            "wersje robocze",
            "szkice",
            "kladder",
            "utkast",
            "luonnokset",
            "rascunhos",
            "piszkozatok",
            "[gmail]/drafts",
        ],
    ),
    (
        "sent",
        &[
            "sent",
            "sent items",
            "sent messages",
            "sent mail",
            "sent-mail",
            "gesendet",
            "gesendete objekte",
            "gesendete elemente",
            "odeslané",
            "odeslaná pošta",
            "odoslané",
            "odoslaná pošta",
            "envoyés",
            "messages envoyés",
            "éléments envoyés",
            "enviados",
            "elementos enviados",
            "posta inviata",
            "inviata",
            "verzonden",
            "verzonden items",
            "wysłane",
            "elementy wysłane",
            "sendt",
            "skickat",
            "lähetetyt",
            "elküldött elemek",
        ],
    ),
    (
        "trash",
        &[
            "trash",
            "deleted items",
            "deleted messages",
            "deleted",
            "bin",
            "papierkorb",
            "gelöschte objekte",
            "gelöschte elemente",
            "gelöscht",
            "koš",
            "odstraněná pošta",
            "odstraněné",
            "kôš",
            "odstránené",
            "corbeille",
            "éléments supprimés",
            "papelera",
            "elementos eliminados",
            "cestino",
            "posta eliminata",
            "prullenbak",
            "verwijderde items",
            "kosz",
            "elementy usunięte",
            "papirkurv",
            "slettet post",
            "borttaget",
            "papperskorgen",
            "roskakori",
            "lixo",
            "törölt elemek",
        ],
    ),
    (
        "junk",
        &[
            "junk",
            "spam",
            "junk e-mail",
            "junk email",
            "junk-e-mail",
            "bulk mail",
            "unerwünscht",
            "spamverdacht",
            "nevyžádaná pošta",
            "hromadná pošta",
            "courrier indésirable",
            "indésirables",
            "correo no deseado",
            "posta indesiderata",
            "ongewenste e-mail",
            "wiadomości-śmieci",
            "skräppost",
            "roskaposti",
            "levélszemét",
        ],
    ),
];

/// The folders as the shelf keeps them: those that can be opened, each name once.
pub fn known_as(folders: &[&Folder]) -> Vec<ServerFolder> {
    let mut known: Vec<ServerFolder> = Vec::new();
    let mut seen = HashSet::new();
    for folder in folders {
        if seen.insert(&folder.name) {
            known.push(ServerFolder {
                name: folder.name.clone(),
                delimiter: folder.delimiter,
                special_use: folder.special_use.map(word),
            });
        }
    }
    for (special_use, names) in NAMES {
        if known.iter().all(|folder| folder.special_use != Some(special_use)) {
            let named = names.iter().find_map(|name| known.iter().position(|folder| is_called(folder, name)));
            if let Some(at) = named.filter(|at| known[*at].special_use.is_none()) {
                known[at].special_use = Some(special_use);
            }
        }
    }
    known
}

fn is_called(folder: &ServerFolder, name: &str) -> bool {
    let whole = folder.name.to_lowercase();
    let below = folder.delimiter.and_then(|delimiter| whole.strip_prefix("inbox")?.strip_prefix(delimiter));
    whole == *name || below == Some(name)
}

fn word(special_use: SpecialUse) -> &'static str {
    match special_use {
        SpecialUse::All => "all",
        SpecialUse::Archive => "archive",
        SpecialUse::Drafts => "drafts",
        SpecialUse::Flagged => "flagged",
        SpecialUse::Junk => "junk",
        SpecialUse::Sent => "sent",
        SpecialUse::Trash => "trash",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::imap::FolderName;

    fn folder(name: &str, special_use: Option<SpecialUse>) -> Folder {
        Folder {
            name: name.into(),
            wire_name: FolderName::encode(name),
            delimiter: Some('.'),
            attributes: Vec::new(),
            special_use,
            selectable: true,
        }
    }

    fn uses(folders: &[Folder]) -> Vec<(String, Option<&'static str>)> {
        let known = known_as(&folders.iter().collect::<Vec<_>>());
        known.into_iter().map(|folder| (folder.name, folder.special_use)).collect()
    }

    #[test]
    fn a15_what_folders_are_for_is_guessed_from_whole_names_where_the_server_does_not_say() {
        let found = uses(&[
            folder("INBOX", None),
            folder("INBOX.Odeslaná pošta", None),
            folder("Papierkorb", None),
            folder("Projects.Trash", None),
            folder("Junk mail of others", None),
            folder("Entwürfe", None),
            folder("Entwürfe", None),
        ]);
        let names = [
            "INBOX",
            "INBOX.Odeslaná pošta",
            "Papierkorb",
            "Projects.Trash",
            "Junk mail of others",
            "Entwürfe",
        ];
        let special = [None, Some("sent"), Some("trash"), None, None, Some("drafts")];
        assert_eq!(found, names.map(String::from).into_iter().zip(special).collect::<Vec<_>>());
    }

    #[test]
    fn a15_what_the_server_says_goes_before_a_name() {
        let found = uses(&[folder("Trash", None), folder("Deleted", Some(SpecialUse::Trash))]);
        assert_eq!(found, [("Trash".into(), None), ("Deleted".into(), Some("trash"))]);
    }
}
