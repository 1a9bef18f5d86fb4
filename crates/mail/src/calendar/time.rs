//! Moments of a calendar: days, times in UTC, and times on the wall of some place (RFC 5545 3.3.4, 3.3.5).

use super::line::Line;
use crate::letter::civil;
use std::fmt;

const DAY_S: i64 = 86_400;
/// Longest name of a zone kept, in bytes.
const MAX_ZONE_BYTES: usize = 100;
/// Longest duration that is believed: ten years, in seconds.
const MAX_DURATION_S: i64 = 3_660 * DAY_S;

/// A moment as its writer wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// A whole day: days since 1970-01-01.
    Day(i64),
    /// A moment: seconds since 1970-01-01 UTC.
    Utc(i64),
    /// What the clock on a wall shows, in seconds as if it were UTC, and where the wall is: a zone's name as
    /// written (`Europe/Prague`, `Central Europe Standard Time`); `None` is wherever the reader is.
    Wall(i64, Option<String>),
}

impl When {
    /// From microseconds since 1970-01-01 UTC.
    pub(super) fn utc(micros: i64) -> When {
        When::Utc(micros.div_euclid(1_000_000))
    }

    pub(super) fn plus(&self, seconds: i64) -> When {
        match self {
            When::Day(day) => When::Day(day + seconds.div_euclid(DAY_S)),
            When::Utc(at) => When::Utc(at + seconds),
            When::Wall(at, zone) => When::Wall(at + seconds, zone.clone()),
        }
    }

    /// The zone of a time on a wall.
    pub fn zone(&self) -> Option<&str> {
        match self {
            When::Wall(_, zone) => zone.as_deref(),
            _ => None,
        }
    }
}

impl fmt::Display for When {
    /// `2026-03-02`, `2026-03-02T13:00:00Z` or `2026-03-02T14:00:00`: ISO 8601 without the zone's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, end) = match self {
            When::Day(day) => (day * DAY_S, ""),
            When::Utc(at) => (*at, "Z"),
            When::Wall(at, _) => (*at, ""),
        };
        let (year, month, day) = civil(seconds.div_euclid(DAY_S));
        write!(f, "{year:04}-{month:02}-{day:02}")?;
        if matches!(self, When::Day(_)) {
            return Ok(());
        }
        let second = seconds.rem_euclid(DAY_S);
        write!(f, "T{:02}:{:02}:{:02}{end}", second / 3600, second / 60 % 60, second % 60)
    }
}

/// The moment of a line such as `DTSTART;TZID=Europe/Prague:20260302T140000`.
pub(super) fn read(line: &Line<'_>) -> Option<When> {
    let zone = line.parameter("TZID").map(|zone| zone.trim_start_matches('/'));
    let zone = zone.filter(|zone| !zone.is_empty() && zone.len() <= MAX_ZONE_BYTES);
    moment(line.value.trim(), zone)
}

pub(super) fn moment(value: &str, zone: Option<&str>) -> Option<When> {
    let (date, time) = value.split_once(['T', 't']).map_or((value, None), |(date, time)| (date, Some(time)));
    let date: String = date.chars().filter(|c| *c != '-').collect();
    let day = days(number(&date, 0..4)?, number(&date, 4..6)?, number(&date, 6..8)?)?;
    let Some(time) = time else { return Some(When::Day(day)) };
    let digits: String = time.chars().filter(char::is_ascii_digit).collect();
    let (hour, minute) = (number(&digits, 0..2)?, number(&digits, 2..4)?);
    let second = number(&digits, 4..6).unwrap_or(0).min(59);
    if hour > 24 || minute > 59 {
        return None;
    }
    let at = day * DAY_S + hour * 3600 + minute * 60 + second;
    let is_utc =
        time.ends_with(['Z', 'z']) || zone.is_some_and(|zone| matches!(zone, "UTC" | "GMT" | "Etc/UTC"));
    Some(if is_utc { When::Utc(at) } else { When::Wall(at, zone.map(str::to_owned)) })
}

fn number(text: &str, at: std::ops::Range<usize>) -> Option<i64> {
    text.get(at).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

/// Days since 1970-01-01; `None` where there is no such day. The inverse of [`civil`].
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let shifted = year - i64::from(month <= 2);
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    (year >= 1 && (1..=12).contains(&month) && civil(days) == (year, month, day)).then_some(days)
}

/// Seconds of `PT1H30M`, `P2D`, `P1W` (RFC 5545 3.3.6); of a negative one none.
pub(super) fn duration(value: &str) -> Option<i64> {
    let value = value.trim().trim_start_matches('+').strip_prefix(['P', 'p'])?;
    let (mut seconds, mut count) = (0_i64, 0_i64);
    for c in value.chars() {
        let unit = match c.to_ascii_uppercase() {
            digit @ '0'..='9' => {
                count = count.checked_mul(10)?.checked_add(i64::from(digit as u8 - b'0'))?;
                continue;
            }
            'T' => continue,
            'W' => 7 * DAY_S,
            'D' => DAY_S,
            'H' => 3600,
            'M' => 60,
            'S' => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(count.checked_mul(unit)?)?;
        count = 0;
    }
    (seconds <= MAX_DURATION_S).then_some(seconds)
}
