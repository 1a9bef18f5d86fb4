//! Notices by mail: what somebody is told in the interface, to their first address, in their language.

use crate::people::Language;
use crate::{Desk, sending};
use model::UserId;
use std::collections::BTreeMap;
use store::people;
use store::sql::{Error, Tx};

/// Queues the mail of a notice, where it has words, the person an address, and mail of the system goes out.
pub(crate) async fn queue(
    desk: &Desk,
    tx: &mut Tx,
    user: UserId,
    kind: &str,
    data: &BTreeMap<&'static str, String>,
) -> Result<(), Error> {
    let Some(person) = people::user(tx, user).await?.filter(|person| person.active) else { return Ok(()) };
    let Some(to) = people::addresses(tx, user).await?.into_iter().next() else { return Ok(()) };
    let language = Language::of(&person.language).unwrap_or(Language::English);
    let Some(sentence) = sentence(kind, language) else { return Ok(()) };
    let sentence = filled(sentence, data);
    sending::queue_system_mail(desk, tx, &to, &sentence, &format!("{sentence}\n")).await.map(drop)
}

/// The sentence with what it speaks of. A stranger wrote some of that: it is one line, and not longer than
/// [`LONGEST_WORD`] characters.
fn filled(sentence: &str, data: &BTreeMap<&'static str, String>) -> String {
    let mut out = sentence.to_owned();
    for name in ["address", "from", "subject", "by", "name", "number"] {
        // What is told of a record without mail speaks of its name.
        let word = data.get(name).or_else(|| data.get("name").filter(|_| name == "subject"));
        let word: String = word.into_iter().flat_map(|word| word.chars()).take(LONGEST_WORD).collect();
        let word: Vec<&str> = word.split(|c: char| c.is_whitespace() || c.is_control()).collect();
        out = out.replace(&format!("{{{name}}}"), word.join(" ").trim());
    }
    out
}

/// Characters of a subject or a name in a notice.
const LONGEST_WORD: usize = 200;

/// The sentence of a kind of notice that goes out by mail.
fn sentence(kind: &str, language: Language) -> Option<&'static str> {
    let [english, czech, slovak, polish] = match kind {
        "mailbox_waiting_for_owner" => [
            "The mailbox {address} is waiting for you to enter its password.",
            "Schránka {address} čeká, až zadáte její heslo.",
            "Schránka {address} čaká, kým zadáte jej heslo.",
            "Skrzynka {address} czeka na wpisanie hasła.",
        ],
        "mailbox_silent" => [
            "The mailbox {address} has not been read for a long time.",
            "Schránka {address} nebyla dlouho načtena.",
            "Schránka {address} nebola dlho načítaná.",
            "Skrzynka {address} nie była odczytywana od dłuższego czasu.",
        ],
        "mailbox_failed" => [
            "The mailbox {address} cannot be read.",
            "Schránku {address} nelze načíst.",
            "Schránku {address} nemožno načítať.",
            "Nie można odczytać skrzynki {address}.",
        ],
        "mailbox_paused" => [
            "The mailbox {address} has stopped and asks whether it may go on.",
            "Schránka {address} se zastavila a ptá se, zda má pokračovat.",
            "Schránka {address} sa zastavila a pýta sa, či má pokračovať.",
            "Skrzynka {address} zatrzymała się i pyta, czy kontynuować.",
        ],
        "grant_expired" => [
            "The sign-in for the mailbox {address} has ended: sign in at the provider again.",
            "Přihlášení schránky {address} skončilo: přihlaste se u poskytovatele znovu.",
            "Prihlásenie schránky {address} skončilo: prihláste sa u poskytovateľa znova.",
            "Logowanie skrzynki {address} wygasło: zaloguj się ponownie u dostawcy.",
        ],
        "mail_on_followed" => [
            "A mail came to something you follow: {subject} ({from})",
            "K záznamu, který sledujete, přišla zpráva: {subject} ({from})",
            "K záznamu, ktorý sledujete, prišla správa: {subject} ({from})",
            "Do obserwowanego rekordu nadeszła wiadomość: {subject} ({from})",
        ],
        "reply_on_mine" => [
            "A mail came to a conversation of yours: {subject} ({from})",
            "Do vaší konverzace přišla zpráva: {subject} ({from})",
            "Do vašej konverzácie prišla správa: {subject} ({from})",
            "Do Twojej rozmowy nadeszła wiadomość: {subject} ({from})",
        ],
        "assigned" => [
            "You are in charge now: {subject}",
            "Nyní je to na vás: {subject}",
            "Teraz je to na vás: {subject}",
            "Teraz to Twoje zadanie: {subject}",
        ],
        "mentioned" => [
            "{by} mentioned you in a note: {subject}",
            "{by} vás zmiňuje v poznámce: {subject}",
            "{by} vás spomína v poznámke: {subject}",
            "{by} wspomina o Tobie w notatce: {subject}",
        ],
        "team_new" => [
            "There is something new for your team: {subject}",
            "Váš tým má něco nového: {subject}",
            "Váš tím má niečo nové: {subject}",
            "Twój zespół ma coś nowego: {subject}",
        ],
        "note_on_followed" => [
            "{by} wrote a note on something you follow: {subject}",
            "{by} píše poznámku k záznamu, který sledujete: {subject}",
            "{by} píše poznámku k záznamu, ktorý sledujete: {subject}",
            "{by} pisze notatkę do obserwowanego rekordu: {subject}",
        ],
        "snooze_over" => [
            "A case of yours is back: {subject}",
            "Váš případ se vrátil: {subject}",
            "Váš prípad sa vrátil: {subject}",
            "Twoja sprawa wróciła: {subject}",
        ],
        "nobody_available" => [
            "Nobody of your team is available for: {subject}",
            "Nikdo z vašeho týmu není k dispozici pro: {subject}",
            "Nikto z vášho tímu nie je k dispozícii pre: {subject}",
            "Nikt z Twojego zespołu nie jest dostępny dla: {subject}",
        ],
        "overdue" => [
            "An answer was due: {subject}",
            "Odpověď měla už odejít: {subject}",
            "Odpoveď mala už odísť: {subject}",
            "Minął termin odpowiedzi: {subject}",
        ],
        _ => return None,
    };
    Some(match language {
        Language::English => english,
        Language::Czech => czech,
        Language::Slovak => slovak,
        Language::Polish => polish,
    })
}
