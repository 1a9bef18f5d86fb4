//! Bounces in words: what a mail system writes for people, and what can be read from it.

use std::collections::HashSet;

use super::{Action, MAX_RECIPIENTS, Message, Recipient, code, one_line, phrases, report};
use crate::letter::{Address, Letter};

/// Most of the notice that is read, in bytes and lines; the returned message follows it.
const MAX_NOTICE_BYTES: usize = 64 << 10;
const MAX_NOTICE_LINES: usize = 1_000;
/// Most lines after an address that are read as what the server said about it.
const MAX_SAID_LINES: usize = 16;

/// The text a mail system wrote, and the copy of the message after it.
pub(super) struct Notice {
    lines: Vec<String>,
    /// What follows the line that announces the returned message.
    copy: String,
    found: Vec<String>,
    delay: bool,
}

impl Notice {
    pub(super) fn read(message: &Message<'_>) -> Notice {
        let text = &message.letter.text;
        let (notice, copy) = split_copy(text);
        let mut notice = Notice {
            lines: notice.lines().take(MAX_NOTICE_LINES).map(|line| line.replace('’', "'")).collect(),
            copy: copy.to_owned(),
            found: Vec::new(),
            delay: false,
        };
        let words = format!("{}\n{}", message.letter.subject, notice.lines.join("\n")).to_lowercase();
        let has = |table: &[&str]| table.iter().any(|p| words.contains(p));
        notice.delay = has(phrases::DELAYS) && !has(phrases::GIVEN_UP);
        notice.found = notice.find(message);
        notice
    }

    pub(super) fn copy(&self) -> &str {
        &self.copy
    }

    /// A delay: the sender is told to wait.
    pub(super) fn is_delay(&self) -> bool {
        self.delay
    }

    /// Whether a message without a delivery status is a bounce all the same.
    pub(super) fn is_bounce(&self, message: &Message<'_>) -> bool {
        let letter = message.letter;
        let subject = letter.subject.to_lowercase();
        let failed_header = letter.headers.has("X-Failed-Recipients");
        let answers = ["re:", "fwd:", "fw:", "aw:", "wg:", "tr:", "odp:"];
        let from_daemon = is_from_daemon(letter);
        if !is_from_machine(letter) {
            return false;
        }
        // People answer and forward bounces; daemons do so only as mindlessly as Verizon's.
        if !from_daemon && !failed_header && answers.iter().any(|a| subject.starts_with(a)) {
            return false;
        }
        let words = self.lines.join("\n").to_lowercase();
        let says_so = phrases::FAILURES.iter().any(|p| words.contains(p));
        let subject_says_so = phrases::SUBJECTS.iter().any(|p| subject.contains(p));
        let replied = code::status(&words).is_some() || code::reply_class(&words).is_some();
        let returns = !self.copy.is_empty() || message.returned().is_some();
        let report = letter.content_type == "multipart/report";
        let header = failed_header || letter.headers.has("Final-Recipient") || is_from_list_server(letter);
        let evidence = [says_so, subject_says_so, replied, returns, report, header];
        let evidence = evidence.into_iter().filter(|e| *e).count();
        let enough = evidence >= if from_daemon { 2 } else { 3 } || (says_so && returns);
        // An automatic answer comes from a null path too, but nothing of it speaks of failure.
        (says_so || subject_says_so || header) && enough && !self.is_automatic_answer(message)
    }

    fn is_automatic_answer(&self, message: &Message<'_>) -> bool {
        let letter = message.letter;
        !letter.headers.has("X-Failed-Recipients")
            && letter.content_type != "multipart/report"
            && !is_from_daemon(letter)
            && crate::autoreply::is_vacation_subject(&letter.subject)
    }

    pub(super) fn recipients(&self) -> Vec<Recipient> {
        let only = self.found.len() == 1;
        self.found.iter().map(|found| self.recipient(found, only)).collect()
    }

    fn recipient(&self, address: &str, only: bool) -> Recipient {
        let action = if self.delay { Action::Delayed } else { Action::Failed };
        let mut recipient = Recipient {
            address: address.to_owned(),
            action,
            status: None,
            permanent: Some(!self.delay),
            dead: false,
            diagnostic: None,
        };
        self.complete(&mut recipient, only);
        recipient
    }

    /// Adds what the notice says about a recipient where the report says nothing.
    pub(super) fn complete(&self, recipient: &mut Recipient, only: bool) {
        if !matches!(recipient.action, Action::Failed | Action::Delayed) {
            return;
        }
        let said = self.said_about(&recipient.address, only);
        let told = recipient.diagnostic.get_or_insert_with(|| one_line(&said));
        if recipient.status.as_deref().is_none_or(|s| s.ends_with(".0.0")) {
            let class = recipient.status.as_deref().and_then(code::class);
            let fits = |s: &String| class.is_none() || code::class(s) == class;
            let found = code::status(told).or_else(|| code::status(&said)).filter(fits);
            recipient.status = found.or(recipient.status.take());
        }
        let class = recipient.status.as_deref().and_then(code::class);
        let class = class.or_else(|| code::reply_class(told)).or_else(|| code::reply_class(&said));
        let failed = recipient.action == Action::Failed;
        let lasts = code::lasts(told);
        recipient.permanent = Some(match class {
            _ if lasts => true,
            _ if code::passes(told) => false,
            Some(class) => class == '5',
            None => failed && !code::tried_long(&said),
        });
        recipient.dead = (failed || lasts)
            && recipient.permanent == Some(true)
            && code::is_dead(recipient.status.as_deref(), &format!("{told} {said}"));
        recipient.diagnostic = recipient.diagnostic.take().filter(|d| !d.is_empty());
    }

    /// What the notice says about an address: the lines after it, else any line that names it with
    /// a code, else, if it is the only one, everything.
    fn said_about(&self, address: &str, only: bool) -> String {
        let key = address.to_lowercase();
        let mut named: Option<String> = None;
        for (i, line) in self.lines.iter().enumerate() {
            if !line.to_lowercase().contains(&key) {
                continue;
            }
            let said = self.block(i);
            if code::status(&said).is_some() || code::reply_class(&said).is_some() {
                return said;
            }
            named.get_or_insert(said);
        }
        if only {
            return self.lines.join("\n").chars().take(4_000).collect();
        }
        named.unwrap_or_default()
    }

    /// The line and those after it, up to the next address at a line's beginning or a blank line.
    fn block(&self, i: usize) -> String {
        let mut said = self.lines[i].clone();
        for line in self.lines.iter().skip(i + 1).take(MAX_SAID_LINES) {
            if line.trim().is_empty() || leading_address(line).is_some() {
                break;
            }
            said.push('\n');
            said.push_str(line);
        }
        said
    }

    /// The recipients, from the surest place that names any.
    fn find(&self, message: &Message<'_>) -> Vec<String> {
        let failed = message.letter.headers.all("X-Failed-Recipients");
        let places = [
            failed.flat_map(|v| v.split(',')).map(str::to_owned).collect(),
            self.lines.iter().filter_map(|l| leading_address(l)).map(str::to_owned).collect(),
            self.without_own(self.addresses_after_words(), message),
            self.without_own(self.all_addresses(), message),
        ];
        let found = places.into_iter().map(distinct).find(|found| !found.is_empty());
        found.unwrap_or_else(|| self.returned_recipient(message))
    }

    fn addresses_after_words(&self) -> Vec<String> {
        let named = |line: &str, at: usize| {
            let before = line[..at].trim_end_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
            phrases::BEFORE_ADDRESS.iter().any(|word| {
                before.strip_suffix(word).is_some_and(|rest| !rest.ends_with(char::is_alphanumeric))
            })
        };
        let lines = self.lines.iter();
        lines
            .flat_map(|line| addresses(line).filter(move |(at, _)| named(line, *at)))
            .map(|(_, address)| address.to_owned())
            .collect()
    }

    fn all_addresses(&self) -> Vec<String> {
        self.lines.iter().flat_map(|line| addresses(line)).map(|(_, a)| a.to_owned()).collect()
    }

    /// Without the notice's own sender and receiver, and without daemons.
    fn without_own(&self, found: Vec<String>, message: &Message<'_>) -> Vec<String> {
        let letter = message.letter;
        let own: Vec<String> =
            letter.from.iter().chain(&letter.to).chain(&letter.sender).map(Address::key).collect();
        found.into_iter().filter(|a| !own.contains(&a.to_lowercase()) && !is_daemon(a)).collect()
    }

    /// The one recipient of the returned message.
    fn returned_recipient(&self, message: &Message<'_>) -> Vec<String> {
        let returned = message.returned().unwrap_or_else(|| self.copy.clone());
        let fields = report::fields(returned.split("\n\n").next().unwrap_or(""));
        let to = fields.iter().find(|(name, _)| name == "to").map_or("", |(_, value)| value);
        let found = distinct(addresses(to).map(|(_, a)| a.to_owned()).collect());
        if found.len() == 1 { found } else { Vec::new() }
    }
}

/// Whether a letter comes from where bounces come from.
pub(super) fn is_from_machine(letter: &Letter) -> bool {
    letter.headers.has("X-Failed-Recipients")
        || is_from_list_server(letter)
        || letter.return_path.as_deref() == Some("")
        || is_from_daemon(letter)
}

/// Whether the program of a list wrote a letter itself (fml); a post has a number and the list's name.
fn is_from_list_server(letter: &Letter) -> bool {
    let is_post = ["X-ML-Name", "X-Mail-Count", "X-ML-Count"].iter().any(|h| letter.headers.has(h));
    letter.headers.has("X-MLServer") && !is_post && letter.list_id.is_none()
}

/// Whether a mailer daemon wrote a letter.
pub(crate) fn is_from_daemon(letter: &Letter) -> bool {
    let path = letter.return_path.as_deref().unwrap_or("");
    let writers = letter.from.iter().chain(&letter.sender);
    // `From: MAILER-DAEMON (Mail Delivery System)` and other forms that are no address.
    let from = letter.headers.get("From").unwrap_or("").to_lowercase();
    let names = writers.clone().filter_map(|a| a.name.as_deref()).map(str::to_lowercase);
    let named = |name: &str| phrases::DAEMON_NAMES.iter().any(|d| name.contains(d));
    writers.clone().any(|a| is_daemon(&a.address))
        || (!path.is_empty() && is_daemon(path))
        || from.starts_with("mailer-daemon")
        || named(&from)
        || names.into_iter().any(|name| named(&name))
}

fn is_daemon(address: &str) -> bool {
    let local = address.split('@').next().unwrap_or("").trim_matches(['<', '"', ' ']);
    let local = local.to_lowercase();
    phrases::DAEMONS.contains(&local.as_str())
}

/// The notice, and what follows the line that announces the returned message.
fn split_copy(text: &str) -> (&str, &str) {
    let mut end = text.len().min(MAX_NOTICE_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut at = 0;
    let mut has_words = false;
    for line in text[..end].split_inclusive('\n') {
        if has_words && announces_copy(line) {
            return (&text[..at], &text[at + line.len()..]);
        }
        has_words |= line.contains('@') || line.split_whitespace().count() > 3;
        at += line.len();
    }
    (&text[..end], "")
}

/// A line such as "--- Below this line is a copy of the message." A sentence that only speaks of
/// the message is none: the line must be short, and a rule or end with a full stop or colon.
fn announces_copy(line: &str) -> bool {
    let line = line.trim();
    if line.len() > 120 {
        return false;
    }
    let lower = line.to_lowercase();
    let ruled = lower.starts_with("--") || lower.starts_with("==") || lower.starts_with("__");
    let ended = lower.ends_with([':', '.', '-', '=']) && lower.split_whitespace().count() <= 12;
    let named = |p: &str| lower.contains(p);
    let spoken = lower.contains(" follow") || lower.contains("below this line") || lower.contains("copy of");
    phrases::COPIES.iter().any(|p| named(p))
        && (ruled || (ended && spoken) || (lower.ends_with(':') && lower.split_whitespace().count() <= 5))
        && !lower.contains("was received")
        && !lower.contains("returned to")
}

fn distinct(found: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    found
        .iter()
        .filter_map(|address| Some(addresses(address).next()?.1.to_owned()))
        .filter(|address| seen.insert(address.to_lowercase()))
        .take(MAX_RECIPIENTS)
        .collect()
}

/// The address a line begins with, after quotes, brackets and bullets.
fn leading_address(line: &str) -> Option<&str> {
    let (at, address) = addresses(line).next()?;
    let before = &line[..at];
    before.chars().all(|c| !c.is_alphanumeric() && c != '(').then_some(address)
}

/// The addresses in a line, with where they begin.
fn addresses(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let line = if line.len() > 2_000 { line.get(..2_000).unwrap_or("") } else { line };
    line.match_indices('@').filter_map(move |(at, _)| {
        let is_local = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
        let is_domain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_');
        let local = line[..at].len() - line[..at].trim_end_matches(is_local).len();
        let rest = &line[at + 1..];
        let domain = rest.len() - rest.trim_start_matches(is_domain).len();
        let domain = rest[..domain].trim_end_matches(['.', '-']).len();
        let start = at - local;
        let trimmed = line[start..at].trim_start_matches(['\'', '.', '=', '/']);
        let start = at - trimmed.len();
        let is_url = line[..start].ends_with(':') && line[..start].to_lowercase().ends_with("mailto:");
        (domain > 2 && start < at && !is_url && rest[..domain].contains('.'))
            .then(|| (start, &line[start..at + 1 + domain]))
    })
}
