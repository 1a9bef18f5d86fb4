//! Recognises automatic answers and loops (RFC 3834), so that no machine is answered by a machine.
//!
//! [`reason`] says why a letter is an automatic answer, [`loop_signs`] why it must not be answered
//! automatically even if a person may have written it. A list is neither: `Letter::list_id`.

use crate::bounce::is_from_daemon;
use crate::letter::Letter;

/// Why a letter is an automatic answer, in a word for programs; `None` if a person wrote it or a
/// machine that does not answer (a report, a newsletter).
pub fn reason(letter: &Letter) -> Option<&'static str> {
    let header = |name| letter.headers.get(name).map(|v| v.trim().to_lowercase());
    let auto = letter.auto_submitted.as_deref().unwrap_or("");
    if is_failure_notice(letter) || crate::bounce::is_opt_out(letter) {
        return None;
    }
    if auto.starts_with("auto-replied") {
        return Some("auto_submitted");
    }
    // Older responders; RFC 3834 3.1.8 lists them as seen in practice.
    for name in ["X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Response-From"] {
        if header(name).is_some_and(|v| v != "no" && v != "false") {
            return Some("x_autoreply");
        }
    }
    if letter.precedence.as_deref() == Some("auto_reply") {
        return Some("precedence");
    }
    if letter.list_id.is_some() {
        return None;
    }
    if header("X-Mail-Autoreply").is_some() || header("X-Auto-Reply").is_some() {
        return Some("x_autoreply");
    }
    is_vacation_subject(&letter.subject).then_some("subject")
}

/// A bounce uses `auto-replied` too (exim does).
fn is_failure_notice(letter: &Letter) -> bool {
    letter.headers.has("X-Failed-Recipients")
        || letter.content_type == "multipart/report"
        || is_from_daemon(letter)
}

/// Beginnings of the subjects that clients and servers give to vacation replies, lower case.
#[rustfmt::skip]
const VACATION_PREFIXES: &[&str] = &[
    "automatic reply:",
    "automatic reply",
    "auto reply:",
    "auto-reply:",
    "autoreply:",
    "auto response:",
    "autoresponse:",
    "auto-response:",
    "out of office:",
    "out of office reply",
    "out of office autoreply",
    "out of the office",
    "out-of-office",
    "automatická odpověď:",
    "automaticka odpoved:",
    "automatická odpověď",
    "automatická odpoveď:",
    "automatická odpoveď",
    "odpowiedź automatyczna:",
    "autoodpowiedź",
    "automatyczna odpowiedź",
    "automatische antwort:",
    "automatische antwort",
    "abwesenheitsnotiz:",
    "abwesenheitsnotiz",
    "abwesenheitsassistent",
    "abwesend:",
    "réponse automatique :",
    "réponse automatique:",
    "réponse automatique",
    "absence du bureau",
    "respuesta automática:",
    "respuesta automática",
    "fuera de la oficina",
    "risposta automatica:",
    "risposta automatica",
    "fuori sede",
    "automatisch antwoord:",
    "automatisch antwoord",
    "afwezig:",
    "autosvar:",
    "autosvar",
    "automatiskt svar:",
    "automatisk svar:",
    "automatisk svar",
    "resposta automática:",
    "resposta automática",
    "automaattinen vastaus",
    "automatikus válasz",
    "автоответ",
    "автоматический ответ",
    "автоматична відповідь",
    "vacation:",
    "on vacation:",
    "mimo kancelář",
    "mimo kanceláriu",
    "poza biurem",
    "nieobecność:",
    "nepřítomnost:",
    "neprítomnosť:",
    "自動返信",
    "自動応答",
    "自动回复",
    "자동 회신",
];

/// Whether a subject is that of a vacation reply.
pub(crate) fn is_vacation_subject(subject: &str) -> bool {
    let start: String = subject.trim().chars().take(64).collect::<String>().to_lowercase();
    // More words mean that somebody writes about it: "Out of the office party".
    VACATION_PREFIXES.iter().any(|prefix| {
        let rest = start.strip_prefix(prefix);
        rest.is_some_and(|r| prefix.ends_with(':') || !r.trim_start().starts_with(char::is_alphanumeric))
    })
}

/// Signs that an automatic answer to this letter could start or feed a loop, each once: to be
/// checked before answering by itself. `own` are the addresses answers would be sent from, lower
/// case.
pub fn loop_signs(letter: &Letter, own: &[&str]) -> Vec<&'static str> {
    let mut signs = Vec::new();
    let mut add = |is: bool, sign| {
        if is {
            signs.push(sign);
        }
    };
    let auto = letter.auto_submitted.as_deref().unwrap_or("no");
    add(!matches!(auto, "" | "no"), "auto_submitted");
    add(reason(letter).is_some(), "auto_reply");
    add(letter.return_path.as_deref() == Some(""), "null_return_path");
    let precedence = letter.precedence.as_deref().unwrap_or("");
    add(matches!(precedence, "bulk" | "junk" | "list" | "auto_reply"), "precedence");
    let listed = ["List-Id", "List-Unsubscribe", "List-Post", "Mailing-List", "X-Mailing-List"];
    add(letter.list_id.is_some() || listed.iter().any(|h| letter.headers.has(h)), "list");
    add(suppresses_answers(letter), "auto_response_suppress");
    add(letter.headers.has("X-Loop"), "x_loop");
    let is_own = |a: &crate::letter::Address| own.contains(&a.key().as_str());
    add(letter.from.iter().any(is_own) || letter.reply_to.iter().any(is_own), "own_address");
    add(letter.from.iter().any(|a| is_machine(&a.address)), "machine_address");
    signs
}

/// Exchange's way of saying "do not answer" (MS-OXCMAIL 2.1.3.2.9).
fn suppresses_answers(letter: &Letter) -> bool {
    let value = letter.headers.get("X-Auto-Response-Suppress").unwrap_or("").to_lowercase();
    value.split(',').any(|v| matches!(v.trim(), "all" | "autoreply" | "oof"))
}

/// Addresses nobody reads.
fn is_machine(address: &str) -> bool {
    let local = address.split('@').next().unwrap_or("").to_lowercase();
    let local: String = local.chars().filter(|c| c.is_alphanumeric()).collect();
    matches!(local.as_str(), "mailerdaemon" | "postmaster" | "noreply" | "donotreply" | "nobody")
        || local.starts_with("noreply")
        || local.starts_with("donotreply")
}

#[cfg(test)]
mod tests {
    use super::{loop_signs, reason};
    use crate::parse::parse;

    fn of(head: &str) -> Option<&'static str> {
        reason(&parse(format!("From: ben@b.example\n{head}\n\ntext\n").as_bytes()))
    }

    #[test]
    fn b9_automatic_answers_are_recognised() {
        assert_eq!(of("Auto-Submitted: auto-replied; owner-email=x"), Some("auto_submitted"));
        assert_eq!(of("X-Autoreply: yes"), Some("x_autoreply"));
        assert_eq!(of("Precedence: auto_reply"), Some("precedence"));
        for subject in [
            "Automatická odpověď: nabídka",
            "Automatická odpoveď: ponuka",
            "Odpowiedź automatyczna: oferta",
            "Automatische Antwort: Angebot",
            "Abwesenheitsnotiz",
            "Automatic reply: offer",
            "Out of Office AutoReply: offer",
            "=?utf-8?Q?Mimo_kancel=C3=A1=C5=99?=",
        ] {
            assert_eq!(of(&format!("Subject: {subject}")), Some("subject"), "{subject}");
        }
    }

    #[test]
    fn b9_ordinary_mail_lists_and_bounces_are_no_answers() {
        for head in [
            "Subject: Re: out of office hours, can we call?",
            "Subject: Dovolená",
            "Subject: Vacation plans",
            "Subject: Automatic replying machines",
            "Subject: Out of the office party, who comes?",
            "Auto-Submitted: auto-generated\nSubject: backup done",
            "Auto-Submitted: no",
            "List-Id: <news.b.example>\nSubject: Out of office: survey",
            "X-Failed-Recipients: x@b.example\nAuto-Submitted: auto-replied",
        ] {
            assert_eq!(of(head), None, "{head}");
        }
        let bounce = parse(b"From: MAILER-DAEMON\nAuto-Submitted: auto-replied\n\nx");
        assert_eq!(reason(&bounce), None);
    }

    #[test]
    fn b9_signs_of_a_loop_are_named() {
        let signs = |head: &str| loop_signs(&parse(format!("{head}\n\nx").as_bytes()), &["info@a.example"]);
        assert_eq!(signs("From: ben@b.example"), Vec::<&str>::new());
        assert_eq!(signs("From: Info@A.example"), ["own_address"]);
        assert_eq!(
            signs("Return-Path: <>\nFrom: no-reply@b.example"),
            ["null_return_path", "machine_address"]
        );
        assert_eq!(
            signs(
                "From: x@b.example\nAuto-Submitted: auto-generated\nPrecedence: bulk\nX-Auto-Response-Suppress: DR, OOF\nList-Unsubscribe: <x>"
            ),
            ["auto_submitted", "precedence", "list", "auto_response_suppress"]
        );
    }
}
