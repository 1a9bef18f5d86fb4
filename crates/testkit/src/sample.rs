//! The mail of a made-up company, for the demo, the browser tests and stories: some 300 mails of three
//! weeks in Czech, Slovak, Polish and English, and the records of a CRM that match most of their writers.
//!
//! Everything is written by us and drawn by a seed: the same moment gives the same bytes. Conversations
//! come from scripts (`scripts/`), surrounded by what companies get besides: newsletters, parcel notices,
//! bounces, replies of people on leave, invitations, and mails of programs that never read an RFC.
//!
//! What Acme wrote itself is in each mailbox's Sent folder, the rest in its INBOX.

pub mod company;
mod conversation;
mod files;
mod mail;
mod notices;
mod odd;
mod phrases;
mod random;
mod records;
mod scripts;
#[cfg(test)]
mod tests;

pub use company::{Company, Mailbox};
pub use records::{Record, records};

use company::Language;
use conversation::Turn;
use jiff::{SignedDuration, Timestamp};
use random::Random;
use scripts::Script;
use std::time::SystemTime;

/// Where incoming mail is.
pub const INBOX: &str = "INBOX";
/// Where Acme's own mail is.
pub const SENT: &str = "Sent";
/// The past that the sample fills, in days.
const DAYS: u64 = 21;
const SEED: u64 = 0x6c65_7474_6572;

/// A mail in a folder of a mailbox.
#[derive(Clone, Debug)]
pub struct SampleMail {
    /// Whose mail.
    pub mailbox: Mailbox,
    /// [`INBOX`] or [`SENT`].
    pub folder: &'static str,
    /// When it was written and delivered.
    pub at: SystemTime,
    /// The mail, with CRLF.
    pub bytes: Vec<u8>,
}

/// The mail of three weeks.
#[derive(Debug)]
pub struct Sample {
    /// Oldest first.
    pub mails: Vec<SampleMail>,
}

impl Sample {
    /// The three weeks before `now`.
    pub fn new(now: SystemTime) -> Self {
        let now = timestamp(now);
        let mut random = Random::new(SEED);
        let mut mails = Vec::new();
        let mut ours = Vec::new();
        for (script, language) in played() {
            let turns = conversation::hold(
                script,
                language,
                working_hour(now, &mut random),
                now,
                25..=1300,
                &mut random,
            );
            for turn in turns {
                mails.push(in_folder(&turn, script.with, &mut random));
                if turn.ours {
                    ours.push((turn.mail, script.with));
                }
            }
        }
        mails.extend(about(&ours, &mut random));
        for (mailbox, mail, writing) in [
            notices::newsletters(now, &mut random),
            notices::parcels(now, &mut random),
            notices::invitations(now, &mut random),
        ]
        .concat()
        {
            let bytes = mail.bytes(writing, Some(mailbox.address()), &mut random);
            mails.push(incoming((mailbox, mail.at, bytes)));
        }
        mails.extend(odd::all(now, &mut random).into_iter().map(incoming));
        mails.extend(to_two_mailboxes(now, &mut random));
        mails.retain(|mail| timestamp(mail.at) <= now);
        mails.sort_by_key(|mail| mail.at);
        Self { mails }
    }
}

/// New mail that goes on coming: conversations that begin, and the next turns of those begun.
#[derive(Debug)]
pub struct Arrivals {
    random: Random,
    waiting: Vec<(Mailbox, Turn)>,
}

impl Arrivals {
    /// Those of a seed.
    pub fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), waiting: Vec::new() }
    }

    /// The mail that comes now. Incoming mail has no trace lines yet: it is still to be delivered.
    pub fn next(&mut self, now: SystemTime) -> SampleMail {
        let at = timestamp(now);
        let due = self.waiting.iter().position(|(_, turn)| turn.mail.at <= at);
        let (mailbox, turn) = match due {
            Some(index) => self.waiting.remove(index),
            None => self.begin(at),
        };
        let folder = if turn.ours { SENT } else { INBOX };
        let bytes = turn.mail.bytes(turn.writing, None, &mut self.random);
        SampleMail { mailbox, folder, at: now, bytes }
    }

    fn begin(&mut self, at: Timestamp) -> (Mailbox, Turn) {
        let languages = [Language::Czech, Language::Slovak, Language::Polish, Language::English];
        let language = self.random.one_of(&languages);
        let scripts: Vec<_> = scripts::of(language).iter().collect();
        let script = self.random.one_of(&scripts);
        // All turns are held at once; the later ones wait until their minute has come.
        let until = at + SignedDuration::from_hours(24);
        let mut turns = conversation::hold(script, language, at, until, 1..=4, &mut self.random).into_iter();
        let first = turns.next().expect("a conversation begins at its beginning");
        self.waiting.extend(turns.map(|turn| (script.with, turn)));
        (script.with, first)
    }
}

/// Each script twice, in Czech; elsewhere two of three a second time.
fn played() -> Vec<(&'static Script, Language)> {
    let mut played = Vec::new();
    for language in [Language::Czech, Language::Slovak, Language::Polish, Language::English] {
        for (number, script) in scripts::of(language).iter().enumerate() {
            played.push((script, language));
            if language == Language::Czech || number % 3 != 2 {
                played.push((script, language));
            }
        }
    }
    played
}

/// A moment of the last three weeks, between seven and five; today's are a little ago.
fn working_hour(now: Timestamp, random: &mut Random) -> Timestamp {
    let signed = |number: u64| i64::try_from(number).expect("a small number");
    let day = SignedDuration::from_hours(24 * signed(random.between(0, DAYS - 1)));
    let midnight = now.as_second() - now.as_second().rem_euclid(86_400);
    let minute = signed(random.between(6 * 60, 16 * 60));
    let at = Timestamp::from_second(midnight + minute * 60 + signed(random.between(0, 59)))
        .expect("within a day of now")
        - day;
    if at < now { at } else { at - SignedDuration::from_hours(24) }
}

/// What programs answer to Acme's mails: some could not be delivered, some recipients are on leave.
fn about(ours: &[(mail::Mail, Mailbox)], random: &mut Random) -> Vec<SampleMail> {
    let mut out = Vec::new();
    for (index, (mail, mailbox)) in ours.iter().enumerate() {
        let answer = match index % 17 {
            3 => Some(notices::bounce(mail, *mailbox, random)),
            9 => notices::on_leave(mail, *mailbox, random),
            _ => None,
        };
        if let Some((mailbox, mail, writing)) = answer {
            let bytes = mail.bytes(writing, Some(mailbox.address()), random);
            out.push(incoming((mailbox, mail.at, bytes)));
        }
    }
    out
}

/// Two customers who were not sure whom to write to.
fn to_two_mailboxes(now: Timestamp, random: &mut Random) -> Vec<SampleMail> {
    let mut out = Vec::new();
    for (hours, language) in [(14, Language::Czech), (90, Language::Polish)] {
        let script = scripts::of(language).iter().find(|script| script.with == Mailbox::Helpdesk);
        let script = script.expect("there is one in each language");
        let at = now - SignedDuration::from_hours(hours);
        let Some(mut turn) = conversation::hold(script, language, at, at, 1..=1, random).into_iter().next()
        else {
            continue;
        };
        turn.mail.to.push((Mailbox::Orders.name().into(), Mailbox::Orders.address().into()));
        let copies = odd::copy_for(&turn.mail, turn.writing, [Mailbox::Helpdesk, Mailbox::Orders], random);
        out.extend(copies.into_iter().map(incoming));
    }
    out
}

fn in_folder(turn: &Turn, mailbox: Mailbox, random: &mut Random) -> SampleMail {
    let (folder, delivered_to) = if turn.ours { (SENT, None) } else { (INBOX, Some(mailbox.address())) };
    let bytes = turn.mail.bytes(turn.writing, delivered_to, random);
    SampleMail { mailbox, folder, at: SystemTime::from(turn.mail.at), bytes }
}

fn incoming((mailbox, at, bytes): odd::Raw) -> SampleMail {
    SampleMail { mailbox, folder: INBOX, at: SystemTime::from(at), bytes }
}

fn timestamp(at: SystemTime) -> Timestamp {
    Timestamp::try_from(at).expect("a clock between the years -9999 and 9999")
}
