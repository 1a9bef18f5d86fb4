//! How long recalling and deciding takes in memory: 10,000 contacts, 500 rules, realistic letters; and the
//! worst that a mailbox can be given. Run by `make bench-rules`.
//!
//! Measured is [`intake::decide`] with the rules tried and the directory asked, as filing does it for each
//! message. Printed are the mean on the processor, which does not depend on who else runs, and by the clock the
//! median and the slowest of a hundred, so that one slow letter is not hidden.
#![allow(clippy::unwrap_used)]

use intake::plan::{Directory, Entry, Known, Mailbox, Origin};
use intake::rules::{BODY_BYTES, Place, Rule, Rules, Trial};
use mail::Letter;
use mail::nature::Nature;
use model::{
    Action, Condition, MailboxKind, Matching, RecordId, RecordKind, RuleField, RuleId, RuleKind, RuleTest,
    TriedRule, Verdict,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

const CONTACTS: i64 = 10_000;
const RULES: i64 = 500;
/// In two of three letters there are some beyond ASCII, as in mail of Central Europe.
const WORDS: [&str; 36] = [
    "order",
    "invoice",
    "delivery",
    "objednávka",
    "reklamace",
    "zamówienie",
    "price",
    "meeting",
    "thanks",
    "monday",
    "warehouse",
    "contract",
    "the",
    "dobrý",
    "den",
    "prosím",
    "o",
    "zaslání",
    "faktury",
    "děkuji",
    "s",
    "pozdravem",
    "we",
    "have",
    "not",
    "received",
    "it",
    "yet",
    "please",
    "let",
    "me",
    "know",
    "number",
    "no",
    "and",
    "to",
];
/// Patterns that are exponential elsewhere, or make an automaton as large as the text.
const EVIL: [&str; 6] =
    ["(a+)+$", "(.*)*x", "[ab]*a[ab]{50}c", r"(x+x+)+y", r"\b(\w+\s?)+\bž", r"(?:a?){60}a{60}b"];

fn main() {
    let directory = directory();
    let before = resident_kib();
    let started = Instant::now();
    let rules = Rules::new(vec![Arc::new(Place::new(&realistic()))], Vec::new());
    println!("{RULES} rules compiled in {:?}", started.elapsed());
    let letters: Vec<Letter> = (0..400).map(letter).collect();
    let bytes: usize = letters.iter().map(|letter| letter.text.len()).sum();
    println!("{} letters, {} bytes of text each on average", letters.len(), bytes / letters.len());
    for (what, rules) in [("linking alone", &Rules::default()), ("linking and rules", &rules)] {
        measure(what, &letters, &directory, rules);
    }
    println!("resident: {} KiB more than before the rules", resident_kib().saturating_sub(before));

    let before = resident_kib();
    let evil = Rules::new(vec![Arc::new(Place::new(&worst()))], Vec::new());
    let texts = [
        ("25 MB of 'a'", "a".repeat(25 << 20)),
        ("25 MB of 'a' and 'b' by chance", by_chance(25 << 20)),
        ("25 MB of words beyond ASCII", "žluťoučký kůň ".repeat((25 << 20) / 20)),
    ];
    for (what, text) in texts {
        let letter = Letter { text, ..letter(1) };
        measure(
            &format!("{RULES} evil patterns, {what} ({BODY_BYTES} looked at)"),
            &[letter],
            &directory,
            &evil,
        );
    }
    println!("resident: {} KiB more than before the evil rules", resident_kib().saturating_sub(before));
}

fn measure(what: &str, letters: &[Letter], directory: &Directory, rules: &Rules) {
    let mailbox = Mailbox::new(MailboxKind::Group, "helpdesk@acme.example");
    let known = Known {
        received_at: model::Time(0),
        mailbox: &mailbox,
        origin: Origin::Live,
        seen: None,
        threads: Vec::new(),
        auth: Verdict::Pass,
        bounced: None,
        numbered: Vec::new(),
        gathered: None,
        directory,
        trial: Some(Trial { rules, size_bytes: 5000, nature: Nature::Person }),
    };
    // The first round fills what is kept between letters.
    let rounds = if letters.len() > 1 { 5 } else { 1 };
    let mut times: Vec<Duration> = Vec::new();
    let (mut matched, mut busy) = (0, on_processor());
    for round in 0..rounds {
        if round == 1 {
            busy = on_processor();
        }
        for letter in letters {
            let started = Instant::now();
            let plan = intake::decide(letter, &known);
            if round > 0 || rounds == 1 {
                times.push(started.elapsed());
                matched += plan.hits.len();
            }
        }
    }
    let mean = on_processor().saturating_sub(busy) / times.len() as u32;
    times.sort();
    let at = |part: usize| times[(times.len() - 1) * part / 100];
    println!(
        "{what}: mean {mean:?} on the processor; median {:?}, of a hundred the slowest {:?}, worst {:?}; {matched} rules matched",
        at(50),
        at(99),
        at(100)
    );
}

fn directory() -> Directory {
    let mut directory = Directory::default();
    for id in 1..=CONTACTS {
        let entry = Entry {
            record: RecordId(id),
            kind: RecordKind::Contact,
            name: format!("Contact {id}"),
            accounts: Vec::new(),
        };
        directory.by_address.insert(format!("person{id}@firm{}.example", id % 1000), vec![entry]);
    }
    directory
}

fn rule(id: i64, conditions: Vec<Condition>) -> Rule {
    let tried = TriedRule {
        id: RuleId(id),
        version: 1,
        kind: RuleKind::Rule,
        name: format!("Rule {id}"),
        user: None,
    };
    Rule { tried, matching: Matching::All, conditions, actions: vec![Action::MarkRead] }
}

fn condition(field: RuleField, test: RuleTest, value: String) -> Condition {
    Condition { field, header: String::new(), test, value }
}

/// As companies have them: senders, subjects, words of the text, and every fifth a regular expression.
fn realistic() -> Vec<Rule> {
    let one = |id: i64| match id % 5 {
        0 => condition(
            RuleField::Body,
            RuleTest::Regex,
            format!(r"(?:order|objednávka)\s+no\.?\s*{id}\d{{2,6}}\b"),
        ),
        1 => condition(RuleField::From, RuleTest::Ends, format!("@firm{id}.example")),
        2 => condition(RuleField::Subject, RuleTest::Contains, format!("[ticket {id}]")),
        3 => condition(RuleField::Body, RuleTest::Contains, format!("contract number {id}/2024")),
        _ => condition(RuleField::Recipient, RuleTest::Equals, format!("team{id}@acme.example")),
    };
    (1..=RULES).map(|id| rule(id, vec![one(id)])).collect()
}

fn worst() -> Vec<Rule> {
    let one =
        |id: i64| condition(RuleField::Body, RuleTest::Regex, EVIL[id as usize % EVIL.len()].to_owned());
    (1..=RULES).map(|id| rule(id, vec![one(id)])).collect()
}

/// A letter of some hundred words, as they are.
fn letter(number: usize) -> Letter {
    let word = |at: usize| WORDS[(number * 7 + at * 31 + at * at / 5) % WORDS.len()];
    let text: Vec<String> = (0..300 + number % 400)
        .map(|at| if at % 12 == 11 { format!("{}.\n", word(at)) } else { word(at).to_owned() })
        .collect();
    let raw = format!(
        "From: Person <person{number}@firm{}.example>\r\nTo: helpdesk@acme.example\r\nSubject: {} {number}\r\n\
         Message-ID: <{number}@firm.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n",
        number % 1000,
        word(1),
        text.join(" ")
    );
    mail::parse::parse(raw.as_bytes())
}

fn by_chance(bytes: usize) -> String {
    let mut seed = 1_u32;
    let letter = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some(if seed >> 31 == 0 { 'a' } else { 'b' })
    };
    std::iter::from_fn(letter).take(bytes).collect()
}

/// Time this thread was on a processor; 0 where the system does not say.
fn on_processor() -> Duration {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(said.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0))
}

/// What the process holds in memory now; 0 where the system does not say.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}
