use std::path::PathBuf;
use std::time::Instant;

use proptest::strategy::Strategy;

use super::{Kind, parts, reply_text};

fn check(text: &str, reply: &str) {
    assert_eq!(reply_text(text), reply, "{text}");
}

#[test]
fn attributions_of_many_clients_begin_the_quote() {
    for attribution in [
        "On Mon, May 3, 2021 at 10:00 AM Ann Example <ann@a.example> wrote:",
        "On Mon, May 3, 2021 at 10:00 AM Ann Example <\nann@a.example> wrote:",
        "On 3 May 2021,\nat 10:00,\nAnn <ann@a.example> wrote:",
        "Dne 3. 5. 2021 v 10:00 Ann Příkladová napsal(a):",
        "po 3. 5. 2021 v 10:00 odesílatel Ann <ann@a.example> napsal:",
        "Dňa 3. 5. 2021 o 10:00 Ann napísala:",
        "ut 3. 5. 2021 o 10:00 Ann <ann@a.example> napísal(a):",
        "W dniu 3.05.2021 o 10:00, Ann pisze:",
        "pon., 3 maj 2021 o 10:00 Ann <ann@a.example> napisał(a):",
        "Am 03.05.2021 um 10:00 schrieb Ann Beispiel <ann@a.example>:",
        "Am Mo., 3. Mai 2021 um 10:00 Uhr schrieb Ann <ann@a.example>:",
        "Le lun. 3 mai 2021 à 10:00, Ann <ann@a.example> a écrit :",
        "El lun, 3 may 2021 a las 10:00, Ann (<ann@a.example>) escribió:",
        "Il giorno lun 3 mag 2021 alle ore 10:00 Ann <ann@a.example> ha scritto:",
        "Op ma 3 mei 2021 om 10:00 schreef Ann <ann@a.example>:",
        "Den mån 3 maj 2021 kl 10:00 skrev Ann <ann@a.example>:",
        "Em seg., 3 de mai. de 2021 às 10:00, Ann <ann@a.example> escreveu:",
        "Quoting Ann <ann@a.example>:",
        "2021-05-03 10:00 GMT+02:00 Ann <ann@a.example>:",
        "3. 5. 2021 v 10:00, Ann <ann@a.example>:",
        "Wiadomość napisana przez Ann <ann@a.example> w dniu 3 maj 2021, o godz. 10:00:",
        "--- On Mon, 5/3/21, Ann <ann@a.example> wrote:",
        "-----Original Message-----",
        "-----Původní zpráva-----",
        "---------- Přeposlaná zpráva ---------",
        "W dniu 2021-05-03 10:00:00 użytkownik Ann <ann@a.example> napisał:",
        "Dnia 3 maja 2021 10:00 Ann <ann@a.example> napisał(a):",
        "Dňa 3. 5. 2021 o 10:00 používateľ Ann <ann@a.example> napísal:",
        "pá 3. 5. 2021 v 10:00 odesílatel Ann Nováková <ann@a.example> napsal:",
        "Am 3. Mai 2021 10:00:00 MESZ schrieb Ann <ann@a.example>:",
        "---------- Původní e-mail ----------\nOd: Ann <ann@a.example>\nKomu: ben@b.example\nDatum: 3. 5. 2021 10:00:00\nPředmět: x",
        "Od: \"Ann\" <ann@a.example>\nDo: ben@b.example;\nWysłane: 10:00 Poniedziałek 2021-05-03\nTemat: x",
        "________________________________\nOd: Ann <ann@a.example>\nOdoslané: pondelok 3. mája 2021 10:00\nKomu: ben@b.example\nPredmet: x",
        "Od: Ann <ann@a.example>\nOdesláno: pondělí 3. května 2021 10:00\nKomu: ben@b.example\nPředmět: Faktura",
        "Od: Ann\nOdoslané: 3. mája 2021\nKomu: Ben\nPredmet: Faktúra",
        "Od: Ann\n\nWysłano: 3 maja 2021\n\nDo: Ben\n\nTemat: Faktura",
        "________________________________\nVon: Ann\nGesendet: Montag, 3. Mai 2021\nAn: Ben\nBetreff: Rechnung",
        "*From:* Ann [mailto:ann@a.example]\n*Sent:* Monday\n*To:* Ben\n*Subject:* x",
    ] {
        check(&format!("Ano, prosím.\n\n{attribution}\n\n> jak to bude?\n"), "Ano, prosím.");
        check(&format!("Ano, prosím.\n\n{attribution}\n\njak to bude?\n\nAnn\n"), "Ano, prosím.");
    }
}

#[test]
fn weak_attributions_need_marked_quotes() {
    for weak in ["2021/5/3 Ann <ann@a.example>", "Ann wrote:", "Ann schrieb am 3.5.2021 um 10:00:"] {
        check(&format!("Yes.\n\n{weak}\n\n> so?"), "Yes.");
        check(&format!("Yes.\n\n{weak}\n\nand more"), &format!("Yes.\n\n{weak}\n\nand more"));
    }
    check("Ano\n______________________________\n> Od: Ann\n> Komu: Ben\n>\n> x", "Ano");
}

#[test]
fn quotes_of_html_mail_are_split() {
    for html in [
        "<div dir=ltr>Ano<div><br></div></div><div class=gmail_quote><div class=gmail_attr>po 3. 5. 2021 v&nbsp;10:00 odesílatel Ann &lt;<a href='mailto:ann@a.example'>ann@a.example</a>&gt; napsal:<br></div><blockquote class=gmail_quote>jak?</blockquote></div>",
        "<p class=MsoNormal>Ano</p><div><div style='border-top:solid #E1E1E1 1.0pt'><p class=MsoNormal><b>Od:</b> Ann &lt;ann@a.example&gt; <br><b>Odesláno:</b> pondělí 3. května 2021<br><b>Komu:</b> Ben<br><b>Předmět:</b> x</p></div></div><p>jak?</p>",
        "<div>Ano</div><div id=appendonsend></div><hr><div id=divRplyFwdMsg><b>From:</b> Ann<br><b>Sent:</b> Monday<br><b>To:</b> Ben<br><b>Subject:</b> x</div><div>jak?</div>",
        "<div>Ano<br><blockquote type=cite><div>On 3 May 2021, at 10:00, Ann &lt;ann@a.example&gt; wrote:</div><br><div>jak?</div></blockquote></div>",
        "<p>Ano</p><div class=moz-cite-prefix>Dne 03. 05. 21 v 10:00 Ann napsal(a):<br></div><blockquote type=cite cite='mid:x'>jak?<br></blockquote>",
        "<div>Ano</div><aside>---------- Původní e-mail ----------<br>Od: Ann &lt;ann@a.example&gt;<br>Komu: ben<br>Datum: 3. 5. 2021 10:00:00<br>Předmět: x</aside><br><div>jak?</div>",
    ] {
        check(&crate::html::to_text(html), "Ano");
    }
}

#[test]
fn answers_between_quotes_are_the_writers() {
    check(
        "Hi,\n\nAnn wrote:\n> Monday?\n\nNo.\n\n> Tuesday?\nYes.\n>\n> Bye\n\nBen",
        "Hi,\n\nNo.\nYes.\nBen",
    );
}

#[test]
fn the_rest_of_a_wrapped_quote_is_a_quote() {
    let quote =
        "> this is a rather long line that the client of the sender has wrapped at\nsome column\n> and more";
    check(&format!("Yes\n{quote}"), "Yes");
    check(
        "> this is a rather long question of the customer, is it not at all so?\nyes it is\n> and more",
        "yes it is",
    );
}

#[test]
fn signatures_are_set_apart() {
    check("Hello\n\n-- \nAnn\n+420 1", "Hello");
    check("Hello\n--\nAnn\n\nOn 3.5.2021 Ben <b@b.example> wrote:\n> x\n\nPS", "Hello\nPS");
    check("Ahoj\n\nOdesláno z iPhonu\n\nDne 3. 5. 2021 v 10:00 Ann napsal(a):\nx", "Ahoj");
    check("Hi\n\nSent from my phone\n\nP.S. Call me.", "Hi\n\nP.S. Call me.");
    let marks: Vec<Kind> = parts("Hi\n-- \nAnn\n> q").iter().map(|p| p.kind).collect();
    assert_eq!(marks, [Kind::Reply, Kind::Signature, Kind::Quote]);
}

#[test]
fn the_writers_own_words_are_kept() {
    for text in [
        "On the other hand:\n\nOn average this works.",
        "From: Prague\nTo: Brno\nDate: 3 May 2021\n\nPlease book it.",
        "Jméno: Ann\nOd: Ann <ann@a.example>\nPředmět: poptávka\nZpráva: dobrý den",
        "We agreed on 3.5.2021 as you wrote:\n\nthe price is 100.",
        "Sent from my desk, this is easier to read.\n\nBye",
        "Points:\n-- first\n-- second\n\n----\n\nmore",
        "Kontakt: ann@a.example, tel. 10:30-12:00:\n\ntext",
        "Best regards,\nAnn",
    ] {
        check(text, text);
    }
    let long = format!("Above\n--\n{}", "a line of the letter\n".repeat(40));
    check(&long, long.trim_end());
}

#[test]
fn parts_cover_the_text() {
    for text in ["", "a", "\n\n", "a\r\n> b\r\n\r\n-- \r\nc", "> a\n", "On 3.5.2021 a@b.example wrote:"] {
        let mut at = 0;
        for part in parts(text) {
            assert_eq!(part.range.start, at);
            at = part.range.end;
        }
        assert_eq!(at, text.len());
    }
}

#[test]
fn hostile_text_takes_linear_time() {
    let texts = [
        ">\n".repeat(300_000),
        "--\n".repeat(200_000),
        "From: a@b.example\n".repeat(50_000),
        "On 3.5.2021\n".repeat(100_000),
        "wrote:\n".repeat(100_000),
        "__\n".repeat(200_000),
        "a ".repeat(1_000_000),
        "On ".repeat(400_000) + "wrote:",
        "@".repeat(1_000_000),
        "<".repeat(1_000_000),
        "Sent from my x\n\n".repeat(60_000),
        "x\n".repeat(300_000) + "On 3.5.2021 a@b.example wrote:\n",
    ];
    for text in texts {
        let started = Instant::now();
        let _ = reply_text(&text);
        let took = started.elapsed();
        println!("{took:?} for {:?}…", &text[..20]);
        // Some seconds, twenty on a busy machine; quadratic time would be an hour.
        assert!(took.as_secs() < 200, "{took:?} for {:?}…", &text[..20]);
    }
}

/// Where a corpus item's expectation was not met.
#[derive(Default)]
struct Score {
    items: usize,
    lost_words: Vec<String>,
    not_exact: Vec<String>,
}

fn words(text: &str) -> Vec<String> {
    // Wide blanks are above U+2000 too, and blanks around a reply go.
    let is_break = |c: char| c.is_whitespace() || !(c.is_alphanumeric() || c > '\u{2000}');
    text.split(is_break).filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

/// The words of `part` in `whole`, in order.
fn holds(whole: &[String], part: &[String]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|w| whole.any(|x| x == w))
}

impl Score {
    fn item(&mut self, id: &str, input: &str, expect: &serde_json::Value) {
        self.items += 1;
        let reply = reply_text(input);
        let got = words(&reply);
        let strings = |v: &serde_json::Value| -> Vec<String> {
            let list = v.as_array().cloned().unwrap_or_default();
            list.iter().map(|s| s.as_str().unwrap().to_owned()).collect()
        };
        let mut must: Vec<Vec<String>> = Vec::new();
        let mut exact: Option<Vec<String>> = None;
        if let Some(text) = expect["reply_starts_with"].as_str() {
            must.push(words(text));
            if text.starts_with("Fusce bibendum") {
                exact = Some(words(text));
            }
        }
        if let Some(text) = expect["reply_text"].as_str() {
            must.push(words(text));
            exact = Some(words(text));
        }
        if expect["reply_words"].is_array() {
            let list = strings(&expect["reply_words"]);
            must.push(list.clone());
            exact = Some(list);
        }
        if expect["nothing_removed"] == true {
            must.push(words(input));
        }
        must.extend(strings(&expect["reply_contains"]).iter().map(|s| words(s)));
        if !must.iter().all(|part| holds(&got, part)) {
            self.lost_words.push(format!("{id}: {reply}"));
        }
        let kept_quote = strings(&expect["reply_not_contains"]).iter().any(|s| reply.contains(s));
        if exact.is_some_and(|e| e != got) || kept_quote {
            self.not_exact.push(format!("{id}: {reply}"));
        }
    }
}

#[test]
fn b9_replies_of_the_corpora_are_split() {
    let root = std::env::var_os("LETTERCASE_CORPORA")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"));
    if !root.is_dir() {
        println!("skipped: no corpora at {}", root.display());
        return;
    }
    let mut score = Score::default();
    for set in ["crisp", "github", "quotequail", "willdurand", "zapier"] {
        let json = std::fs::read(root.join(format!("expected/reply-{set}.json"))).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        for item in json["items"].as_array().unwrap() {
            let read = |file: &serde_json::Value| {
                String::from_utf8_lossy(&std::fs::read(root.join(file.as_str().unwrap())).unwrap())
                    .into_owned()
            };
            let mut input = item["input"].as_str().map_or_else(|| read(&item["file"]), str::to_owned);
            if item["input_kind"] == "text/html" {
                input = crate::html::to_text(&input);
            }
            score.item(&format!("{set} {}", item["id"]), &input, &item["expect"]);
        }
    }
    println!(
        "replies: {} items, {} lost words, {} not exact\nLOST {:#?}\nINEXACT {:#?}",
        score.items,
        score.lost_words.len(),
        score.not_exact.len(),
        score.lost_words,
        score.not_exact
    );
    let items = score.items;
    println!("score replies, no word lost: {}/{items}", items - score.lost_words.len());
    println!("score replies, exact: {}/{items}", items - score.not_exact.len());
    assert_eq!(score.lost_words.len(), 0);
    assert!(score.not_exact.len() <= 2);
}

proptest::proptest! {
    #[test]
    fn any_text_is_covered_by_its_parts(pieces in proptest::collection::vec(
        proptest::prop_oneof![
            proptest::sample::select(vec![
                "\n", "\r\n", "> ", ">", "-- \n", "On 3.5.2021 ", "wrote:", " <a@b.example>", "From: ", "Od:", "Sent: x\n",
                "Subject: ž\n", "-----Original Message-----", "Sent from my ", "____________________________\n", ":", "á", "\u{200b}",
            ]).prop_map(str::to_owned),
            "\\PC{0,8}",
        ],
        0..40,
    )) {
        let text = pieces.concat();
        let mut at = 0;
        for part in parts(&text) {
            proptest::prop_assert_eq!(part.range.start, at);
            at = part.range.end;
        }
        proptest::prop_assert_eq!(at, text.len());
        // Nothing is made up: every word of the reply is a word of the text.
        let all = words(&text);
        proptest::prop_assert!(words(&reply_text(&text)).iter().all(|w| all.contains(w)));
    }
}
