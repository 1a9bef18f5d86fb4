//! A thousand mails of all sorts, the same for each run: threads, copies, files, odd and broken ones.
//! Each bears its number in the subject, so that one can see afterwards that it is there once.

use std::fmt::Write;

/// A mail and what should become of it.
pub struct Mail {
    pub raw: Vec<u8>,
    /// The word that stands in its subject and nowhere else; None where it has no readable subject.
    pub token: Option<String>,
    /// It is byte for byte one of those before: another occurrence, the same message.
    pub is_copy: bool,
}

/// Numbers that look random and are always the same (xorshift64*).
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % sides
    }
}

/// A thread that may be answered.
struct Thread {
    /// All of it is by this one person. Who else may write into a thread is asked of whom it knew when the letter
    /// came (`intake::trust`), and that differs with the order of arrival in several mailboxes.
    writer: usize,
    ids: Vec<String>,
}

/// `n` mails.
pub fn mixed(n: usize) -> Vec<Mail> {
    let mut dice = Dice(0x1e77e6ca5e);
    let mut mails: Vec<Mail> = Vec::new();
    let mut threads: Vec<Thread> = Vec::new();
    for number in 0..n {
        let mail = match dice.roll(100) {
            0..45 => reply(number, &mut dice, &mut threads),
            45..80 => first(number, &mut dice, &mut threads),
            80..88 => with_file(number, &mut dice, &mut threads),
            88..92 => without_id(number),
            92..95 => raw_czech(number),
            95..97 => broken(number, &mut dice),
            97..99 => Mail {
                raw: mails.last().map_or_else(Vec::new, |last| last.raw.clone()),
                token: None,
                is_copy: !mails.is_empty(),
            },
            _ => same_id(number),
        };
        mails.push(mail);
    }
    mails
}

fn token(number: usize) -> String {
    format!("token{number:05}")
}

fn header(number: usize, subject: &str, more: &str) -> String {
    header_by(number, number, subject, more)
}

fn header_by(writer: usize, number: usize, subject: &str, more: &str) -> String {
    let (minute, hour) = (number % 60, number / 60 % 24);
    format!(
        "Received: from mx.acme.example by mail.acme.example; Mon, 2 Nov 2026 10:00:00 +0100\r\nFrom: Ann {writer} <ann{}@firma{}.example>\r\nTo: helpdesk@acme.example\r\nDate: Mon, 2 Nov 2026 {hour:02}:{minute:02}:00 +0100\r\nSubject: {subject} {}\r\n{more}",
        writer % 50,
        writer % 20,
        token(number)
    )
}

fn text(number: usize, dice: &mut Dice) -> String {
    let mut text = String::new();
    for line in 0..1 + dice.roll(30) {
        write!(
            text,
            "Line {line} of letter {number}: the delivery of {} pieces is late.\r\n",
            dice.roll(1000)
        )
        .unwrap();
    }
    text
}

fn first(number: usize, dice: &mut Dice, threads: &mut Vec<Thread>) -> Mail {
    let id = format!("{number}@firma.example");
    let more = format!("Message-ID: <{id}>\r\n\r\n");
    threads.push(Thread { writer: number, ids: vec![id] });
    mail(number, header(number, "Order", &more) + &text(number, dice))
}

fn reply(number: usize, dice: &mut Dice, threads: &mut Vec<Thread>) -> Mail {
    if threads.is_empty() {
        return first(number, dice, threads);
    }
    let place = dice.roll(threads.len() as u64) as usize;
    let Thread { writer, ids } = &mut threads[place];
    let id = format!("{number}@firma.example");
    let references: Vec<String> = ids.iter().map(|id| format!("<{id}>")).collect();
    let last = references.last().unwrap();
    let more = format!(
        "Message-ID: <{id}>\r\nIn-Reply-To: {last}\r\nReferences: {}\r\n\r\n",
        references.join("\r\n ")
    );
    ids.push(id);
    mail(
        number,
        header_by(*writer, number, "Re: Order", &more)
            + &text(number, dice)
            + "\r\n> what was written before\r\n",
    )
}

fn with_file(number: usize, dice: &mut Dice, threads: &mut Vec<Thread>) -> Mail {
    let id = format!("{number}@firma.example");
    threads.push(Thread { writer: number, ids: vec![id.clone()] });
    let more = format!(
        "Message-ID: <{id}>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b{number}\"\r\n\r\n"
    );
    let mut raw = header(number, "Invoice", &more);
    write!(raw, "--b{number}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n", text(number, dice))
        .unwrap();
    // Few different files, so that many mails share one.
    let (kind, lines) = (dice.roll(5), 100 + dice.roll(5) * 500);
    write!(raw, "--b{number}\r\nContent-Type: application/pdf; name=\"f{kind}.pdf\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"f{kind}.pdf\"\r\n\r\n").unwrap();
    for line in 0..lines {
        let mut bytes = Dice(kind * 1000 + line + 1);
        let letters = (0..76).map(|_| b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef"[bytes.roll(32) as usize] as char);
        raw.extend(letters);
        raw.push_str("\r\n");
    }
    write!(raw, "--b{number}--\r\n").unwrap();
    mail(number, raw)
}

fn without_id(number: usize) -> Mail {
    mail(number, header(number, "No id", "\r\n") + "There is no Message-ID here.\r\n")
}

fn raw_czech(number: usize) -> Mail {
    let more = format!(
        "Message-ID: <{number}@firma.example>\r\nContent-Type: text/plain; charset=windows-1250\r\n\r\n"
    );
    let mut raw = header(number, "P\u{1}\u{2}l", &more).into_bytes();
    // "Př" in windows-1250, without any encoding.
    raw.iter_mut().filter(|byte| **byte == 1).for_each(|byte| *byte = 0xF8);
    raw.iter_mut().filter(|byte| **byte == 2).for_each(|byte| *byte = 0xED);
    raw.extend(b"P\xF8\xEDli\x9A \x9Elu\x9Dou\xE8k\xFD k\xF9\xF2\r\n");
    Mail { raw, token: Some(token(number)), is_copy: false }
}

/// Bytes that are no mail, or hardly one.
fn broken(number: usize, dice: &mut Dice) -> Mail {
    let mut raw = match dice.roll(3) {
        0 => b"no header at all\r\n".to_vec(),
        1 => b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n--x\r\n--y\r\n".to_vec(),
        _ => b"Subject: =?utf-8?B?xI3F?=\r\n\r\n\xff\xfe\xfd".to_vec(),
    };
    raw.extend(format!("\r\n{number}\r\n").bytes());
    Mail { raw, token: None, is_copy: false }
}

/// Many mails with one Message-ID and different content (T13).
fn same_id(number: usize) -> Mail {
    mail(
        number,
        header(number, "Same id", "Message-ID: <same@firma.example>\r\n\r\n")
            + &format!("This is letter {number}.\r\n"),
    )
}

fn mail(number: usize, raw: String) -> Mail {
    Mail { raw: raw.into_bytes(), token: Some(token(number)), is_copy: false }
}
