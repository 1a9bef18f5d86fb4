//! Bounces of mail systems and languages that the corpora do not have: written by us after what these
//! systems send. Each must be recognised with its recipient, its class and the message it speaks of.
#![allow(clippy::unwrap_used)]

use mail::bounce::{Bounce, Kind, recognise};
use mail::parse;

/// Who says it (header), what is said, and whether the address is wrong for good.
const NOTICES: &[(&str, &str, bool)] = &[
    // Exchange and Exchange Online, Czech, Slovak, Polish, German
    (
        "From: Microsoft Outlook <postmaster@b.example>\nSubject: Nedoručitelné: nabídka",
        "Doručení se nezdařilo pro tyto příjemce nebo skupiny:\n\nben@b.example<mailto:ben@b.example>\nE-mailovou adresu, kterou jste zadali, se nepovedlo najít.\n\nRemote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup'\n",
        true,
    ),
    (
        "From: postmaster@b.example\nSubject: Nedoručiteľné: ponuka",
        "Doručenie zlyhalo pre týchto príjemcov alebo skupiny:\n\nben@b.example\nPoštová schránka príjemcu je plná.\n\n#550 5.2.2 STOREDRV.Deliver; mailbox full\n",
        false,
    ),
    (
        "From: postmaster@b.example\nSubject: Niedostarczalne: oferta",
        "Nie powiodło się dostarczenie wiadomości do następujących adresatów lub grup:\n\nben@b.example\nNie znaleziono adresu e-mail.\n\n550 5.1.1 User unknown\n",
        true,
    ),
    (
        "From: postmaster@b.example\nSubject: Unzustellbar: Angebot",
        "Fehler bei der Zustellung an folgende Empfänger oder Verteilerlisten:\n\nben@b.example\nDie eingegebene E-Mail-Adresse konnte nicht gefunden werden.\n\n#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##\n",
        true,
    ),
    // Gmail, in the reader's language
    (
        "From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\nSubject: Delivery Status Notification (Failure)",
        "** Adresa nebyla nalezena **\n\nVaše zpráva nebyla na adresu ben@b.example doručena, protože adresa nebyla nalezena nebo nemůže přijímat zprávy.\n\nOdpověď ze vzdáleného serveru:\n550 5.1.1 The email account that you tried to reach does not exist.\n",
        true,
    ),
    (
        "From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\nSubject: Delivery Status Notification (Failure)",
        "** Nie znaleziono adresu **\n\nTwoja wiadomość nie została dostarczona na adres ben@b.example, ponieważ nie znaleziono adresu.\n",
        true,
    ),
    (
        "From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\nSubject: Delivery Status Notification (Failure)",
        "** Address not found **\n\nYour message wasn’t delivered to ben@b.example because the address couldn’t be found. Check for typos or unnecessary spaces and try again.\n",
        true,
    ),
    // Seznam, Centrum, Volny: Czech providers
    (
        "From: MAILER-DAEMON@seznam.example\nSubject: Nedoručená zpráva",
        "Vaše zpráva nebyla doručena těmto příjemcům:\n\n<ben@b.example>: schránka neexistuje (550 5.1.1)\n",
        true,
    ),
    (
        "From: Mailer Daemon <mailer-daemon@centrum.example>\nSubject: Vaše zpráva nemohla být doručena",
        "Dobrý den,\n\nvaše zpráva nemohla být doručena na adresu ben@b.example: uživatel neexistuje.\n",
        true,
    ),
    // WP, Onet, Interia: Polish providers
    (
        "From: Mail Delivery System <MAILER-DAEMON@wp.example>\nSubject: Zwrot wiadomości",
        "Wiadomość nie mogła być dostarczona do adresata ben@b.example.\n\n550 5.1.1 nieznany użytkownik\n",
        true,
    ),
    (
        "From: mailer-daemon@onet.example\nSubject: Nie można dostarczyć wiadomości",
        "Wiadomość nie może zostać dostarczona do odbiorcy <ben@b.example>:\nskrzynka przepełniona 552 5.2.2 over quota\n",
        false,
    ),
    // T-Online, 1&1: German
    (
        "From: Mail Delivery System <mailer-daemon@t-online.example>\nSubject: Nachricht konnte nicht zugestellt werden",
        "Ihre Nachricht konnte nicht zugestellt werden.\n\nben@b.example\n550 unbekannter Empfänger\n",
        true,
    ),
    // Domino
    (
        "From: postmaster@b.example\nSubject: DELIVERY FAILURE: User ben (ben@b.example) not listed in Domino Directory",
        "Your message\n\n  Subject: offer\n\nwas not delivered to:\n\n  ben@b.example\n\nbecause:\n\n  User ben (ben@b.example) not listed in Domino Directory\n",
        true,
    ),
    // Postfix, Exim, sendmail, qmail
    (
        "From: MAILER-DAEMON@b.example\nSubject: Undelivered Mail Returned to Sender",
        "I'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients.\n\n<ben@b.example>: host mx.b.example[192.0.2.1] said: 550 5.1.1\n    <ben@b.example>: Recipient address rejected: User unknown in virtual\n    mailbox table (in reply to RCPT TO command)\n",
        true,
    ),
    (
        "From: Mail Delivery System <Mailer-Daemon@b.example>\nX-Failed-Recipients: ben@b.example\nSubject: Mail delivery failed: returning message to sender",
        "A message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  ben@b.example\n    Unrouteable address\n",
        true,
    ),
    (
        "From: Mail Delivery Subsystem <MAILER-DAEMON@b.example>\nSubject: Returned mail: see transcript for details",
        "   ----- The following addresses had permanent fatal errors -----\n<ben@b.example>\n    (reason: 553 5.3.5 system config error)\n",
        false,
    ),
    (
        "From: MAILER-DAEMON@b.example\nSubject: failure notice",
        "Hi. This is the qmail-send program at b.example.\n\n<ben@b.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n",
        true,
    ),
    // Yahoo, Outlook.com, Yandex
    (
        "From: MAILER-DAEMON@yahoo.example\nSubject: Failure Notice",
        "Sorry, we were unable to deliver your message to the following address.\n\n<ben@b.example>:\n554: delivery error: dd This user doesn't have a b.example account (ben@b.example) [0]\n",
        true,
    ),
    (
        "From: mailer-daemon@yandex.example\nSubject: Недоставленное сообщение",
        "Не удалось доставить письмо на адрес ben@b.example\n\n550 5.1.1 No such user!\n",
        true,
    ),
];

const RETURNED: &str = "Return-Path: <ann@a.example>\nFrom: Ann <ann@a.example>\nTo: ben@b.example\n\
    Subject: =?utf-8?Q?Nab=C3=ADdka?=\n č. 7\nX-Lettercase-Thread: t-17\nMessage-ID: <orig-7@a.example>\nDate: Mon, 2 Mar 2026 10:00:00 +0100\n";

/// How systems return the message: as a part, as its header only, indented, quoted or bare in the text.
fn forms(head: &str, words: &str) -> Vec<String> {
    let quoted = |mark: &str| RETURNED.lines().map(|line| format!("{mark}{line}\n")).collect::<String>();
    let part = |kind: &str| {
        format!(
            "{head}\nTo: ann@a.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain; charset=utf-8\n\n{words}\n--x\nContent-Type: {kind}\n\n{RETURNED}\nHello Ben\n--x--\n"
        )
    };
    let text = |copy: &str| {
        format!(
            "{head}\nTo: ann@a.example\nContent-Type: text/plain; charset=utf-8\n\n{words}\n--- Below this line is a copy of the message.\n\n{copy}\nHello Ben\n"
        )
    };
    vec![
        part("message/rfc822"),
        part("text/rfc822-headers"),
        part("text/rfc822"),
        text(RETURNED),
        text(&quoted("> ")),
        text(&quoted("    ")),
    ]
}

fn read(raw: &str) -> Bounce {
    recognise(raw.as_bytes(), &parse::parse(raw.as_bytes()))
        .unwrap_or_else(|| panic!("not recognised:\n{raw}"))
}

#[test]
fn b9_bounces_of_other_systems_and_languages_are_recognised() {
    for (head, words, dead) in NOTICES {
        for raw in forms(head, words) {
            let bounce = read(&raw);
            assert_eq!(bounce.kind, Kind::Failure, "{raw}");
            let [recipient] = &bounce.recipients[..] else { panic!("{:?}\n{raw}", bounce.recipients) };
            assert_eq!(recipient.address, "ben@b.example", "{raw}");
            assert_eq!((recipient.permanent, recipient.dead), (Some(true), *dead), "{raw}");
        }
    }
}

#[test]
fn b9_a_bounce_is_tied_to_the_message_it_speaks_of() {
    let (head, words, _) = NOTICES[0];
    for raw in forms(head, words) {
        let bounce = read(&raw);
        assert_eq!(bounce.original_message_id.as_deref(), Some("orig-7@a.example"), "{raw}");
        assert_eq!(bounce.original_subject(), Some("Nabídka č. 7"), "{raw}");
        assert_eq!(bounce.original.get("x-lettercase-thread"), Some("t-17"), "{raw}");
    }
}

#[test]
fn b9_a_notice_that_returns_nothing_says_nothing_of_the_message() {
    let bounce = read(&format!(
        "{}\nTo: ann@a.example\nReason: x\nContent-Type: text/plain; charset=utf-8\n\n{}",
        NOTICES[0].0, NOTICES[0].1
    ));
    assert_eq!((bounce.original_message_id.as_deref(), bounce.original.iter().len()), (None, 0));
}

#[test]
fn b9_people_who_write_about_bounces_send_none() {
    for (_, words, _) in NOTICES {
        for head in [
            "From: ann@a.example\nSubject: Fwd: Undeliverable",
            "From: Ann <ann@a.example>\nSubject: Nedoručitelné",
        ] {
            let raw = format!(
                "{head}\nTo: ben@b.example\nContent-Type: text/plain; charset=utf-8\n\nCan you look at this?\n\n{words}"
            );
            assert_eq!(recognise(raw.as_bytes(), &parse::parse(raw.as_bytes())), None, "{raw}");
        }
    }
}
