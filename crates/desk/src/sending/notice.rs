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
    let sentence = sentence.replace("{address}", data.get("address").map_or("", String::as_str));
    sending::queue_system_mail(desk, tx, &to, &sentence, &format!("{sentence}\n")).await.map(drop)
}

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
        _ => return None,
    };
    Some(match language {
        Language::English => english,
        Language::Czech => czech,
        Language::Slovak => slovak,
        Language::Polish => polish,
    })
}
