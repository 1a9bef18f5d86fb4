//! How often an event takes place: the part of RRULE (RFC 5545 3.3.10) that people say in words.

use super::time::{self, When};

/// The unit of a repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frequency {
    /// Every so many days.
    Daily,
    /// Every so many weeks.
    Weekly,
    /// Every so many months.
    Monthly,
    /// Every so many years.
    Yearly,
}

/// A repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// The unit.
    pub frequency: Frequency,
    /// Every so many units, at least 1.
    pub interval: u32,
    /// Days of the week, Monday is 0, in order, each once; empty where it follows from the start.
    pub weekdays: Vec<u8>,
    /// How many times, if that is said.
    pub count: Option<u32>,
    /// Until when, if that is said.
    pub until: Option<When>,
}

/// Reads a rule; `None` if it is one of hours or less, or none at all.
pub(super) fn read(value: &str) -> Option<Repeat> {
    let part = |name: &str| {
        let pairs = value.split(';').filter_map(|part| part.split_once('='));
        pairs
            .into_iter()
            .find(|(key, _)| key.trim().eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    };
    let frequency = match part("FREQ")?.to_ascii_uppercase().as_str() {
        "DAILY" => Frequency::Daily,
        "WEEKLY" => Frequency::Weekly,
        "MONTHLY" => Frequency::Monthly,
        "YEARLY" => Frequency::Yearly,
        _ => return None,
    };
    Some(Repeat {
        frequency,
        interval: part("INTERVAL").and_then(|n| n.parse().ok()).unwrap_or(1).max(1),
        weekdays: weekdays(part("BYDAY").unwrap_or_default()),
        count: part("COUNT").and_then(|n| n.parse().ok()),
        until: part("UNTIL").and_then(|until| time::moment(until, None)),
    })
}

/// `MO,WE` or, in a month, `2TU`: which week it is follows from the start.
fn weekdays(list: &str) -> Vec<u8> {
    const NAMES: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
    let mut found = Vec::new();
    for (number, name) in (0..).zip(NAMES) {
        let is = |day: &str| day.trim().to_ascii_uppercase().ends_with(name);
        if list.split(',').take(70).any(is) {
            found.push(number);
        }
    }
    found
}
