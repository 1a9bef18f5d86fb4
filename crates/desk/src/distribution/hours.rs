//! Working hours: on which days of the week from when to when, in whose zone.
//!
//! Kept as JSON (`{"zone": "Europe/Prague", "days": {"1": ["08:00", "16:30"]}}`, Monday is 1), because they are only
//! ever read whole. Zones are those of the IANA database that is built into the program, so that all nodes agree
//! whatever their system knows. No shifts over midnight: who works at night has two days with two parts of it.

use crate::Refusal;
use jiff::civil::{Date, Time as Clock};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use model::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Working hours as people enter them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// A zone of the IANA database: `Europe/Prague`.
    pub zone: String,
    /// By day of the week (Monday is 1, Sunday 7): from and to, `HH:MM`; the end of a day is `24:00`.
    pub days: BTreeMap<u8, (String, String)>,
}

/// Working hours to reckon with.
struct Week {
    zone: TimeZone,
    /// Minutes of the day, from Monday.
    days: [Option<(i64, i64)>; 7],
}

impl Hours {
    /// The hours that are kept as `text`; `None` where none are, which is always.
    pub fn kept(text: &str) -> Option<Hours> {
        serde_json::from_str(text).ok()
    }

    /// The text they are kept as.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for `working_hours` if zone, days or times are none.
    pub fn checked(&self) -> Result<String, Refusal> {
        if TimeZone::get(&self.zone).is_err() || self.zone.len() > LONGEST_ZONE {
            let message = "No such time zone: a name such as Europe/Prague.";
            return Err(Refusal::invalid("working_hours", "unknown_zone", message));
        }
        if self.days.is_empty() || self.week().is_none() {
            let message = "Working hours: for days 1 (Monday) to 7 from HH:MM to a later HH:MM.";
            return Err(Refusal::invalid("working_hours", "bad_hours", message));
        }
        Ok(serde_json::to_string(self).map_err(anyhow::Error::from)?)
    }

    fn week(&self) -> Option<Week> {
        let mut days = [None; 7];
        for (day, (from, to)) in &self.days {
            let (from, to) = (minutes(from)?, minutes(to)?);
            *days.get_mut(usize::from(*day).checked_sub(1)?)? = (from < to).then_some((from, to));
            if from >= to {
                return None;
            }
        }
        Some(Week { zone: TimeZone::get(&self.zone).ok()?, days })
    }

    /// Whether it is working time.
    pub fn contain(&self, at: Time) -> bool {
        let Some(week) = self.week() else { return true };
        let Some(day) = week.date(at) else { return true };
        week.part(day).is_some_and(|(from, to)| from <= at && at < to)
    }

    /// The moment when so many minutes of working time have passed since `from`.
    pub fn after(&self, from: Time, minutes: i64) -> Time {
        let plain = from.plus_s(minutes * 60);
        let Some(week) = self.week() else { return plain };
        let Some(mut day) = week.date(from) else { return plain };
        let mut left = minutes * MINUTE_US;
        for _ in 0..MOST_DAYS {
            if let Some((begin, end)) = week.part(day) {
                let begin = begin.max(from);
                if begin.0 + left <= end.0 {
                    return Time(begin.0 + left);
                }
                left -= (end.0 - begin.0).max(0);
            }
            let Ok(next) = day.tomorrow() else { return plain };
            day = next;
        }
        plain
    }
}

impl Week {
    fn date(&self, at: Time) -> Option<Date> {
        Some(Timestamp::from_microsecond(at.0).ok()?.to_zoned(self.zone.clone()).date())
    }

    /// From when to when somebody works on this day.
    fn part(&self, day: Date) -> Option<(Time, Time)> {
        let (from, to) = self.days[day.weekday().to_monday_zero_offset() as usize]?;
        Some((self.moment(day, from)?, self.moment(day, to)?))
    }

    fn moment(&self, day: Date, minutes: i64) -> Option<Time> {
        let midnight = day.to_datetime(Clock::midnight());
        let at = midnight.checked_add(minutes.minutes()).ok()?.to_zoned(self.zone.clone()).ok()?;
        Some(Time(at.timestamp().as_microsecond()))
    }
}

/// Minutes of the day of `HH:MM`.
fn minutes(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |part: &str| (part.len() == 2).then(|| part.parse::<u8>().ok()).flatten().map(i64::from);
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let all = hours * 60 + minutes;
    (minutes < 60 && all <= 24 * 60).then_some(all)
}

const MINUTE_US: i64 = 60_000_000;
/// Days that are looked through for working time; a target further off is counted in plain minutes.
const MOST_DAYS: usize = 400;
/// No zone's name is longer, in bytes.
const LONGEST_ZONE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        Time(text.parse::<Timestamp>().unwrap().as_microsecond())
    }

    fn prague() -> Hours {
        let day = || ("08:00".to_owned(), "16:30".to_owned());
        Hours { zone: "Europe/Prague".into(), days: (1..=5).map(|n| (n, day())).collect() }
    }

    #[test]
    fn d2_working_hours_are_those_of_their_zone_in_summer_and_winter() {
        assert!(!prague().contain(at("2026-03-02T06:59:59Z")));
        assert!(prague().contain(at("2026-03-02T07:00:00Z")));
        assert!(prague().contain(at("2026-07-06T06:00:00Z")));
        assert!(!prague().contain(at("2026-07-06T14:30:00Z")));
        assert!(!prague().contain(at("2026-03-01T10:00:00Z")), "a Sunday");
    }

    #[test]
    fn d5_a_target_is_counted_in_working_hours_over_night_and_weekend() {
        assert_eq!(prague().after(at("2026-03-02T08:00:00Z"), 60), at("2026-03-02T09:00:00Z"));
        // Friday 16:00 in Prague: half an hour is left, the rest is on Monday.
        assert_eq!(prague().after(at("2026-03-06T15:00:00Z"), 60), at("2026-03-09T07:30:00Z"));
        assert_eq!(prague().after(at("2026-03-07T10:00:00Z"), 30), at("2026-03-09T07:30:00Z"));
    }

    #[test]
    fn d2_hours_that_are_none_are_refused() {
        let with = |zone: &str, day: u8, from: &str, to: &str| Hours {
            zone: zone.into(),
            days: BTreeMap::from([(day, (from.into(), to.into()))]),
        };
        assert!(with("Europe/Prague", 7, "00:00", "24:00").checked().is_ok());
        for wrong in [
            with("Europe/Nowhere", 1, "08:00", "16:00"),
            with("Europe/Prague", 8, "08:00", "16:00"),
            with("Europe/Prague", 0, "08:00", "16:00"),
            with("Europe/Prague", 1, "16:00", "08:00"),
            with("Europe/Prague", 1, "8:00", "16:00"),
            with("Europe/Prague", 1, "08:00", "24:01"),
            Hours { zone: "Europe/Prague".into(), days: BTreeMap::new() },
        ] {
            assert!(wrong.checked().is_err(), "{wrong:?}");
        }
    }
}
