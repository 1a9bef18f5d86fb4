//! A conversation as a sequence of mails, each quoting what was before in its writer's manner.

use super::company::{Language, Person, writer_to};
use super::files;
use super::mail::{Address, Mail, Part, Transfer, Writing, attachment, inline_png, multipart};
use super::phrases::{self, Quoting};
use super::random::Random;
use super::scripts::{Brings, Script};
use jiff::{SignedDuration, Timestamp};
use std::ops::RangeInclusive;

/// A mail of a conversation.
#[derive(Debug)]
pub struct Turn {
    /// Whether Acme wrote it.
    pub ours: bool,
    /// What it says of itself.
    pub mail: Mail,
    /// How its headers are written.
    pub writing: Writing,
}

/// What was said before, newest first.
struct Said {
    at: Timestamp,
    name: String,
    address: String,
    to: String,
    subject: String,
    lines: Vec<String>,
}

/// Who speaks with whom about what, in this conversation.
struct Talk<'a> {
    script: &'a Script,
    person: Person,
    language: Language,
    /// What the places in the texts are filled with.
    values: [(&'static str, String); 5],
    subject: String,
}

/// Lines of history that are quoted; more is cut as programs do.
const MOST_QUOTED: usize = 60;
const MODELS: [&str; 8] = ["R-180", "R-220", "S-120", "S-90", "D-75", "K-400", "T-32", "T-45"];

/// The mails of a conversation that begins at `began`, with `pauses` minutes between two; those later than
/// `until` are not written yet.
pub fn hold(
    script: &Script,
    language: Language,
    began: Timestamp,
    until: Timestamp,
    pauses: RangeInclusive<u64>,
    random: &mut Random,
) -> Vec<Turn> {
    let talk = Talk::new(script, language, random);
    let theirs = (Writing::usual(random), random.one_of(&[Quoting::Marked, Quoting::Block]));
    let mut at = began;
    let mut said: Vec<Said> = Vec::new();
    let mut ids: Vec<String> = Vec::new();
    let mut turns = Vec::new();
    for (number, text) in script.turns.iter().enumerate() {
        if at > until {
            break;
        }
        let ours = number % 2 == 1;
        let (writing, quoting) = if ours { (Writing::PLAIN, Quoting::Marked) } else { theirs };
        let lines = talk.lines(text, ours, number, random);
        let body = talk.body(&lines, &said, quoting, writing, number, random);
        let (from, to) = talk.ends(ours);
        let subject = match number {
            0 => talk.subject.clone(),
            _ => phrases::reply_mark(language, quoting).to_owned() + &talk.subject,
        };
        let domain = from.1.rsplit('@').next().unwrap_or_default();
        let id = format!("{:x}.{:08x}@{domain}", at.as_second(), random.next() >> 32);
        let mail = Mail {
            at,
            from: from.clone(),
            to: vec![to.clone()],
            cc: talk.copies(ours, random),
            subject: subject.clone(),
            message_id: Some(id.clone()),
            in_reply_to: ids.last().cloned(),
            references: ids.clone(),
            extra: talk.program(ours),
            body,
        };
        said.insert(0, Said { at, name: from.0, address: from.1, to: to.0, subject, lines });
        ids.push(id);
        turns.push(Turn { ours, mail, writing });
        let pause = random.between(*pauses.start(), *pauses.end());
        at += SignedDuration::from_mins(i64::try_from(pause).expect("a day or so"));
        if pause > 15 {
            at = awake(at);
        }
    }
    turns
}

impl<'a> Talk<'a> {
    fn new(script: &'a Script, language: Language, random: &mut Random) -> Self {
        let values = [
            ("{model}", (random.one_of(&MODELS)).to_owned()),
            ("{order}", format!("2026-{}", random.between(1042, 3987))),
            ("{count}", random.between(6, 48).to_string()),
            ("{amount}", amount(language, random)),
            ("{day}", phrases::weekday(language, random).to_owned()),
        ];
        let person = writer_to(script.with, language, random);
        let mut talk = Self { script, person, language, values, subject: String::new() };
        talk.subject = talk.filled(script.subject);
        talk
    }

    fn filled(&self, text: &str) -> String {
        self.values.iter().fold(text.to_owned(), |text, (place, value)| text.replace(place, value))
    }

    fn ends(&self, ours: bool) -> (Address, Address) {
        let acme = (self.script.with.name().to_owned(), self.script.with.address().to_owned());
        let person = (self.person.name.to_owned(), self.person.address());
        if ours { (acme, person) } else { (person, acme) }
    }

    /// Now and then somebody's colleague gets a copy.
    fn copies(&self, ours: bool, random: &mut Random) -> Vec<Address> {
        let colleague = self.person.company.people.iter().find(|(local, _)| *local != self.person.local);
        match colleague {
            Some((local, name)) if !ours && random.chance(20) => {
                vec![((*name).to_owned(), format!("{local}@{}", self.person.company.domain))]
            }
            _ => Vec::new(),
        }
    }

    fn program(&self, ours: bool) -> Vec<(&'static str, String)> {
        let name = match (ours, self.person.local.len() % 3) {
            (true, _) => return Vec::new(),
            (false, 0) => "Microsoft Outlook 16.0",
            (false, 1) => "Apple Mail (2.3826)",
            (false, _) => "Roundcube Webmail/1.6.9",
        };
        vec![("X-Mailer", name.to_owned())]
    }

    /// The new lines of a mail: greeting, paragraphs, closing, signature; paragraphs are one line each.
    fn lines(&self, text: &str, ours: bool, number: usize, random: &mut Random) -> Vec<String> {
        let greeting = match ours {
            true => phrases::greeting(self.language),
            false => phrases::greeting_to(self.script.with, self.language),
        };
        let mut text = self.filled(text);
        if self.language == Language::English {
            text = capitalised(&text);
        }
        let mut lines = vec![greeting.to_owned(), String::new(), text, String::new()];
        if number == 0 && self.script.brings == Brings::Table {
            lines.extend(self.table(random).iter().map(|(name, count)| format!("{name}: {count}")));
            lines.push(String::new());
        }
        lines.push(phrases::closing(self.language, random).to_owned());
        lines.push(String::new());
        lines.extend(self.signature(ours));
        lines
    }

    fn signature(&self, ours: bool) -> Vec<String> {
        let company = self.person.company;
        match ours {
            true => vec![
                "-- ".into(),
                self.script.with.writer().into(),
                "Acme, s.r.o. | Brno".into(),
                "www.acme.example".into(),
            ],
            false => {
                let phone = 600_000_000 + company.name.len() * 1_234_567 + self.person.name.len() * 89;
                vec![
                    self.person.name.into(),
                    company.name.into(),
                    company.city.into(),
                    format!("tel. +420 {phone}"),
                ]
            }
        }
    }

    fn table(&self, random: &mut Random) -> Vec<(String, u64)> {
        MODELS.iter().take(5).map(|model| ((*model).to_owned(), random.between(1, 30))).collect()
    }

    /// Text, perhaps with HTML beside it, perhaps with something attached.
    fn body(
        &self,
        lines: &[String],
        said: &[Said],
        quoting: Quoting,
        writing: Writing,
        number: usize,
        random: &mut Random,
    ) -> Part {
        let text = writing.text("plain", &self.text(lines, said, quoting));
        let brings = if number == 0 { self.script.brings } else { Brings::Nothing };
        let rich = matches!(brings, Brings::Table | Brings::Logo) || random.chance(45);
        let body = match rich {
            false => text,
            true => {
                // Long lines of HTML would break the limit of RFC 5322 in 8bit.
                let safe = if writing.transfer == Transfer::EightBit { Writing::PLAIN } else { writing };
                let html = safe.text("html", &self.html(lines, said, brings));
                let html = match brings {
                    Brings::Logo => {
                        let sign = inline_png("sign.png", "sign@acme-sample", &files::sign_png());
                        multipart("related", "; type=\"text/html\"", &[html, sign], random)
                    }
                    _ => html,
                };
                multipart("alternative", "", &[text, html], random)
            }
        };
        match self.attached(brings, random) {
            None => body,
            Some(file) => multipart("mixed", "", &[body, file], random),
        }
    }

    fn attached(&self, brings: Brings, random: &mut Random) -> Option<Part> {
        let order = &self.values[1].1;
        let (word, photo) = match self.language {
            Language::Czech => ("objednávka", "závada"),
            Language::Slovak => ("objednávka", "poškodenie"),
            Language::Polish => ("zamówienie", "zdjęcie"),
            Language::English => ("order", "photo"),
        };
        match brings {
            Brings::Order => {
                let [model, _, count, ..] = &self.values;
                let lines = [
                    format!("{} {order}", capitalised(word)),
                    format!("{}, {}", self.person.company.name, self.person.company.city),
                    String::new(),
                    format!("{}    {} pcs", model.1, count.1),
                ];
                Some(attachment(&format!("{word} {order}.pdf"), "application/pdf", &files::pdf(&lines)))
            }
            Brings::Photo => {
                let picture = files::shelf_png(320, 200, random.next());
                Some(attachment(&format!("{photo}.png"), "image/png", &picture))
            }
            Brings::PriceList => {
                let models: Vec<_> = MODELS.iter().map(|model| (*model).to_owned()).collect();
                Some(attachment(
                    "ceny-prices.csv",
                    "text/csv; charset=utf-8",
                    &files::price_list_csv(&models),
                ))
            }
            Brings::Nothing | Brings::Table | Brings::Logo => None,
        }
    }

    fn text(&self, lines: &[String], said: &[Said], quoting: Quoting) -> String {
        let mut out: Vec<String> = lines.iter().flat_map(|line| wrapped(line, 74)).collect();
        let mut history = Vec::new();
        // From the oldest on, as each reply put the one before below itself.
        for before in said.iter().rev() {
            let mut next: Vec<String> = before.lines.iter().flat_map(|line| wrapped(line, 72)).collect();
            next.extend(history);
            history = self.quoted(before, next, quoting);
        }
        history.truncate(MOST_QUOTED);
        out.extend(history);
        out.join("\n") + "\n"
    }

    fn quoted(&self, before: &Said, lines: Vec<String>, quoting: Quoting) -> Vec<String> {
        match quoting {
            Quoting::Marked => {
                let who = phrases::attribution(self.language, before.at, &before.name, &before.address);
                let mark = |line: String| {
                    if line.starts_with('>') { format!(">{line}") } else { format!("> {line}") }
                };
                [String::new(), who].into_iter().chain(lines.into_iter().map(mark)).collect()
            }
            Quoting::Block => {
                let mut out = vec![String::new(), phrases::block_line(self.language).to_owned()];
                out.extend(self.block(before).map(|(name, value)| format!("{name}: {value}")));
                out.push(String::new());
                out.extend(lines);
                out
            }
        }
    }

    fn block(&self, before: &Said) -> [(&'static str, String); 4] {
        let from = format!("{} <{}>", before.name, before.address);
        phrases::block(self.language, before.at, &from, &before.to, &before.subject)
    }

    fn html(&self, lines: &[String], said: &[Said], brings: Brings) -> String {
        let mut out = String::from(
            "<html><head><style>p{margin:0 0 8px;font-family:Calibri,Arial,sans-serif;font-size:11pt}\
             td,th{border:1px solid #b8c4d0;padding:4px 10px}</style></head><body>\n",
        );
        out += &paragraphs(lines, brings == Brings::Table);
        if brings == Brings::Logo {
            out += "<p><img src=\"cid:sign@acme-sample\" width=\"96\" height=\"32\" alt=\"\"></p>\n";
        }
        for before in said.iter().take(3) {
            let who = phrases::attribution(self.language, before.at, &before.name, &before.address);
            out += &format!(
                "<div class=\"gmail_quote\"><div>{}</div><blockquote style=\"margin:0 0 0 .8ex;border-left:1px solid #ccc;padding-left:1ex\">\n{}",
                escaped(&who),
                paragraphs(&before.lines, false)
            );
        }
        out += &"</blockquote></div>\n".repeat(said.len().min(3));
        out + "</body></html>\n"
    }
}

/// The moment, or the next morning for what would be written at night. Those in a hurry write at any hour.
fn awake(at: Timestamp) -> Timestamp {
    let hour = at.as_second().rem_euclid(86_400) / 3600;
    match hour {
        0..6 => at + SignedDuration::from_hours(7 - hour),
        18..24 => at + SignedDuration::from_hours(31 - hour),
        _ => at,
    }
}

/// Lines as paragraphs; with `table`, lines of the form `name: number` become rows.
fn paragraphs(lines: &[String], table: bool) -> String {
    let row = |line: &String| {
        let (name, count) = line.split_once(": ")?;
        count.parse::<u64>().ok()?;
        Some(format!("<tr><td>{}</td><td align=\"right\">{count}</td></tr>\n", escaped(name)))
    };
    let rows: Vec<_> = if table { lines.iter().map(row).collect() } else { vec![None; lines.len()] };
    let mut out = String::new();
    for (index, line) in lines.iter().enumerate() {
        let in_table = |at: usize| rows.get(at).is_some_and(Option::is_some);
        if in_table(index) && (index == 0 || !in_table(index - 1)) {
            out += "<table style=\"border-collapse:collapse\"><tr><th>Model</th><th>Ks / Qty</th></tr>\n";
        }
        match &rows[index] {
            Some(row) => out += row,
            None if line.is_empty() => {}
            None => out += &format!("<p>{}</p>\n", escaped(line)),
        }
        if in_table(index) && !in_table(index + 1) {
            out += "</table>\n";
        }
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A line broken at blanks. The line `-- ` keeps its blank: it announces a signature (RFC 3676 section 4.3).
pub fn wrapped(line: &str, width: usize) -> Vec<String> {
    if line.chars().count() <= width {
        return vec![line.to_owned()];
    }
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let last = lines.last_mut().expect("it begins with one");
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn amount(language: Language, random: &mut Random) -> String {
    let thousands = random.between(3, 180);
    let rest = random.between(0, 9) * 100;
    match language {
        Language::English => format!("{thousands},{rest:03}"),
        _ => format!("{thousands} {rest:03}"),
    }
}
