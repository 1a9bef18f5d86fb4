use super::{Answer, Frequency, Method, of_letter, read};
use proptest::strategy::Strategy;

const REQUEST: &str = "BEGIN:VCALENDAR\r\nPRODID:-//Example//EN\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\n\
BEGIN:VTIMEZONE\r\nTZID:Europe/Prague\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n\
BEGIN:VEVENT\r\nUID:7@a.example\r\nSUMMARY:Porada\\, 2. kolo\r\n ; příloha\r\nDTSTART;TZID=\"Europe/Prague\":20260302T140000\r\n\
DTEND;TZID=Europe/Prague:20260302T153000\r\nLOCATION:Sál 2\\nPraha\r\nORGANIZER;CN=\"Nováková: Anna\":MAILTO:ann@a.example\r\n\
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=Ben:mailto:ben@b.example\r\n\
ATTENDEE;ROLE=OPT-PARTICIPANT;PARTSTAT=NEEDS-ACTION:mailto:carla@c.example\r\n\
ATTENDEE;CUTYPE=ROOM;CN=Hall:mailto:hall@a.example\r\n\
RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;UNTIL=20260601T120000Z\r\n\
DESCRIPTION:Dobrý den\\;\\nprosím o účast.\r\n\
BEGIN:VALARM\r\nDESCRIPTION:Reminder\r\nSUMMARY:x\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

#[test]
fn b10_an_invitation_tells_what_when_where_who_and_how_often() {
    let [event] = &read(REQUEST.as_bytes())[..] else { panic!() };
    assert_eq!((event.method, event.cancelled), (Method::Request, false));
    assert_eq!(event.summary, "Porada, 2. kolo; příloha");
    assert_eq!(event.location.as_deref(), Some("Sál 2\nPraha"));
    assert_eq!(event.description.as_deref(), Some("Dobrý den;\nprosím o účast."));
    let (start, end) = (event.start.as_ref().unwrap(), event.end.as_ref().unwrap());
    assert_eq!((start.to_string().as_str(), start.zone()), ("2026-03-02T14:00:00", Some("Europe/Prague")));
    assert_eq!(end.to_string(), "2026-03-02T15:30:00");
    let organizer = event.organizer.as_ref().unwrap();
    assert_eq!(
        (organizer.name.as_deref(), organizer.address.as_str()),
        (Some("Nováková: Anna"), "ann@a.example")
    );
    let people: Vec<_> =
        event.attendees.iter().map(|a| (a.person.address.as_str(), a.answer, a.optional)).collect();
    assert_eq!(people, [("ben@b.example", Answer::Accepted, false), ("carla@c.example", Answer::None, true)]);
    let repeat = event.repeat.as_ref().unwrap();
    assert_eq!(
        (repeat.frequency, repeat.interval, &repeat.weekdays[..]),
        (Frequency::Weekly, 2, &[0, 2][..])
    );
    assert_eq!(repeat.until.as_ref().unwrap().to_string(), "2026-06-01T12:00:00Z");
}

fn event(lines: &str) -> String {
    format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n")
}

#[test]
fn b10_whole_days_and_durations_end_where_people_say_they_end() {
    for (lines, start, end) in [
        ("DTSTART;VALUE=DATE:20260228\nDTEND;VALUE=DATE:20260302", "2026-02-28", Some("2026-03-01")),
        ("DTSTART;VALUE=DATE:20260228\nDTEND;VALUE=DATE:20260301", "2026-02-28", Some("2026-02-28")),
        ("DTSTART:20260302T130000Z\nDURATION:PT1H30M", "2026-03-02T13:00:00Z", Some("2026-03-02T14:30:00Z")),
        ("DURATION:P1W\nDTSTART:20261228", "2026-12-28", Some("2027-01-03")),
        ("DTSTART:20260302T1400", "2026-03-02T14:00:00", None),
    ] {
        let [event] = &read(event(lines).as_bytes())[..] else { panic!("{lines}") };
        assert_eq!(event.start.as_ref().unwrap().to_string(), start, "{lines}");
        assert_eq!(event.end.as_ref().map(ToString::to_string).as_deref(), end, "{lines}");
    }
}

#[test]
fn b10_an_answer_and_a_cancellation_are_told() {
    let reply = REQUEST.replace("METHOD:REQUEST", "METHOD:REPLY");
    assert_eq!(read(reply.as_bytes())[0].method, Method::Reply);
    let cancel = REQUEST.replace("METHOD:REQUEST", "METHOD:CANCEL");
    assert!(read(cancel.as_bytes())[0].cancelled);
    assert!(read(event("STATUS:CANCELLED\nSUMMARY:x").as_bytes())[0].cancelled);
}

#[test]
fn b10_what_is_broken_costs_that_property_alone() {
    let lines = "SUMMARY:x\nDTSTART:20260231T140000\nDTEND:soon\nATTENDEE:nobody\nRRULE:FREQ=NEVER\nDURATION:-PT5M\n;;;\nLOCATION;X=\"y:z";
    let [event] = &read(event(lines).as_bytes())[..] else { panic!() };
    assert_eq!((event.summary.as_str(), &event.start, &event.end), ("x", &None, &None));
    assert!(event.attendees.is_empty() && event.repeat.is_none());
    assert!(read(b"no calendar").is_empty() && read(b"").is_empty());
}

#[test]
fn b10_the_invitation_of_a_letter_is_found_in_its_alternative_and_as_a_file_once() {
    let raw = format!(
        "From: ann@a.example\nContent-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: multipart/alternative; boundary=a\n\n\
         --a\nContent-Type: text/plain\n\nPlease come.\n--a\nContent-Type: text/calendar; charset=utf-8; method=REQUEST\n\n{REQUEST}\n--a--\n\
         --m\nContent-Type: application/ics; name=invite.ics\nContent-Disposition: attachment; filename=invite.ics\n\n{REQUEST}\n--m--\n"
    );
    let letter = crate::parse::parse(raw.as_bytes());
    assert_eq!(letter.text.trim(), "Please come.");
    let events = of_letter(raw.as_bytes(), &letter);
    assert_eq!((events.len(), events[0].uid.as_deref()), (1, Some("7@a.example")));
    let plain = b"From: ann@a.example\n\nBEGIN:VEVENT\n";
    assert!(of_letter(plain, &crate::parse::parse(plain)).is_empty());
}

#[test]
fn b10_hostile_calendars_take_linear_time_and_end_at_their_limits() {
    for unit in [
        "BEGIN:VEVENT\n",
        "ATTENDEE:mailto:a@b.example\n",
        " x",
        "A;B=\"",
        "SUMMARY:\\",
        "RRULE:FREQ=DAILY;BYDAY=MO,",
    ] {
        let text = event(&unit.repeat(4_000_000 / unit.len()));
        let started = std::time::Instant::now();
        let events = read(text.as_bytes());
        assert!(events.len() <= super::MAX_EVENTS);
        assert!(events.iter().all(|event| event.attendees.len() <= super::MAX_ATTENDEES));
        assert!(started.elapsed().as_secs() < 20, "{unit}");
    }
}

proptest::proptest! {
    #[test]
    fn b10_any_calendar_is_read(pieces in proptest::collection::vec(
        proptest::prop_oneof![
            proptest::sample::select(vec![
                "BEGIN:VEVENT\n", "END:VEVENT\n", "DTSTART:", "DTEND;TZID=", "20260302T140000", "99999999", "\n ", "\r\n", "DURATION:P",
                "1W", "RRULE:", "FREQ=DAILY;", "UNTIL=", "COUNT=", "ATTENDEE;CN=\"", "mailto:", "\\", ":", ";", "=", "á",
            ]).prop_map(str::to_owned),
            "\\PC{0,8}",
        ],
        0..60,
    )) {
        for event in read(pieces.concat().as_bytes()) {
            for when in [event.start, event.end].into_iter().flatten() {
                proptest::prop_assert!(!when.to_string().is_empty());
            }
        }
    }
}
