use super::*;

fn letter(text: &str) -> Letter {
    let head = "From: Web <web@acme.example>\r\nReply-To: Jan Novak <Jan@Firm.example>\r\nSubject: Contact form\r\n\
                Content-Type: text/plain; charset=utf-8\r\n\r\n";
    mail::parse::parse(format!("{head}{}", text.replace('\n', "\r\n")).as_bytes())
}

fn mapping() -> FormMapping {
    FormMapping {
        name: vec!["Jméno".into(), "Příjmení".into()],
        address: "E-mail".into(),
        account: "Firma".into(),
        fields: vec![("Phone".into(), "Telefon".into()), ("Message".into(), "Zpráva".into())],
    }
}

fn expected() -> Form {
    Form {
        name: "Jan Novák".into(),
        address: "jan@firm.example".into(),
        account: "Firma s.r.o.".into(),
        fields: vec![
            ("Phone".into(), "+420 777 123 456".into()),
            ("Message".into(), "Dobrý den,\nkolik stojí lampa?".into()),
        ],
    }
}

#[test]
fn c4_values_beside_their_labels_are_read() {
    let text = "Nová zpráva z webu\n\nJméno: Jan\nPříjmení: Novák\nE-mail: Jan@Firm.example\nFirma: Firma s.r.o.\n\
                Telefon: +420 777 123 456\nZpráva: Dobrý den,\nkolik stojí lampa?\n\nOdesláno z webu acme.example";
    assert_eq!(read(&letter(text), &mapping()), expected());
}

#[test]
fn c4_labels_with_equals_signs_stars_and_other_case_are_the_same() {
    let text = "* JMENO = Jan\n* Prijmeni = Novák\n**E-mail** = <mailto:jan@firm.example>\n- firma = Firma s.r.o.\n\
                telefon=+420 777 123 456\nZPRÁVA = Dobrý den,\nkolik stojí lampa?\n-- \nFirma: another one";
    assert_eq!(read(&letter(text), &mapping()), expected());
}

#[test]
fn c4_values_below_their_labels_are_read_up_to_the_next_label() {
    let text = "Jméno\nJan\n\nPříjmení:\nNovák\n\nE-mail\njan@firm.example\n\nFirma\nFirma s.r.o.\n\n\
                Zpráva\n\nDobrý den,\nkolik stojí lampa?\n\nTelefon\n+420 777 123 456\n\nStránka: https://acme.example/contact";
    assert_eq!(read(&letter(text), &mapping()), expected());
}

#[test]
fn c4_cells_of_a_table_are_read() {
    let html = "<table><tr><th>Jméno</th><td>Jan</td></tr><tr><th>Příjmení</th><td>Novák</td></tr>\
                <tr><td>E-mail</td><td><a href='mailto:jan@firm.example'>jan@firm.example</a></td></tr>\
                <tr><td>Firma</td><td>Firma s.r.o.</td></tr><tr><td>Telefon</td><td>+420 777 123 456</td></tr>\
                <tr><td>Zpráva</td><td>Dobrý den,<br>kolik stojí lampa?</td></tr></table>";
    let raw = format!("From: web@acme.example\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}");
    assert_eq!(read(&mail::parse::parse(raw.as_bytes()), &mapping()), expected());
}

#[test]
fn c4_the_html_is_read_where_the_plain_part_says_nothing() {
    let raw = "From: web@acme.example\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\
               Content-Type: text/plain\r\n\r\nSee the HTML part.\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
               <p>Jméno: Jan</p><p>E-mail: jan@firm.example</p>\r\n--b--\r\n";
    let form = read(&mail::parse::parse(raw.as_bytes()), &mapping());
    assert_eq!((form.name.as_str(), form.address.as_str()), ("Jan", "jan@firm.example"));
}

#[test]
fn c4_header_and_body_stand_for_values_too() {
    let mapping = FormMapping {
        name: vec!["@reply_to".into()],
        address: "@reply_to".into(),
        account: String::new(),
        fields: vec![
            ("About".into(), "@subject".into()),
            ("Text".into(), "@body".into()),
            ("Sent by".into(), "@from".into()),
        ],
    };
    let form = read(&letter("Hello,\n\na lamp please."), &mapping);
    let fields = [
        ("About", "Contact form"),
        ("Text", "Hello,\n\na lamp please."),
        ("Sent by", "Web <web@acme.example>"),
    ];
    assert_eq!((form.name.as_str(), form.address.as_str()), ("Jan Novak", "jan@firm.example"));
    assert_eq!(form.fields, fields.map(|(label, value)| (label.to_owned(), value.to_owned())));
}

#[test]
fn c4_a_mail_without_the_labels_gives_nothing() {
    assert_eq!(read(&letter("Hello, this is no form at 10:30: really."), &mapping()), Form::default());
    assert_eq!(read(&letter("E-mail: none\nJméno:\n"), &mapping()), Form::default());
    assert_eq!(read(&letter(&":=\t\n".repeat(20_000)), &mapping()), Form::default());
}
