use super::*;

/// Feeds `bytes` in pieces of `piece` and prints what came out.
fn frames(bytes: &[u8], piece: usize) -> Result<Vec<String>, ProtocolError> {
    let mut framer = Framer::new(Limits { response_bytes: 1000, search_bytes: 5000, ..Limits::default() });
    let mut out: Vec<String> = Vec::new();
    let mut body = Vec::new();
    for chunk in bytes.chunks(piece) {
        let mut rest = chunk;
        while !rest.is_empty() {
            let (used, step) = framer.step(rest)?;
            match step {
                Step::Partial => {}
                Step::BodyStart(n) => out.push(format!("body {n}")),
                Step::Body => body.extend_from_slice(&rest[..used]),
                Step::Done(line) => {
                    let literals: Vec<_> = line.literals.iter().map(|l| format!("{l:?}")).collect();
                    out.push(format!(
                        "{}|{}|{}",
                        String::from_utf8_lossy(&line.text),
                        literals.join(","),
                        String::from_utf8_lossy(&std::mem::take(&mut body))
                    ));
                }
            }
            rest = &rest[used..];
        }
    }
    Ok(out)
}

fn both_ways(bytes: &[u8]) -> Vec<String> {
    let whole = frames(bytes, usize::MAX).unwrap();
    for piece in 1..7 {
        assert_eq!(frames(bytes, piece).unwrap(), whole, "in pieces of {piece}");
    }
    whole
}

#[test]
fn a_body_is_streamed_and_other_literals_are_kept() {
    let got = both_ways(
        b"* 1 FETCH (BODY[] {5}\r\nhel\nl UID 7)\r\n* LIST () \"/\" {3}\r\na\r\n\r\nL1 OK done\r\n",
    );
    assert_eq!(
        got,
        [
            "body 5",
            "* 1 FETCH (BODY[]  UID 7)|(18, Streamed(5))|hel\nl",
            "* LIST () \"/\" |(14, Kept([97, 13, 10]))|",
            "L1 OK done||",
        ]
    );
}

#[test]
fn empty_literals_do_not_wait_for_bytes() {
    assert_eq!(both_ways(b"* 1 FETCH (BODY[] {0}\r\n UID 7)\r\n")[0], "body 0");
    assert_eq!(both_ways(b"* LIST () \"/\" {0}\r\n\r\n"), ["* LIST () \"/\" |(14, Kept([]))|"]);
}

#[test]
fn odd_spellings_of_a_literal_are_literals() {
    assert_eq!(
        both_ways(b"* 1 FETCH (BODY[]{1+}\r\nx)\n"),
        ["body 1", "* 1 FETCH (BODY[])|(17, Streamed(1))|x"]
    );
    assert_eq!(both_ways(b"* 1 fetch (binary[] ~{1}\r\nx)\n")[0], "body 1");
    assert_eq!(both_ways(b"* 1 FETCH (RFC822 {1}\r\nx)\n")[0], "body 1");
}

#[test]
fn words_for_people_carry_no_literal() {
    for line in [
        "* OK see {5}",
        "+ go {5}",
        "L1 NO bad name {5}",
        "* BYE ({5}",
        "* LIST () \"/\" odd{5}",
        "* LIST () \"/\" {x}",
    ] {
        assert_eq!(both_ways(format!("{line}\r\n").as_bytes()), [format!("{line}||")]);
    }
}

#[test]
fn what_is_held_has_a_limit_and_what_is_streamed_has_none() {
    let long = [b"* OK ".as_slice(), &[b'x'; 2000]].concat();
    assert_eq!(frames(&long, 100), Err(ProtocolError::TooLong(1000)));
    assert_eq!(frames(b"* LIST () \"/\" {4294967295}\r\n", 100), Err(ProtocolError::TooLong(1000)));
    assert_eq!(frames(b"* 1 FETCH (BODY[] {4294967295}\r\nabc", 100).unwrap(), ["body 4294967295"]);
    assert!(frames(b"* 1 FETCH (BODY[] {99999999999999999999}\r\n", 100).is_err());
    let uids = [b"* SEARCH".as_slice(), &b" 12".repeat(1000), b"\r\n"].concat();
    assert_eq!(frames(&uids, 100).unwrap().len(), 1);
    assert_eq!(frames(&uids.repeat(2)[..6000], 100).unwrap().len(), 1);
}
