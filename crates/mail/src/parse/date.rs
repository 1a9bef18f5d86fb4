//! Date header -> moment and zone.
//!
//! RFC 5322 dates are read by mail-parser. What it refuses is read loosely, as programs of thirty
//! years wrote it: without seconds or day of the week, the year first, English month names in any
//! place, zone missing (then UTC).

use crate::letter::Date;
use mail_parser::{DateTime, HeaderForm, HeaderValue};

/// Longer values are no dates.
const MAX_BYTES: usize = 256;

/// Reads the value of a Date header; a date that no calendar has is none.
pub(crate) fn read(text: &str) -> Option<Date> {
    let text = text.get(..text.floor_char_boundary(MAX_BYTES))?;
    match HeaderForm::Date.parse(text.as_bytes()).value() {
        HeaderValue::DateTime(date) => moment(date).or_else(|| loose(text)),
        _ => loose(text),
    }
}

fn moment(date: DateTime) -> Option<Date> {
    let zone = i32::from(date.tz_hour) * 60 + i32::from(date.tz_minute);
    // Beyond a day (`+9999` is seen from spam programs) RFC 3339 has no way to say it: taken as UTC.
    let zone = if zone >= 24 * 60 { 0 } else { zone };
    let offset_minutes = if date.tz_before_gmt { -zone } else { zone };
    // A leap second is the last second of its minute to us.
    let second = date.second.min(59);
    let local = DateTime { second, tz_before_gmt: false, tz_hour: 0, tz_minute: 0, ..date };
    let seconds = local.is_valid().then(|| local.to_timestamp())?;
    let at = (seconds - i64::from(offset_minutes) * 60).checked_mul(1_000_000)?;
    Some(Date { at, offset_minutes })
}

fn loose(text: &str) -> Option<Date> {
    let mut date = DateTime::default();
    let mut numbers = Vec::new();
    let (mut has_time, mut has_zone) = (false, false);
    // `2024-02-05T10:00:00Z`: T and Z are no letters of a word.
    let spaced = match text.split_once('T') {
        Some((day, time)) if day.ends_with(|c: char| c.is_ascii_digit()) => format!("{day} {time}"),
        _ => text.to_owned(),
    };
    let spaced = spaced.replace(',', " ");
    for word in spaced.split_ascii_whitespace() {
        if let Some(month) = month(word) {
            date.month = month;
        } else if word.contains(':') && !has_time {
            has_time = time(word, &mut date)?;
        } else if has_time && !has_zone && zone(word, &mut date) {
            has_zone = true;
        } else {
            let word = word.trim_end_matches('.');
            numbers.extend(word.split(['-', '/', '.']).filter_map(|number| number.parse::<u16>().ok()));
            date.month = word.split('-').find_map(month).unwrap_or(date.month);
        }
    }
    calendar(&mut date, &numbers)?;
    has_time.then(|| moment(date))?
}

/// Day, month and year from the numbers, by their place and size.
fn calendar(date: &mut DateTime, numbers: &[u16]) -> Option<()> {
    let (day, month, year) = match (date.month, numbers) {
        (0, &[year, month, day, ..]) if year > 31 => (day, month, year),
        (0, &[day, month, year, ..]) => (day, month, year),
        (month, &[year, day, ..]) if year > 31 => (day, u16::from(month), year),
        (month, &[day, year, ..]) => (day, u16::from(month), year),
        _ => return None,
    };
    date.day = u8::try_from(day).ok()?;
    date.month = u8::try_from(month).ok()?;
    // RFC 5322 §4.3.
    date.year = match year {
        0..50 => year + 2000,
        50..1000 => year + 1900,
        year => year,
    };
    Some(())
}

fn month(word: &str) -> Option<u8> {
    let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let start = word.get(..3)?.to_ascii_lowercase();
    let at = names.iter().position(|name| *name == start)?;
    Some(at as u8 + 1)
}

fn time(word: &str, date: &mut DateTime) -> Option<bool> {
    // A zone may follow without a blank: `10:00:00+01:00`.
    let end = word.find(['+', '-', 'Z']).unwrap_or(word.len());
    let (clock, rest) = word.split_at(end);
    let mut parts = clock.split([':', '.']).map(|part| part.parse::<u8>().ok());
    date.hour = parts.next()??;
    date.minute = parts.next()??;
    date.second = parts.next().flatten().unwrap_or(0);
    zone(rest, date);
    Some(true)
}

/// Reads a zone; `false` if the word is none.
fn zone(word: &str, date: &mut DateTime) -> bool {
    let word = word.trim_matches(['(', ')']);
    let digits = word.trim_start_matches("GMT").trim_start_matches("UTC");
    if let Some(sign) = digits.chars().next().filter(|sign| matches!(sign, '+' | '-')) {
        let digits: String = digits.chars().filter(char::is_ascii_digit).take(4).collect();
        let number = digits.parse::<u16>().unwrap_or(0);
        let (hour, minute) = if digits.len() <= 2 { (number, 0) } else { (number / 100, number % 100) };
        date.tz_before_gmt = sign == '-';
        date.tz_hour = hour as u8;
        date.tz_minute = minute as u8;
        return true;
    }
    let west = match word {
        "GMT" | "UTC" | "UT" | "Z" => 0,
        "EDT" => 4,
        "EST" | "CDT" => 5,
        "CST" | "MDT" => 6,
        "MST" | "PDT" => 7,
        "PST" => 8,
        "CET" | "MET" => -1,
        "CEST" | "MEST" => -2,
        _ => return false,
    };
    date.tz_before_gmt = west > 0;
    date.tz_hour = i8::unsigned_abs(west);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_programs_write_them() {
        let cases = [
            ("Mon, 5 Feb 2024 10:00:00 +0100", "2024-02-05T10:00:00+01:00"),
            ("Mon, 05 Feb 2024 10:00:00 GMT (comment)", "2024-02-05T10:00:00+00:00"),
            ("5 Feb 24 10:00 EST", "2024-02-05T10:00:00-05:00"),
            ("5 Feb 2024 10:00", "2024-02-05T10:00:00+00:00"),
            ("2024-02-05 10:00:00 +0100", "2024-02-05T10:00:00+01:00"),
            ("2024-02-05T10:00:00Z", "2024-02-05T10:00:00+00:00"),
            ("2024-02-05T10:00:00.123+02:00", "2024-02-05T10:00:00+02:00"),
            ("Mon Feb  5 10:00:00 2024", "2024-02-05T10:00:00+00:00"),
            ("Mon Feb 5 10:00:00 CET 2024", "2024-02-05T10:00:00+01:00"),
            ("05-Feb-2024 10:00:00 +0100", "2024-02-05T10:00:00+01:00"),
            ("5.2.2024 10:00:00", "2024-02-05T10:00:00+00:00"),
            ("Mon, 05 Feb 2024 10:00:60 +0000", "2024-02-05T10:00:59+00:00"),
        ];
        for (text, shown) in cases {
            assert_eq!(read(text).map(|date| date.to_string()).as_deref(), Some(shown), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in
            ["", "yesterday", "Mon, 32 Feb 2024 10:00:00 +0100", "::", "1 2 3", "99 99 99 99:99", "T:Z"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
