//! INTERNALDATE: `" 7-Jul-1996 02:44:25 -0700"` (RFC 9051, `date-time`) and microseconds UTC.
//!
//! Civil dates are counted by the proleptic Gregorian calendar with years that begin in March, so that
//! the leap day is the last day of a year.

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY_S: i64 = 86_400;

/// Microseconds since 1970 in UTC, or nothing if the text is no date.
pub(crate) fn parse(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let mut words = text.split_ascii_whitespace();
    let (date, time) = (words.next()?, words.next()?);
    let zone = words.next().unwrap_or("+0000");
    let [day, month, year] = split(date, '-')?;
    let [hour, minute, second] = split(time, ':')?;
    let month = MONTHS.iter().position(|m| m.eq_ignore_ascii_case(month))? as i64 + 1;
    let (day, year) = (number(day, 31)?, number(year, 9999)?);
    let time_s = number(hour, 24)? * 3600 + number(minute, 59)? * 60 + number(second, 60)?;
    (day > 0).then_some((days(year, month, day) * DAY_S + time_s - zone_s(zone)?) * 1_000_000)
}

/// The date in UTC as IMAP writes it, without the quotes.
pub(crate) fn print(micros: i64) -> String {
    let seconds = micros.div_euclid(1_000_000);
    let (day_number, time) = (seconds.div_euclid(DAY_S), seconds.rem_euclid(DAY_S));
    let (year, month, day) = civil(day_number);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    let month = MONTHS[(month - 1) as usize];
    format!("{day:02}-{month}-{year:04} {hour:02}:{minute:02}:{second:02} +0000")
}

fn split(text: &str, by: char) -> Option<[&str; 3]> {
    let mut parts = text.split(by);
    let three = [parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(three)
}

fn number(text: &str, max: i64) -> Option<i64> {
    let digits = !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|&n| digits && n <= max)
}

fn zone_s(zone: &str) -> Option<i64> {
    let (sign, digits) = match zone.as_bytes().first()? {
        b'+' => (1, &zone[1..]),
        b'-' => (-1, &zone[1..]),
        _ => return Some(0),
    };
    let zone = number(digits, 9999)?;
    Some(sign * (zone / 100 * 3600 + zone % 100 * 60))
}

/// Days from 1970-01-01 to the date.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

fn civil(day_number: i64) -> (i64, i64, i64) {
    let from_march_0 = day_number + 719_468;
    let (era, in_era) = (from_march_0.div_euclid(146_097), from_march_0.rem_euclid(146_097));
    let year_of_era = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
    let day_of_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year_of_era + carry, month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_the_dates_servers_write() {
        assert_eq!(parse(b"17-Jul-1996 02:44:25 -0700"), Some(837_596_665_000_000));
        assert_eq!(parse(b" 7-jul-1996 02:44:25 +0000"), Some(836_707_465_000_000));
        assert_eq!(parse(b"01-Jan-1970 00:00:00 +0000"), Some(0));
        assert_eq!(parse(b"01-Jan-1970 01:00:00 +0100"), Some(0));
        assert_eq!(parse(b"29-Feb-2000 23:59:60 +0000"), parse(b"01-Mar-2000 00:00:00 +0000"));
        for bad in [
            "",
            "yesterday",
            "1-Foo-2000 00:00:00 +0000",
            "1-Jan-2000 00:00 +0000",
            "0-Jan-2000 00:00:00 +0000",
            "1-Jan-2000 00:00:00 +x",
        ] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_the_same(seconds in -60_000_000_000i64..200_000_000_000) {
            let micros = seconds * 1_000_000;
            prop_assert_eq!(parse(print(micros).as_bytes()), Some(micros));
        }

        #[test]
        fn reading_never_fails(text in prop::collection::vec(any::<u8>(), 0..40)) {
            parse(&text);
        }
    }
}
