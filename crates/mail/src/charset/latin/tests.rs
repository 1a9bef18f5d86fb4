//! A small fair evaluation: sentences of business mail in six languages and more, whole and cut to a few
//! words, in the charset their programs write, under the labels they are seen with.

use crate::charset::{Hint, decode};
use encoding_rs::{Encoding, ISO_8859_2, WINDOWS_1250, WINDOWS_1252};

const CZECH: &[&str] = &[
    "Dobrý den, v příloze posílám nabídku na dřevěné obaly, jak jsme se domluvili.",
    "Prosíme o zaslání objednávky číslo šest do konce týdne, děkujeme.",
    "Účtárna",
    "Žádost o nabídku",
    "Poptávka na ocelové trubky",
    "Potvrzení objednávky",
    "Změna termínu dodání",
    "Reklamace zboží: poškozená přepravka",
    "Těšíme se na další spolupráci.",
    "Vážený pane řediteli, faktura byla uhrazena včera odpoledne.",
    "Výpověď smlouvy",
    "Upomínka č. 2",
    "Jiří Dvořák",
    "Zuzana Křížová",
    "Omlouváme se za zpoždění, kůň je už na cestě.",
];
const SLOVAK: &[&str] = &[
    "Dobrý deň, v prílohe posielam cenovú ponuku podľa dohody.",
    "Ďakujeme za vašu objednávku, tovar odošleme zajtra.",
    "Žiadosť o cenovú ponuku",
    "Potvrdenie prijatia platby",
    "Zmena termínu školenia",
    "Účtovníctvo",
    "Ľubomír Šťastný",
    "Prosíme o doručenie tovaru na adresu skladu v Košiciach.",
    "Môžeme sa stretnúť vo štvrtok?",
];
const POLISH: &[&str] = &[
    "Dzień dobry, w załączeniu przesyłam fakturę za usługi w październiku.",
    "Prosimy o potwierdzenie zamówienia do końca tygodnia.",
    "Zapytanie ofertowe",
    "Księgowość",
    "Reklamacja dostawy",
    "Dziękuję za wiadomość, odpowiem jutro.",
    "Łukasz Wójcik",
    "Zmiana terminu płatności",
    "Są jeszcze wolne miejsca",
    "Proszę o wycenę ośmiu sztuk, bez pośpiechu.",
    "Żółć",
];
const GERMAN: &[&str] = &[
    "Sehr geehrte Damen und Herren, für Ihre Rückfrage stehen wir gern zur Verfügung.",
    "Größe und Gewähr",
    "Müller & Söhne grüßen",
    "Wir können Ihnen 5 m³ für 20 € anbieten, zzgl. Maut.",
    "Bestätigung für René Lefèvre",
    "Änderung der Öffnungszeiten",
    "Übergabe in Zürich und Genève",
];
const FRENCH: &[&str] = &[
    "Bonjour, merci pour votre réponse très rapide, à bientôt.",
    "Déjà reçu à l'hôtel, coût très élevé",
    "La façade est terminée, le chèque a été envoyé.",
    "Où êtes-vous, chère Hélène ?",
    "Été à Noël",
    "Très bien",
    "Problème d'accès à l'entrepôt n° 5",
    "À l'attention de François",
    "Modèle",
    "Père et mère",
];
const OTHERS: &[&str] = &[
    "È già arrivato, perché non c'è più?",
    "Città e qualità",
    "Señor Núñez, ¿cuándo llegará el camión?",
    "Atenção: a reunião não será amanhã.",
    "Vi ønsker å gjøre det på lørdag.",
    "Hälsningar från Malmö på måndag",
    "A café in Zürich, naïve",
    "Ik heb één vraag over de coördinatie.",
    "£5 per m², 20 °C ± 2 °C",
    "½ Liter",
];

fn encoded(text: &str, charset: &'static Encoding) -> Vec<u8> {
    let (bytes, _, unmappable) = charset.encode(text);
    assert!(!unmappable, "{text}");
    bytes.into_owned()
}

/// How many of the texts are read right, and those that are not.
fn right(texts: &[&str], charset: &'static Encoding, label: &str, tld: &str) -> (usize, Vec<String>) {
    let hint = Hint {
        label: (!label.is_empty()).then_some(label),
        tld: (!tld.is_empty()).then_some(tld),
        letter: None,
    };
    let read = |text: &&str| (decode(&encoded(text, charset), hint).0.into_owned(), (*text).to_owned());
    let wrong: Vec<String> =
        texts.iter().map(read).filter(|(read, text)| read != text).map(|(read, _)| read).collect();
    (texts.len() - wrong.len(), wrong)
}

#[test]
fn b10_central_european_text_is_read_under_every_label_it_is_seen_with() {
    let (mut all, mut hits) = (0, 0);
    for (texts, tld) in [(CZECH, "cz"), (SLOVAK, "sk"), (POLISH, "pl")] {
        for charset in [WINDOWS_1250, ISO_8859_2] {
            for label in ["", "us-ascii", "iso-8859-1", "windows-1250", "iso-8859-2"] {
                let (found, wrong) = right(texts, charset, label, tld);
                (all, hits) = (all + texts.len(), hits + found);
                if !wrong.is_empty() {
                    println!("{} as {label:?} of .{tld}: {wrong:?}", charset.name());
                }
            }
        }
    }
    println!("central, with country: {hits}/{all}");
    assert!(hits * 100 >= all * 97, "{hits}/{all}");
}

#[test]
fn b10_central_european_text_of_a_generic_domain_is_read_when_nobody_names_its_charset() {
    let (mut all, mut hits) = (0, 0);
    for texts in [CZECH, SLOVAK, POLISH] {
        for label in ["", "us-ascii"] {
            let (found, wrong) = right(texts, WINDOWS_1250, label, "com");
            (all, hits) = (all + texts.len(), hits + found);
            if !wrong.is_empty() {
                println!("{label:?}: {wrong:?}");
            }
        }
    }
    println!("central, no country: {hits}/{all}");
    assert!(hits * 100 >= all * 93, "{hits}/{all}");
    // Whole sentences tell enough against a wrong label too.
    for text in ["Prosím o skøíò a pøíborník, dìkuji pøedem", "Dziêkujê za wiadomoœæ i pozdrawiam"]
    {
        let bytes = encoded(text, WINDOWS_1252);
        let hint = Hint { label: Some("iso-8859-1"), tld: Some("com"), letter: None };
        assert_ne!(decode(&bytes, hint).0, text);
    }
}

#[test]
fn b10_western_text_is_never_damaged_under_its_own_label() {
    for texts in [GERMAN, FRENCH, OTHERS] {
        for label in ["iso-8859-1", "windows-1252"] {
            for tld in ["", "com", "de", "fr", "cz", "pl"] {
                let (_, wrong) = right(texts, WINDOWS_1252, label, tld);
                assert!(wrong.is_empty(), "{label} of .{tld}: {wrong:?}");
            }
        }
    }
}

#[test]
fn b10_western_text_without_a_label_is_read() {
    let (mut all, mut hits) = (0, 0);
    for (texts, tld) in [(GERMAN, "de"), (FRENCH, "fr"), (OTHERS, "com"), (GERMAN, "com"), (FRENCH, "com")] {
        let (found, wrong) = right(texts, WINDOWS_1252, "", tld);
        (all, hits) = (all + texts.len(), hits + found);
        if !wrong.is_empty() {
            println!(".{tld}: {wrong:?}");
        }
    }
    println!("western, no label: {hits}/{all}");
    assert!(hits * 100 >= all * 93, "{hits}/{all}");
}

#[test]
fn b10_header_and_text_are_guessed_together() {
    let letter = |from: &str, label: &str, text: &str| {
        let head =
            format!("From: Ann <ann@{from}>\nSubject: Účtárna\nContent-Type: text/plain{label}\n\n{text}\n");
        crate::parse::parse(&encoded(&head, WINDOWS_1250))
    };
    for label in
        ["", "; charset=iso-8859-1", "; charset=windows-1250", "; charset=us-ascii", "; charset=utf-8"]
    {
        for from in ["a.example", "firma.cz", "firma.com"] {
            let read = letter(from, label, "Dobrý den, příští týden přijedeme pro zboží.");
            assert_eq!(
                (&*read.subject, read.text.trim()),
                ("Účtárna", "Dobrý den, příští týden přijedeme pro zboží."),
                "{label} {from}"
            );
        }
    }
    // A French text under a French header stays French.
    let head =
        "From: ann@a.example\nSubject: Été à Genève\nContent-Type: text/plain\n\nTrès bien, à bientôt.\n";
    let read = crate::parse::parse(&encoded(head, WINDOWS_1252));
    assert_eq!((&*read.subject, read.text.trim()), ("Été à Genève", "Très bien, à bientôt."));
}

#[test]
fn b10_utf_8_encoded_twice_is_turned_back_where_that_is_certain() {
    let twice = |text: &str| WINDOWS_1252.decode_without_bom_handling(text.as_bytes()).0.into_owned();
    for label in ["utf-8", ""] {
        let hint = Hint { label: (!label.is_empty()).then_some(label), ..Hint::default() };
        let text = "Příliš žluťoučký kůň";
        assert_eq!(decode(twice(text).as_bytes(), hint).0, text);
        // One sequence alone may be meant, and half a text is not touched.
        for text in ["PoptÃ¡vka", "Já píšu Ã¡ a Ã\u{AD}"] {
            assert_eq!(decode(text.as_bytes(), hint).0, text);
        }
    }
}
