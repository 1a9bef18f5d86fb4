//! Invitations: what a calendar part says (RFC 5545, RFC 5546), readable without a calendar.
//!
//! [`of_letter`] gives the events of all `text/calendar` parts and of Outlook's meeting requests in a
//! winmail.dat (MS-OXTNEF). Times stay as the organiser wrote them, with the name of their zone: what a
//! zone's rules are at a moment is for whoever shows them.
//!
//! Kept is what somebody needs to decide whether to come: what, when, where, who, how often. Alarms,
//! to-dos, free/busy times and time zone definitions are passed over. Read leniently: what is broken
//! in one property costs that property alone.
//!
//! Decided against a crate: the ones there are model the whole standard and refuse what they do not
//! know, and two of the three programs that write most invitations break it somewhere.

mod line;
mod repeat;
mod time;

use crate::letter::{Address, Letter};
use crate::parse::decode;
use crate::part;
use crate::tnef;
pub use repeat::{Frequency, Repeat};
pub use time::When;

/// Largest calendar that is read, in bytes.
const MAX_BYTES: usize = 4 << 20;
/// Most events of one message, and most people of one event.
const MAX_EVENTS: usize = 50;
const MAX_ATTENDEES: usize = 500;
/// Longest text kept, in bytes.
const MAX_TEXT_BYTES: usize = 16 << 10;

/// What the sender wants done with an event (RFC 5546 1.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// An event for information; also where nothing is said.
    #[default]
    Publish,
    /// Come, please; or it has changed.
    Request,
    /// Somebody says whether they come.
    Reply,
    /// It does not take place.
    Cancel,
    /// Another time is proposed, or the last version is asked for.
    Counter,
}

/// What somebody answered (RFC 5545 3.2.12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answer {
    /// Nothing yet.
    #[default]
    None,
    /// They come.
    Accepted,
    /// They do not.
    Declined,
    /// Perhaps.
    Tentative,
    /// Somebody else comes for them.
    Delegated,
}

/// Somebody who is asked to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attendee {
    /// Who.
    pub person: Address,
    /// What they answered.
    pub answer: Answer,
    /// They need not come (ROLE=OPT-PARTICIPANT).
    pub optional: bool,
}

/// One event of an invitation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invitation {
    /// What is asked.
    pub method: Method,
    /// The same in every version of the event.
    pub uid: Option<String>,
    /// What; empty if nothing is said.
    pub summary: String,
    /// More of it.
    pub description: Option<String>,
    /// Where: a room, an address or a link.
    pub location: Option<String>,
    /// From when.
    pub start: Option<When>,
    /// Until when; of whole days the last one.
    pub end: Option<When>,
    /// Who invites.
    pub organizer: Option<Address>,
    /// Who is invited; in a reply who answers.
    pub attendees: Vec<Attendee>,
    /// How often it takes place, if more than once.
    pub repeat: Option<Repeat>,
    /// It is one of a series: the occurrence that is spoken of (RFC 5545 3.8.4.4).
    pub occurrence: Option<When>,
    /// It does not take place (METHOD:CANCEL or STATUS:CANCELLED).
    pub cancelled: bool,
}

/// The events a letter brings, at most 50. `letter` is what [`crate::parse::parse`] made of `raw`.
pub fn of_letter(raw: &[u8], letter: &Letter) -> Vec<Invitation> {
    let is_usual = |file: &crate::Attachment| {
        let name = file.name.as_deref().unwrap_or_default().to_ascii_lowercase();
        matches!(file.content_type.as_str(), "text/calendar" | "application/ics")
            || file.content_type.ends_with("ms-tnef")
            || name.ends_with(".ics")
            || name == "winmail.dat"
    };
    // A part that is the whole message is no attachment.
    if !letter.attachments.iter().any(is_usual) && letter.content_type != "text/calendar" {
        return Vec::new();
    }
    let tree = part::tree(raw);
    let mut events: Vec<Invitation> = Vec::new();
    for part in tree.parts.iter().filter(|part| part.nesting == 0 && (part.is_calendar() || part.is_tnef())) {
        let content = decode::content(raw, part.body.clone(), part.encoding);
        let found = if part.is_tnef() {
            tnef::open(&content.bytes).and_then(meeting).into_iter().collect()
        } else {
            read(&content.bytes)
        };
        for event in found {
            // The same event stands in the alternative and once more as a file.
            if events.len() < MAX_EVENTS && !events.contains(&event) {
                events.push(event);
            }
        }
    }
    events
}

/// The events of a calendar; RFC 5545 3.1.4: UTF-8 unless something else is said, and nobody says it.
pub fn read(bytes: &[u8]) -> Vec<Invitation> {
    let text = crate::charset::unlabelled(bytes.get(..MAX_BYTES).unwrap_or(bytes), None).0;
    let mut reader = Reader::default();
    line::each(&text, |line| reader.take(line));
    let Reader { mut events, method, .. } = reader;
    for event in &mut events {
        event.method = method;
        event.cancelled |= method == Method::Cancel;
        event.finish();
    }
    events
}

/// Where in the calendar the reader is.
#[derive(Default)]
struct Reader {
    method: Method,
    events: Vec<Invitation>,
    /// Components around the line; only lines directly in an event count.
    stack: Vec<String>,
    duration: Option<i64>,
}

/// Components within each other; a calendar has three.
const MAX_DEPTH: usize = 16;

impl Reader {
    fn take(&mut self, line: line::Line<'_>) {
        match line.name.as_str() {
            "BEGIN" => self.begin(line.value),
            "END" => self.end(line.value),
            "METHOD" if self.stack.len() <= 1 => self.method = method(line.value),
            _ if self.stack.last().is_some_and(|name| name == "VEVENT") => {
                let duration = &mut self.duration;
                if let Some(event) = self.events.last_mut() {
                    event.take(&line, duration);
                }
            }
            _ => {}
        }
    }

    fn begin(&mut self, name: &str) {
        if self.stack.len() >= MAX_DEPTH {
            return;
        }
        let name = name.trim().to_ascii_uppercase();
        if name == "VEVENT" && self.events.len() < MAX_EVENTS {
            self.events.push(Invitation::default());
            self.duration = None;
            self.stack.push(name);
        } else {
            // Of an event too many nothing is read.
            self.stack.push(if name == "VEVENT" { String::new() } else { name });
        }
    }

    fn end(&mut self, name: &str) {
        let closed = self.stack.pop();
        if closed.as_deref() != Some("VEVENT") || !name.trim().eq_ignore_ascii_case("VEVENT") {
            return;
        }
        if let (Some(event), Some(seconds)) = (self.events.last_mut(), self.duration.take())
            && event.end.is_none()
        {
            event.end = event.start.as_ref().map(|start| start.plus(seconds));
        }
    }
}

impl Invitation {
    fn take(&mut self, line: &line::Line<'_>, duration: &mut Option<i64>) {
        let text = || Some(line.text(MAX_TEXT_BYTES)).filter(|text| !text.is_empty());
        match line.name.as_str() {
            "UID" => self.uid = text(),
            "SUMMARY" => self.summary = text().unwrap_or_default(),
            "DESCRIPTION" => self.description = text(),
            "LOCATION" => self.location = text(),
            "DTSTART" => self.start = time::read(line),
            "DTEND" => self.end = time::read(line),
            "DURATION" => *duration = time::duration(line.value),
            "RECURRENCE-ID" => self.occurrence = time::read(line),
            "RRULE" => self.repeat = self.repeat.take().or_else(|| repeat::read(line.value)),
            "STATUS" => self.cancelled |= line.value.trim().eq_ignore_ascii_case("CANCELLED"),
            "ORGANIZER" => self.organizer = person(line),
            "ATTENDEE" if self.attendees.len() < MAX_ATTENDEES => self.attendees.extend(attendee(line)),
            _ => {}
        }
    }

    /// The end of whole days is the day after the last one (RFC 5545 3.6.1).
    fn finish(&mut self) {
        if let (Some(When::Day(start)), Some(When::Day(end))) = (&self.start, &mut self.end)
            && *end > *start
        {
            *end -= 1;
        }
    }
}

fn method(value: &str) -> Method {
    match value.trim().to_ascii_uppercase().as_str() {
        "REQUEST" | "ADD" => Method::Request,
        "REPLY" => Method::Reply,
        "CANCEL" => Method::Cancel,
        "COUNTER" | "REFRESH" | "DECLINECOUNTER" => Method::Counter,
        _ => Method::Publish,
    }
}

/// `ORGANIZER;CN="Novak, Ann":mailto:ann@a.example`.
fn person(line: &line::Line<'_>) -> Option<Address> {
    let value = line.value.trim();
    let is_mail = value.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
    let address = if is_mail { &value[7..] } else { value };
    let address = Some(address).filter(|address| address.contains('@')).or(line.parameter("EMAIL"))?;
    let name = line.parameter("CN").map(str::trim).filter(|name| !name.is_empty() && *name != address);
    Some(Address { name: name.map(str::to_owned), address: address.trim().to_owned() })
}

fn attendee(line: &line::Line<'_>) -> Option<Attendee> {
    // Rooms and equipment are no people (CUTYPE, RFC 5545 3.2.3).
    if line
        .parameter("CUTYPE")
        .is_some_and(|kind| matches!(kind.to_ascii_uppercase().as_str(), "ROOM" | "RESOURCE"))
    {
        return None;
    }
    let answer = match line.parameter("PARTSTAT").unwrap_or_default().to_ascii_uppercase().as_str() {
        "ACCEPTED" => Answer::Accepted,
        "DECLINED" => Answer::Declined,
        "TENTATIVE" => Answer::Tentative,
        "DELEGATED" => Answer::Delegated,
        _ => Answer::None,
    };
    let optional = line.parameter("ROLE").is_some_and(|role| role.eq_ignore_ascii_case("OPT-PARTICIPANT"));
    Some(Attendee { person: person(line)?, answer, optional })
}

/// A meeting of Outlook's own form: its class tells what is asked (MS-OXCMSG, MS-OXOCAL).
fn meeting(tnef: tnef::Tnef) -> Option<Invitation> {
    let class = tnef.message_class.as_deref()?.to_ascii_lowercase();
    let class =
        class.strip_prefix("ipm.schedule.meeting.").or(class.strip_prefix("ipm.microsoft schedule.mtg"))?;
    let method = match class {
        "request" | "req" => Method::Request,
        "canceled" | "cncl" => Method::Cancel,
        _ => Method::Reply,
    };
    Some(Invitation {
        method,
        summary: tnef.subject.unwrap_or_default(),
        start: tnef.start_at.map(When::utc),
        end: tnef.end_at.map(When::utc),
        cancelled: method == Method::Cancel,
        ..Invitation::default()
    })
}

#[cfg(test)]
mod tests;
