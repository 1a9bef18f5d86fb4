use super::*;
use proptest::prelude::*;

fn line(text: &str) -> Line {
    Line { text: text.as_bytes().to_vec(), literals: Vec::new() }
}

fn read(text: &str) -> Result<String, Unreadable> {
    Cursor::new(&line(text)).values(10).map(|values| print(&values))
}

fn print(values: &[Value<'_>]) -> String {
    let words: Vec<_> = values
        .iter()
        .map(|v| match v {
            Value::Nil => "nil".into(),
            Value::Atom(a) => String::from_utf8_lossy(a).into_owned(),
            Value::Text(t) => format!("'{}'", String::from_utf8_lossy(t)),
            Value::Streamed(n) => format!("<{n}>"),
            Value::List(l) => format!("({})", print(l)),
        })
        .collect();
    words.join(" ")
}

#[test]
fn bears_with_odd_grammar() {
    for (given, read_as) in [
        (r#"(UID 7 FLAGS (\Seen $odd[x y] a"b) )"#, r#"(UID 7 FLAGS (\Seen $odd[x y] a"b))"#),
        (r#"  (  nil NIL () "" )  "#, "(nil nil () '')"),
        (r#""a\"b\\c" "open"#, r#"'a"b\c' 'open'"#),
        (r#""a\"#, "'a'"),
        (r#""a\""#, "'a\"'"),
        (r#"BODY[HEADER.FIELDS (TO CC)]<0> "x""#, "BODY[HEADER.FIELDS (TO CC)]<0> 'x'"),
        ("[unclosed (a)", "[unclosed (a)"),
        ("", ""),
    ] {
        assert_eq!(read(given).as_deref(), Ok(read_as), "{given}");
    }
}

#[test]
fn nesting_has_a_limit_and_must_balance() {
    assert_eq!(read(&"(".repeat(1_000_000)), Err(Unreadable::TooDeep(10)));
    assert_eq!(read("((a)"), Err(Unreadable::Unbalanced));
    assert_eq!(read("a)"), Err(Unreadable::Unbalanced));
}

#[test]
fn literals_stand_where_they_were() {
    let line = Line {
        text: b"(A  B )".to_vec(),
        literals: vec![(3, Literal::Kept(b"one".to_vec())), (6, Literal::Streamed(0))],
    };
    assert_eq!(print(&Cursor::new(&line).values(5).unwrap()), "(A 'one' B <0>)");
}

proptest! {
    #[test]
    fn reading_never_fails_badly(text in prop::collection::vec(prop_oneof![Just(b'('), Just(b')'), Just(b'"'), Just(b'\\'), Just(b'['), Just(b']'), Just(b' '), any::<u8>()], 0..80), at in 0usize..80) {
        let at = at.min(text.len());
        let line = Line { text, literals: vec![(at, Literal::Streamed(3))] };
        let _ = Cursor::new(&line).values(10);
    }
}
