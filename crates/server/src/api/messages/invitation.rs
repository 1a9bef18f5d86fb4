//! An invitation as the API shows it.

use crate::shape::Person;
use mail::calendar::{self, Answer, Frequency, Method, When};
use serde::Serialize;
use utoipa::ToSchema;

/// An event that a message invites to, changes, answers or calls off.
#[derive(Serialize, ToSchema)]
pub struct Invitation {
    /// What is asked: `publish`, `request`, `reply`, `cancel` or `counter`.
    method: &'static str,
    /// It does not take place.
    cancelled: bool,
    /// What; may be empty.
    summary: String,
    description: Option<String>,
    /// A room, an address or a link.
    location: Option<String>,
    start: Option<InvitationTime>,
    /// Of whole days the last one.
    end: Option<InvitationTime>,
    /// The occurrence of a series that is spoken of.
    occurrence: Option<InvitationTime>,
    organizer: Option<Person>,
    /// Who is invited; in a reply who answers.
    attendees: Vec<Attendee>,
    /// How often, if more than once.
    repeat: Option<Repeat>,
}

/// A moment as the organiser wrote it.
#[derive(Serialize, ToSchema)]
pub struct InvitationTime {
    /// `2026-03-02` (a whole day), `2026-03-02T13:00:00Z` (UTC) or `2026-03-02T14:00:00` (on the wall of the zone).
    at: String,
    /// Name of the zone as written, `Europe/Prague`; null with days and UTC, or where the reader is.
    zone: Option<String>,
}

/// Somebody who is invited.
#[derive(Serialize, ToSchema)]
pub struct Attendee {
    person: Person,
    /// `none`, `accepted`, `declined`, `tentative` or `delegated`.
    answer: &'static str,
    /// They need not come.
    optional: bool,
}

/// How often an event takes place.
#[derive(Serialize, ToSchema)]
pub struct Repeat {
    /// `daily`, `weekly`, `monthly` or `yearly`.
    frequency: &'static str,
    /// Every so many days, weeks, months or years.
    interval: u32,
    /// Monday is 0; empty where it follows from the start.
    weekdays: Vec<u8>,
    /// How many times.
    count: Option<u32>,
    until: Option<InvitationTime>,
}

impl From<calendar::Invitation> for Invitation {
    fn from(event: calendar::Invitation) -> Invitation {
        Invitation {
            method: match event.method {
                Method::Publish => "publish",
                Method::Request => "request",
                Method::Reply => "reply",
                Method::Cancel => "cancel",
                Method::Counter => "counter",
            },
            cancelled: event.cancelled,
            summary: event.summary,
            description: event.description,
            location: event.location,
            start: event.start.map(InvitationTime::from),
            end: event.end.map(InvitationTime::from),
            occurrence: event.occurrence.map(InvitationTime::from),
            organizer: event.organizer.map(person),
            attendees: event.attendees.into_iter().map(Attendee::from).collect(),
            repeat: event.repeat.map(Repeat::from),
        }
    }
}

fn person(address: mail::Address) -> Person {
    Person { name: address.name.unwrap_or_default(), address: address.address }
}

impl From<When> for InvitationTime {
    fn from(when: When) -> InvitationTime {
        InvitationTime { at: when.to_string(), zone: when.zone().map(str::to_owned) }
    }
}

impl From<calendar::Attendee> for Attendee {
    fn from(attendee: calendar::Attendee) -> Attendee {
        let answer = match attendee.answer {
            Answer::None => "none",
            Answer::Accepted => "accepted",
            Answer::Declined => "declined",
            Answer::Tentative => "tentative",
            Answer::Delegated => "delegated",
        };
        Attendee { person: person(attendee.person), answer, optional: attendee.optional }
    }
}

impl From<calendar::Repeat> for Repeat {
    fn from(repeat: calendar::Repeat) -> Repeat {
        let frequency = match repeat.frequency {
            Frequency::Daily => "daily",
            Frequency::Weekly => "weekly",
            Frequency::Monthly => "monthly",
            Frequency::Yearly => "yearly",
        };
        Repeat {
            frequency,
            interval: repeat.interval,
            weekdays: repeat.weekdays,
            count: repeat.count,
            until: repeat.until.map(InvitationTime::from),
        }
    }
}
