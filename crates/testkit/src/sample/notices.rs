//! What programs send: newsletters, parcels, bounces, replies of those on leave, invitations.

use super::company::{COMPANIES, Language, Mailbox, Person, writer_to};
use super::conversation::wrapped;
use super::files;
use super::mail::{Address, Mail, Part, Writing, attachment, date, multipart};
use super::random::Random;
use jiff::{SignedDuration, Timestamp};

fn to_mailbox(mailbox: Mailbox) -> Address {
    (mailbox.name().to_owned(), mailbox.address().to_owned())
}

fn mail(
    at: Timestamp,
    from: (&str, &str),
    to: Mailbox,
    subject: &str,
    body: Part,
    random: &mut Random,
) -> Mail {
    let domain = from.1.rsplit('@').next().unwrap_or_default();
    Mail {
        at,
        from: (from.0.to_owned(), from.1.to_owned()),
        to: vec![to_mailbox(to)],
        cc: Vec::new(),
        subject: subject.to_owned(),
        message_id: Some(format!("{:x}.{:08x}@{domain}", at.as_second(), random.next() >> 32)),
        in_reply_to: None,
        references: Vec::new(),
        extra: Vec::new(),
        body,
    }
}

struct Newsletter {
    name: &'static str,
    list: &'static str,
    to: Mailbox,
    issues: &'static [(&'static str, &'static [&'static str])],
}

const NEWSLETTERS: &[Newsletter] = &[
    Newsletter {
        name: "Řemeslo dnes",
        list: "remeslo-dnes.example",
        to: Mailbox::Ben,
        issues: &[
            (
                "Kolik světla potřebuje pracovní stůl",
                &[
                    "Norma mluví o pěti stech luxech, praxe ale ukazuje, že u jemné montáže se vyplatí dvojnásobek. Změřili jsme osm dílen a výsledky nás překvapily.",
                    "V čísle dále: jak skladovat lepidla přes zimu a proč se vracejí dřevěné rukojeti.",
                ],
            ),
            (
                "Veletrh v Brně: co jsme viděli",
                &[
                    "Na letošním ročníku vystavovalo přes tři sta firem. Nejvíc lidí stálo u skládacích stolů, nejméně u robotů, které skládaly krabice.",
                    "Připravili jsme přehled deseti novinek i s cenami.",
                ],
            ),
            (
                "Hluk v dílně se dá snížit levně",
                &[
                    "Gumová podložka za dvě stě korun udělá víc než nová příčka. Poradíme, kam s ní.",
                    "Čtenářka z Opavy popisuje, jak přestavěla stodolu na truhlárnu.",
                ],
            ),
        ],
    },
    Newsletter {
        name: "Magazyn i transport",
        list: "magazyn-transport.example",
        to: Mailbox::Orders,
        issues: &[
            (
                "Nowe przepisy o regałach od stycznia",
                &[
                    "Od stycznia przegląd regałów wysokiego składowania trzeba dokumentować co pół roku. Przygotowaliśmy listę kontrolną do wydruku.",
                    "Ponadto: ile naprawdę kosztuje metr kwadratowy magazynu w pięciu miastach.",
                ],
            ),
            (
                "Jak zima zmienia dostawy",
                &[
                    "Śnieg opóźnia co ósmą przesyłkę. Sprawdziliśmy, którzy przewoźnicy radzą sobie najlepiej.",
                    "W numerze także wywiad z kierowcą, który od trzydziestu lat jeździ bez nawigacji.",
                ],
            ),
            (
                "Paleta, która wraca",
                &["Zwrot palet można rozliczać bez papieru. Opisujemy trzy systemy i ich wady."],
            ),
        ],
    },
    Newsletter {
        name: "Trade Desk Weekly",
        list: "tradedesk.example",
        to: Mailbox::Press,
        issues: &[
            (
                "Steel eases, timber does not",
                &[
                    "Cold-rolled steel fell for the third week running, while seasoned beech is up again. Two buyers explain how they hedge without calling it that.",
                    "Also inside: the trade fairs worth a train ticket this winter.",
                ],
            ),
            (
                "The quiet return of repair",
                &[
                    "Manufacturers who publish spare-part drawings sell more, not less. We looked at four years of figures.",
                    "Reader's question: who pays when the pallet is fine and the goods are not?",
                ],
            ),
            (
                "Five workshops that cut their energy bill",
                &["None of them bought new machines. What they did instead, with numbers."],
            ),
        ],
    },
];

/// Newsletters with List-Id (RFC 2919), unsubscribing (RFC 8058) and pictures from afar.
pub fn newsletters(now: Timestamp, random: &mut Random) -> Vec<(Mailbox, Mail, Writing)> {
    let mut out = Vec::new();
    for letter in NEWSLETTERS {
        for (week, (title, texts)) in letter.issues.iter().enumerate() {
            let back = 24 * 7 * i64::try_from(week).expect("a handful")
                + i64::try_from(random.between(5, 60)).expect("small");
            let at = now - SignedDuration::from_hours(back);
            let sender = format!("news@{}", letter.list);
            let body = newsletter_body(letter, title, texts, random);
            let mut mail = mail(at, (letter.name, &sender), letter.to, title, body, random);
            mail.extra = vec![
                ("List-Id", format!("<news.{}>", letter.list)),
                (
                    "List-Unsubscribe",
                    format!("<https://www.{}/unsubscribe/{:x}>", letter.list, random.next()),
                ),
                ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".into()),
                ("Precedence", "bulk".into()),
            ];
            out.push((letter.to, mail, Writing::PLAIN));
        }
    }
    out
}

fn newsletter_body(letter: &Newsletter, title: &str, texts: &[&str], random: &mut Random) -> Part {
    let plain: Vec<_> =
        texts.iter().flat_map(|text| wrapped(text, 72).into_iter().chain([String::new()])).collect();
    let rows: Vec<_> = texts
        .iter()
        .map(|text| {
            format!(
                "<tr><td style=\"padding:16px 24px\"><img src=\"https://img.{}/{:x}.jpg\" width=\"552\" height=\"180\" alt=\"\">\
                 <p style=\"font-size:15px;line-height:22px\">{text}</p></td></tr>\n",
                letter.list,
                random.next()
            )
        })
        .collect();
    let html = format!(
        "<html><body style=\"margin:0;background:#f2f4f7\"><table width=\"600\" align=\"center\" cellpadding=\"0\" cellspacing=\"0\" \
         style=\"background:#ffffff;font-family:Georgia,serif\">\n<tr><td style=\"padding:24px;background:#12385b;color:#ffffff\">\
         <h1 style=\"margin:0;font-size:24px\">{title}</h1>{}</td></tr>\n{}<tr><td style=\"padding:16px 24px;font-size:12px;color:#667\">\
         <a href=\"https://www.{}/archive\">{}</a></td></tr></table></body></html>\n",
        letter.name,
        rows.concat(),
        letter.list,
        letter.list
    );
    let parts = [Writing::PLAIN.text("plain", &plain.join("\n")), Writing::PLAIN.text("html", &html)];
    multipart("alternative", "", &parts, random)
}

/// What carriers and shops say by program.
pub fn parcels(now: Timestamp, random: &mut Random) -> Vec<(Mailbox, Mail, Writing)> {
    const KINDS: [(&str, &str, &str); 4] = [
        (
            "Rychlá pošta",
            "zásilka {n} je na cestě",
            "Vaše zásilka {n} opustila naše depo a bude doručena zítra mezi 8. a 14. hodinou. Na tuto zprávu prosím neodpovídejte.",
        ),
        (
            "Kuriér Plus",
            "zásielka {n} bola doručená",
            "Zásielka {n} bola doručená dnes o 10:42, prevzal ju vrátnik. Ďakujeme, že posielate s nami. Na túto správu neodpovedajte.",
        ),
        (
            "Paczka 24",
            "przesyłka {n} czeka na odbiór",
            "Przesyłka {n} czeka w punkcie odbioru do soboty. Kod odbioru przyszedł na telefon. Prosimy nie odpowiadać na tę wiadomość.",
        ),
        (
            "Northern Freight",
            "shipment {n} cleared customs",
            "Shipment {n} cleared customs this morning and is expected at the consignee within two working days. This mailbox is not read.",
        ),
    ];
    let one = |index: i64| {
        let (name, subject, text) = random.one_of(&KINDS);
        let number = format!("CZ{}", random.between(10_000_000, 99_999_999));
        let fill = |text: &str| text.replace("{n}", &number);
        let at = now
            - SignedDuration::from_mins(
                index * 1_730 + i64::try_from(random.between(1, 900)).expect("small"),
            );
        let sender = "noreply@parcels.example";
        let lines = wrapped(&fill(text), 74).join("\n") + "\n";
        let writing = Writing::usual(random);
        let mut mail =
            mail(at, (name, sender), Mailbox::Orders, &fill(subject), writing.text("plain", &lines), random);
        mail.extra =
            vec![("Auto-Submitted", "auto-generated".into()), ("X-Auto-Response-Suppress", "All".into())];
        (Mailbox::Orders, mail, writing)
    };
    (0..16).map(one).collect()
}

/// The report that a mail of ours could not be delivered (RFC 3464).
pub fn bounce(ours: &Mail, from: Mailbox, random: &mut Random) -> (Mailbox, Mail, Writing) {
    let at = ours.at + SignedDuration::from_mins(3);
    let recipient = ours.to.first().map(|(_, address)| address.clone()).unwrap_or_default();
    let host = recipient.rsplit('@').next().unwrap_or_default();
    let (status, said) = random.one_of(&[
        ("5.1.1", "550 5.1.1 User unknown"),
        ("5.2.2", "552 5.2.2 Mailbox full"),
        ("5.7.1", "554 5.7.1 Message rejected"),
    ]);
    let text = format!(
        "This is the mail system at host mx.acme.example.\n\nI'm sorry to have to inform you that your message could not\n\
         be delivered to one or more recipients. It's attached below.\n\n<{recipient}>: host mail.{host} said: {said}\n"
    );
    let status = format!(
        "Reporting-MTA: dns; mx.acme.example\r\nArrival-Date: {}\r\n\r\nFinal-Recipient: rfc822; {recipient}\r\n\
         Action: failed\r\nStatus: {status}\r\nRemote-MTA: dns; mail.{host}\r\nDiagnostic-Code: smtp; {said}\r\n",
        date(at)
    );
    let parts = [
        Writing::PLAIN.text("plain", &text),
        Part { headers: "Content-Type: message/delivery-status\r\n".into(), body: status.into_bytes() },
        Part {
            headers: "Content-Type: message/rfc822\r\n".into(),
            body: ours.bytes(Writing::PLAIN, None, random),
        },
    ];
    let body = multipart("report", "; report-type=delivery-status", &parts, random);
    let sender = ("Mail Delivery System", "MAILER-DAEMON@mx.acme.example");
    let mut mail = mail(at, sender, from, "Undelivered Mail Returned to Sender", body, random);
    mail.extra = vec![("Auto-Submitted", "auto-replied".into())];
    (from, mail, Writing::PLAIN)
}

/// The reply of somebody on leave to a mail of ours (RFC 3834).
pub fn on_leave(ours: &Mail, from: Mailbox, random: &mut Random) -> Option<(Mailbox, Mail, Writing)> {
    let (name, address) = ours.to.first()?;
    let company = COMPANIES.iter().find(|company| address.ends_with(company.domain))?;
    let (mark, text) = match company.language {
        Language::Czech => (
            "Automatická odpověď: ",
            "Děkuji za zprávu. Do pátku mám dovolenou, v naléhavých věcech pište prosím kolegům na hlavní adresu.",
        ),
        Language::Slovak => (
            "Automatická odpoveď: ",
            "Ďakujem za správu. Do konca týždňa som mimo kancelárie a e-maily čítam len večer.",
        ),
        Language::Polish => (
            "Automatyczna odpowiedź: ",
            "Dziękuję za wiadomość. Do piątku przebywam na urlopie, w pilnych sprawach proszę o telefon do biura.",
        ),
        Language::English => (
            "Automatic reply: ",
            "Thank you for your message. I am away until Friday with little access to mail; the office can help with anything urgent.",
        ),
    };
    let at = ours.at + SignedDuration::from_mins(1);
    let body = Writing::PLAIN.text("plain", &(wrapped(text, 74).join("\n") + "\n"));
    let subject = format!("{mark}{}", ours.subject);
    let mut mail = mail(at, (name, address), from, &subject, body, random);
    mail.in_reply_to = ours.message_id.clone();
    mail.references = ours.message_id.iter().cloned().collect();
    mail.extra = vec![("Auto-Submitted", "auto-replied".into()), ("X-Auto-Response-Suppress", "All".into())];
    Some((from, mail, Writing::PLAIN))
}

/// Invitations to meetings, from customers to Ben and Carla.
pub fn invitations(now: Timestamp, random: &mut Random) -> Vec<(Mailbox, Mail, Writing)> {
    const SUBJECTS: [(Mailbox, Language, &str, &str); 4] = [
        (
            Mailbox::Ben,
            Language::Czech,
            "Prohlídka haly a oběd",
            "Posílám pozvánku na prohlídku nové haly, potom vás zvu na oběd.",
        ),
        (
            Mailbox::Carla,
            Language::Slovak,
            "Rokovanie o rámcovej zmluve",
            "V pozvánke je čas, ktorý sme si povedali telefonicky.",
        ),
        (
            Mailbox::Ben,
            Language::Polish,
            "Spotkanie w sprawie dystrybucji",
            "Przesyłam zaproszenie na spotkanie, agendę dosłałam osobno.",
        ),
        (
            Mailbox::Carla,
            Language::English,
            "Quarterly supplier review",
            "Invitation for our quarterly review; forty minutes should do.",
        ),
    ];
    let one = |(index, (to, language, subject, text)): (i64, &(Mailbox, Language, &str, &str))| {
        let Person { company, name, local } = writer_to(*to, *language, random);
        let sender = format!("{local}@{}", company.domain);
        let at = now - SignedDuration::from_hours(30 + index * 71);
        let begins = (at + SignedDuration::from_hours(24 * 9)).strftime("%Y%m%dT090000Z").to_string();
        let uid = format!("{:016x}@{}", random.next(), company.domain);
        let calendar = files::invitation(&uid, &begins, subject, &sender, to.address());
        let mut file = attachment("invite.ics", "text/calendar; charset=utf-8; method=REQUEST", &calendar);
        file.headers = file.headers.replace("Content-Disposition: attachment", "Content-Disposition: inline");
        let parts = [Writing::PLAIN.text("plain", &format!("{text}\n\n{name}\n{}\n", company.name)), file];
        let body = multipart("mixed", "", &parts, random);
        (*to, mail(at, (name, &sender), *to, subject, body, random), Writing::PLAIN)
    };
    (0..).zip(&SUBJECTS).map(one).collect()
}
