use super::*;

fn table(bytes: &[u8]) -> Table {
    read(bytes).unwrap()
}

#[test]
fn b5_csv_with_quotes_newlines_and_missing_cells_is_read() {
    let file =
        "Name,E-mail,Note\r\n\"Ann \"\"A\"\" Ash\",ann@x.example,\"two\r\nlines, one cell\"\r\n\r\nBen\r\n";
    let read = table(file.as_bytes());
    assert_eq!(read.columns, ["Name", "E-mail", "Note"]);
    assert_eq!(read.rows[0], ["Ann \"A\" Ash", "ann@x.example", "two\r\nlines, one cell"]);
    assert_eq!(read.rows[1], ["Ben", "", ""]);
    assert_eq!(read.rows.len(), 2, "an empty line is no row");
}

#[test]
fn b5_semicolons_tabs_and_what_excel_says_separate_cells() {
    for file in ["Jméno;Firma\nAnn;A, B\n", "Jméno\tFirma\nAnn\tA, B\n", "sep=|\r\nJméno|Firma\nAnn|A, B\n"]
    {
        let read = table(file.as_bytes());
        assert_eq!(
            (&read.columns[..], &read.rows[0][..]),
            (&["Jméno".to_owned(), "Firma".to_owned()][..], &["Ann".to_owned(), "A, B".to_owned()][..]),
            "{file}"
        );
    }
}

#[test]
fn b5_the_charset_is_found() {
    let text = "Jméno;Město\r\nŽofie Dvořáčková;Říčany u Prahy\r\nTomáš Šťastný;Plzeň\r\n";
    let wide = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let with = |mark: &[u8], bytes: Vec<u8>| [mark, &bytes[..]].concat();
    let windows_1250: Vec<u8> = text.chars().map(in_windows_1250).collect();
    let files = [
        text.as_bytes().to_vec(),
        with(b"\xef\xbb\xbf", text.into()),
        with(b"\xff\xfe", wide(u16::to_le_bytes)),
        with(b"\xfe\xff", wide(u16::to_be_bytes)),
        windows_1250,
    ];
    for (at, file) in files.iter().enumerate() {
        let read = table(file);
        assert_eq!(read.columns, ["Jméno", "Město"], "file {at}");
        assert_eq!(read.rows[0], ["Žofie Dvořáčková", "Říčany u Prahy"], "file {at}");
    }
}

fn in_windows_1250(c: char) -> u8 {
    let foreign = [
        ('é', 0xe9),
        ('ě', 0xec),
        ('Ž', 0x8e),
        ('ř', 0xf8),
        ('á', 0xe1),
        ('č', 0xe8),
        ('Ř', 0xd8),
        ('í', 0xed),
        ('š', 0x9a),
        ('Š', 0x8a),
        ('ť', 0x9d),
        ('ý', 0xfd),
        ('ň', 0xf2),
    ];
    foreign
        .iter()
        .find(|(letter, _)| *letter == c)
        .map_or_else(|| u8::try_from(c).unwrap(), |(_, byte)| *byte)
}

#[test]
fn b5_what_is_no_list_is_refused_in_words() {
    for file in [&b""[..], b"Name,E-mail\n", b"\n\n"] {
        assert!(matches!(read(file), Err(Refusal::Invalid { code: "empty_file", .. })));
    }
    let many = "a\n".repeat(MOST_ROWS + 2);
    assert!(matches!(read(many.as_bytes()), Err(Refusal::Invalid { code: "too_many", .. })));
    let wide = format!("{}\nx\n", ",".repeat(MOST_COLUMNS + 1));
    assert!(matches!(read(wide.as_bytes()), Err(Refusal::Invalid { code: "too_many", .. })));
    assert!(matches!(read(&vec![b'a'; LARGEST_FILE + 1]), Err(Refusal::Invalid { code: "too_long", .. })));
}
