use proptest::prelude::*;

use super::*;

/// A message as it came.
#[derive(Default)]
struct Kept(Vec<u8>);

impl Sink for Kept {
    fn append(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

/// Everything a stream of bytes means, as text.
fn hear(engine: &mut Engine, pieces: &[&[u8]]) -> Vec<String> {
    let (mut heard, mut body) = (Vec::new(), Kept::default());
    for piece in pieces {
        let mut rest = *piece;
        while !rest.is_empty() {
            match engine.step(rest, &mut body) {
                Ok((used, event)) => {
                    rest = &rest[used..];
                    match event {
                        Event::Nothing => {}
                        Event::End => {
                            let body = std::mem::take(&mut body.0);
                            heard.push(format!("End {:?}", String::from_utf8_lossy(&body)));
                        }
                        Event::Line(line) => heard.push(format!("Line {:?}", String::from_utf8_lossy(&line))),
                        Event::Reply(reply) => heard.push(format!("{reply:?}")),
                    }
                }
                Err(error) => {
                    heard.push(error.to_string());
                    return heard;
                }
            }
        }
    }
    heard
}

fn engine(follows: &[Follows]) -> Engine {
    let limits = Limits { response_bytes: 200, search_bytes: 400, message_bytes: 100, ..Limits::default() };
    let mut engine = Engine::without_greeting(limits, true);
    for follows in follows {
        engine.send("X", "X", *follows);
    }
    engine
}

/// What a message is after its way over the wire.
fn received(on_the_wire: &[u8]) -> String {
    let talk = [b"+OK\r\n", on_the_wire].concat();
    let heard = hear(&mut engine(&[Follows::Message]), &[&talk]);
    heard.last().unwrap().clone()
}

#[test]
fn dots_are_undone_and_a_lone_one_ends() {
    assert_eq!(received(b".\r\n"), r#"End """#);
    assert_eq!(received(b"\r\n.\r\n"), r#"End "\r\n""#);
    assert_eq!(received(b"a\r\n..\r\n...b\r\n.c\r\n.\r\n"), r#"End "a\r\n.\r\n..b\r\nc\r\n""#);
    // A dot behind anything but CRLF is a dot.
    assert_eq!(received(b"a\n.\nb\r.\r\r\n.\r\n"), r#"End "a\n.\nb\r.\r\r\n""#);
    assert_eq!(received(b"a\n.\r\nb\r\n.\r\n"), r#"End "a\n.\r\nb\r\n""#);
    assert_eq!(received(b"a\r\n.\rb\r\n.\r\n"), r#"End "a\r\n\rb\r\n""#);
    assert_eq!(received(b"a\r\n.\r\r\n.\r\n"), r#"End "a\r\n\r\r\n""#);
}

#[test]
fn a_server_that_ends_lines_with_lf_is_understood() {
    let talk = b"+OK hi\n+OK\n1 a\n2 .b\n.\n+OK\nx\n..y\n.\n";
    let heard = hear(&mut engine(&[Follows::Nothing, Follows::Lines, Follows::Message]), &[talk]);
    assert_eq!(
        heard[3..],
        [r#"Line "2 .b""#, r#"End """#, r#"Ok("")"#, r#"End "x\n.y\n""#].map(str::to_owned)
    );
}

#[test]
fn what_nobody_asked_for_and_what_does_not_end_are_errors() {
    let last = |follows: &[Follows], talk: &[u8]| hear(&mut engine(follows), &[talk]).pop().unwrap();
    assert_eq!(last(&[Follows::Nothing], b"+OK\r\n+OK\r\n"), "an answer nobody asked for");
    assert_eq!(last(&[Follows::Nothing], b"hello\r\n"), "a line that is no answer: \"hello\"");
    assert_eq!(last(&[Follows::Nothing], &[b'x'; 300]), "an answer of more than 200 bytes");
    let lines = [&b"+OK\r\n"[..], &b"1 abc\r\n".repeat(100)].concat();
    assert_eq!(last(&[Follows::Lines], &lines), "an answer of more than 200 bytes");
    assert_eq!(last(&[Follows::List], &lines), "an answer of more than 400 bytes");
    let message = [&b"+OK\r\n"[..], &b"1 abc\r\n".repeat(1000)].concat();
    assert_eq!(last(&[Follows::Message], &message), "a message of more than 2000 bytes");
}

#[test]
fn a_refused_list_has_no_lines_and_answers_come_in_order() {
    let talk = b"-ERR [SYS/TEMP] later\r\n+OK\r\nx\r\n.\r\n-ERR gone\r\n+OK bye\r\n";
    let follows = [Follows::List, Follows::Message, Follows::Message, Follows::Nothing];
    let mut engine = engine(&follows);
    let heard = hear(&mut engine, &[talk]);
    assert_eq!(heard.len(), 5, "{heard:?}");
    assert!(heard[0].contains("SYS/TEMP") && heard[2].contains("x\\r\\n") && heard[3].contains("gone"));
    assert!(engine.is_idle());
    let shown: Vec<_> = engine.take_transcript().into_iter().filter(|(sent, _)| !sent).collect();
    assert_eq!(shown[2].1, "(3 bytes)", "a message is in the log by its size only");
}

const TALK: &[u8] = b"+OK ready <1.2@x>\r\n+OK\r\n1 uid\r\n..dot\r\n.\r\n+OK 12 octets\r\n..a\r\n\r\n.\r.\r\nb\n.\n\r\r\n.\r\n+ abc\r\n-ERR [AUTH] no\r\n";

fn talked() -> Engine {
    engine(&[Follows::Nothing, Follows::Lines, Follows::Message, Follows::Nothing])
}

#[test]
fn byte_by_byte_means_the_same() {
    let single: Vec<&[u8]> = TALK.chunks(1).collect();
    let heard = hear(&mut talked(), &single);
    assert_eq!(heard, hear(&mut talked(), &[TALK]));
    assert_eq!(heard.len(), 9, "{heard:#?}");
}

proptest! {
    #[test]
    fn pieces_of_any_size_mean_the_same(cuts in prop::collection::vec(0..TALK.len(), 0..12)) {
        let mut cuts = cuts;
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts { pieces.push(&TALK[from..cut]); from = cut; }
        pieces.push(&TALK[from..]);
        prop_assert_eq!(hear(&mut talked(), &pieces), hear(&mut talked(), &[TALK]));
    }

    /// Any message comes back as it was, if the server doubles the dots behind CRLF.
    #[test]
    fn every_message_survives_its_way(words in prop::collection::vec(prop_oneof![
        Just(&b"."[..]), Just(&b"\r\n"[..]), Just(&b"\n"[..]), Just(&b"\r"[..]), Just(&b"ab"[..])], 0..12)) {
        let mut message = words.concat();
        message.extend_from_slice(b"\r\n");
        let mut wire = Vec::new();
        for (at, byte) in message.iter().enumerate() {
            if *byte == b'.' && (at == 0 || message[..at].ends_with(b"\r\n")) {
                wire.push(b'.');
            }
            wire.push(*byte);
        }
        wire.extend_from_slice(b".\r\n");
        prop_assert_eq!(received(&wire), format!("End {:?}", String::from_utf8_lossy(&message)));
    }

    #[test]
    fn any_bytes_are_heard_without_panic_and_the_same_in_pieces(talk in prop::collection::vec(prop_oneof![
        Just(&b"+OK"[..]), Just(&b"-ERR"[..]), Just(&b"\r\n"[..]), Just(&b"\n"[..]), Just(&b"\r"[..]), Just(&b"."[..]), Just(&b" [IN-USE] "[..]), Just(&b"+ "[..]), Just(&b"\0\xff"[..]), Just(&b"abc"[..])], 0..40)) {
        let whole = talk.concat();
        let single: Vec<&[u8]> = whole.chunks(1).collect();
        let follows = [Follows::Nothing, Follows::Message, Follows::List, Follows::Message, Follows::Lines];
        prop_assert_eq!(hear(&mut engine(&follows), &[&whole]), hear(&mut engine(&follows), &single));
    }
}
