use super::*;

fn cards(text: &str) -> Table {
    assert!(is_one(text));
    table(text.replace('\n', "\r\n").as_bytes(), 100)
}

fn cell<'a>(table: &'a Table, row: usize, column: &str) -> &'a str {
    table.columns.iter().position(|name| name == column).map_or("", |at| table.rows[row][at].as_str())
}

#[test]
fn b5_vcard_4_with_folded_lines_groups_and_escapes_is_read() {
    let read = cards(
        "BEGIN:VCARD\nVERSION:4.0\nUID:urn:uuid:1\nFN:Žofie Dvořáčková\nN:Dvořáčková;Žofie;;;\n\
         item1.EMAIL;TYPE=work:zofie@firm.example\nEMAIL;PREF=1:z@home.example\nORG:Firma\\, s.r.o.;Sales\n\
         TEL;VALUE=uri;TYPE=\"voice,home\":tel:+420777123456\nADR;TYPE=work:;;Dlouhá 1;Praha;;11000;Czechia\n\
         NOTE:First line\\nsecond\\; lin\n e folded\nPHOTO:data:image/jpeg;base64,AAAA\nEND:VCARD\n",
    );
    let expected = [
        ("UID", "urn:uuid:1"),
        ("FN", "Žofie Dvořáčková"),
        ("N.given", "Žofie"),
        ("N.family", "Dvořáčková"),
        ("EMAIL", "zofie@firm.example\nz@home.example"),
        ("ORG", "Firma, s.r.o."),
        ("TEL", "+420777123456"),
        ("ADR", "Dlouhá 1, Praha, 11000, Czechia"),
        ("NOTE", "First line\nsecond; line folded"),
    ];
    for (column, value) in expected {
        assert_eq!(cell(&read, 0, column), value, "{column}");
    }
    assert_eq!(read.columns.len(), expected.len(), "{:?}", read.columns);
}

#[test]
fn b5_vcard_2_1_with_quoted_printable_and_a_charset_is_read() {
    let read = cards(
        "BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C5=A0=C5=A5astn=C3=BD;Tom=C3=\n=A1=C5=A1\n\
         TEL;CELL:777 1\nTEL;WORK:777 2\nEMAIL;INTERNET:tomas@firm.example\n\
         NOTE;CHARSET=windows-1250;QUOTED-PRINTABLE:=8Elu=9Dou=E8k=FD =3D k=F9=F2\nEND:VCARD\n",
    );
    assert_eq!(cell(&read, 0, "FN"), "Tomáš Šťastný");
    assert_eq!(cell(&read, 0, "TEL"), "777 1\n777 2");
    assert_eq!(cell(&read, 0, "NOTE"), "Žluťoučký = kůň");
}

#[test]
fn b5_several_cards_in_a_file_are_several_rows() {
    let card =
        |name: &str| format!("begin:vcard\nversion:3.0\nfn:{name}\nemail:{name}@x.example\nend:vcard\n");
    let read = cards(&["ann", "ben", "carla"].map(card).concat());
    let names: Vec<&str> = (0..read.rows.len()).map(|at| cell(&read, at, "FN")).collect();
    assert_eq!(names, ["ann", "ben", "carla"]);
}

#[test]
fn b5_a_card_without_a_name_has_its_company_or_address() {
    let read = cards("BEGIN:VCARD\nORG:Acme;\nEND:VCARD\nBEGIN:VCARD\nEMAIL:a@x.example\nEND:VCARD\n");
    assert_eq!((cell(&read, 0, "FN"), cell(&read, 1, "FN")), ("Acme", "a@x.example"));
}

#[test]
fn b5_broken_cards_end_nothing() {
    for text in [
        "BEGIN:VCARD",
        "BEGIN:VCARD\n:\n;\n=\nN\nEND:VCARD",
        "BEGIN:VCARD\nN;QUOTED-PRINTABLE:=\n=\n=4\nEND:VCARD\n",
        "BEGIN:VCARD\nFN:x\\",
    ] {
        let _ = cards(text);
    }
    let long = format!("BEGIN:VCARD\nFN:x\nPHOTO:{}\nEND:VCARD\n", "AAAA\n ".repeat(100_000));
    assert_eq!(cards(&long).rows, [["x"]]);
}
