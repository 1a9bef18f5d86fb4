use proptest::prelude::*;

use super::*;

const TALK: &[u8] = b"* OK [CAPABILITY IMAP4rev1] ready {5}\r\n\
* LIST (\\HasNoChildren) \"/\" {7}\r\nOdd\r\n\"x\r\n\
* 2 EXISTS\r\n\
* 1 FETCH (UID 1 FLAGS () BODY[] {12}\r\nFrom: ann\r\n\r)\r\n\
* 1 FETCH (FLAGS (\\Seen))\r\n\
* 2 FETCH (BODY[] {0}\r\n RFC822.SIZE 3 UID 2)\r\n\
* ESEARCH (TAG \"L1\") UID ALL 1:2\r\n\
L1 OK [READ-ONLY] done\r\n";

/// Everything a stream of bytes means, as text.
fn hear(engine: &mut Engine, pieces: &[&[u8]]) -> Vec<String> {
    let mut heard = Vec::new();
    let mut body = Vec::new();
    for piece in pieces {
        let mut rest = *piece;
        while !rest.is_empty() {
            match engine.step(rest) {
                Ok((used, event)) => {
                    match event {
                        Event::Nothing => {}
                        Event::Body => body.extend_from_slice(&rest[..used]),
                        Event::BodyStart(_) => body.clear(),
                        Event::Response(r) => heard.push(format!("{r:?} {body:?}")),
                    }
                    rest = &rest[used..];
                }
                Err(e) => {
                    heard.push(e.to_string());
                    return heard;
                }
            }
        }
    }
    heard
}

fn engine() -> Engine {
    let mut engine = Engine::new(Limits { response_bytes: 2000, ..Limits::default() }, false);
    engine.send(Command::new("NOOP"));
    engine
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
        prop_assert_eq!(hear(&mut engine(), &pieces), hear(&mut engine(), &[TALK]));
    }

    #[test]
    fn any_bytes_are_heard_without_panic_and_the_same_in_pieces(talk in prop::collection::vec(prop_oneof![
        Just(&b"* "[..]), Just(&b"\r\n"[..]), Just(&b"\n"[..]), Just(&b"1 FETCH ("[..]), Just(&b"BODY[] "[..]), Just(&b"{3}\r\n"[..]), Just(&b")"[..]), Just(&b"("[..]),
        Just(&b"UID 1 "[..]), Just(&b"\""[..]), Just(&b"LIST "[..]), Just(&b"OK ["[..]), Just(&b"L1 OK"[..]), Just(&b"+ "[..]), Just(&b"~{0+}\r\n"[..]), Just(&b"\0\xff"[..]), Just(&b"abc "[..]), Just(&b"ESEARCH ALL 1:"[..])], 0..40)) {
        let whole = talk.concat();
        let single: Vec<&[u8]> = whole.chunks(1).collect();
        prop_assert_eq!(hear(&mut engine(), &[&whole]), hear(&mut engine(), &single));
    }
}

#[test]
fn byte_by_byte_means_the_same() {
    let single: Vec<&[u8]> = TALK.chunks(1).collect();
    let heard = hear(&mut engine(), &single);
    assert_eq!(heard, hear(&mut engine(), &[TALK]));
    assert_eq!(heard.len(), 8, "{heard:#?}");
}

#[test]
fn a_literal_waits_for_its_turn_and_a_refused_one_is_never_sent() {
    let mut engine = Engine::new(Limits::default(), true);
    let append = |n: usize| Command::new("APPEND").string(b"INBOX").unwrap().message(vec![b'x'; n]);
    engine.send(append(3));
    engine.send(append(4));
    let out = |engine: &mut Engine| {
        std::iter::from_fn(|| engine.take_output()).flatten().map(char::from).collect::<String>()
    };
    assert_eq!(out(&mut engine), "L1 APPEND \"INBOX\" {3}\r\n");
    hear(&mut engine, &[b"+ go\r\n"]);
    assert_eq!(out(&mut engine), "xxx\r\nL2 APPEND \"INBOX\" {4}\r\n");
    hear(&mut engine, &[b"L1 OK\r\nL2 NO [OVERQUOTA] full\r\n"]);
    assert_eq!(out(&mut engine), "");
    assert!(engine.is_idle());
    let shown: Vec<_> = engine.take_transcript().into_iter().map(|(_, line)| line).collect();
    assert_eq!(shown[0], "L1 APPEND \"INBOX\" {3 bytes}");
}

#[test]
fn an_answer_to_no_command_is_an_error() {
    assert!(hear(&mut engine(), &[b"L9 OK what\r\n"])[0].contains("no response"));
}

#[test]
fn talk_without_end_is_an_error() {
    let mut engine = Engine::new(Limits { untagged_bytes: 10_000, ..Limits::default() }, false);
    let heard = hear(&mut engine, &[&b"* OK still here\r\n".repeat(1000)]);
    assert_eq!(heard.last().unwrap(), "more than 10000 bytes of responses nobody asked for");
}
