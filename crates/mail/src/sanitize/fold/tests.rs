use super::super::{Images, folded, safe};
use proptest::strategy::Strategy;

const BLOCKED: Images<'_> = Images::Blocked { inline: "/i/" };

/// What is folded and what is not, as text.
fn split(html: &str) -> (String, Vec<String>) {
    let out = folded(html, BLOCKED).html;
    let (mut shown, mut hidden) = (String::new(), Vec::new());
    let mut rest = out.as_str();
    while let Some((before, after)) = rest.split_once(super::OPEN) {
        shown.push_str(before);
        let (inside, behind) = after.split_once(super::CLOSE).unwrap();
        hidden.push(words(inside));
        rest = behind;
    }
    shown.push_str(rest);
    (words(&shown), hidden)
}

/// All texts, one behind the other.
fn texts(html: &str) -> String {
    let texts = super::events(html).into_iter().filter(|event| event.kind == super::EventKind::Text);
    texts.map(|event| &html[event.range]).collect()
}

fn words(html: &str) -> String {
    crate::html::to_text(html).replace("> ", "").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn b9_quotes_of_html_mail_are_folded_whatever_client_wrote_them() {
    for (html, quote) in [
        (
            "<div dir=ltr>Ano<div><br></div></div><div class=gmail_quote><div class=gmail_attr>po 3. 5. 2021 v&nbsp;10:00 odesílatel Ann &lt;<a href='mailto:ann@a.example'>ann@a.example</a>&gt; napsal:<br></div><blockquote class=gmail_quote>jak?</blockquote></div>",
            "po 3. 5. 2021",
        ),
        (
            "<p class=MsoNormal>Ano</p><div><div style='border:none;border-top:solid #E1E1E1 1.0pt'><p class=MsoNormal><b>Od:</b> Ann &lt;ann@a.example&gt; <br><b>Odesláno:</b> pondělí 3. května 2021<br><b>Komu:</b> Ben<br><b>Předmět:</b> x</p></div></div><p>jak?</p>",
            "Od: Ann",
        ),
        (
            "<p>Ano</p><div><p><b>Von:</b> Ann<br><b>Gesendet:</b> Montag, 3. Mai 2021<br><b>An:</b> Ben<br><b>Betreff:</b> x</p></div><p>jak?</p>",
            "Von: Ann",
        ),
        (
            "<div>Ano</div><div id=appendonsend></div><hr><div id=divRplyFwdMsg><b>From:</b> Ann<br><b>Sent:</b> Monday<br><b>To:</b> Ben<br><b>Subject:</b> x</div><div>jak?</div>",
            "From: Ann",
        ),
        (
            "<div>Ano<br><blockquote type=cite><div>On 3 May 2021, at 10:00, Ann &lt;ann@a.example&gt; wrote:</div><br><div>jak?</div></blockquote></div>",
            "On 3 May 2021",
        ),
        (
            "<p>Ano</p><div class=moz-cite-prefix>Dne 03. 05. 21 v 10:00 Ann napsal(a):<br></div><blockquote type=cite cite='mid:x'>jak?<br></blockquote>",
            "Dne 03. 05. 21",
        ),
        (
            "<div>Ano</div><aside>---------- Původní e-mail ----------<br>Od: Ann &lt;ann@a.example&gt;<br>Komu: ben<br>Datum: 3. 5. 2021 10:00:00<br>Předmět: x</aside><br><div>jak?</div>",
            "Od: Ann",
        ),
        (
            "<div>Ano</div><div class=yahoo_quoted><div>On Monday, May 3, 2021, 10:00, Ann &lt;ann@a.example&gt; wrote:</div><div>jak?</div></div>",
            "On Monday",
        ),
        ("<p>Ano<br>W dniu 3.05.2021 o 10:00, Ann pisze:<br></p><blockquote>jak?</blockquote>", "W dniu"),
        ("<pre>Ano\n\nOn 3 May 2021, Ann &lt;ann@a.example&gt; wrote:\n&gt; jak?\n</pre>", "On 3 May 2021"),
    ] {
        let (shown, hidden) = split(html);
        assert_eq!(shown, "Ano", "{html}\n{}", folded(html, BLOCKED).html);
        assert_eq!(hidden.len(), 1, "{html}");
        assert!(hidden[0].contains(quote) && hidden[0].contains("jak?"), "{hidden:?}");
    }
}

#[test]
fn b9_signatures_are_folded_and_answers_between_quotes_are_not() {
    assert_eq!(
        split("<div>Hi<br>-- <br>Ann<br>+420 1</div>"),
        ("Hi".to_owned(), vec!["-- Ann +420 1".to_owned()])
    );
    let (shown, hidden) = split(
        "<p>Hi</p><blockquote>Monday?</blockquote><p>No.</p><blockquote>Tuesday?</blockquote><p>Yes.</p>",
    );
    assert_eq!((shown.as_str(), hidden), ("Hi No. Yes.", vec!["Monday?".to_owned(), "Tuesday?".to_owned()]));
}

#[test]
fn b9_nothing_is_folded_where_nothing_was_written_or_something_is_forwarded() {
    for html in [
        "<blockquote>all of it</blockquote>",
        "<p>Just words</p>",
        "<p>FYI</p><div>---------- Forwarded message ---------<br>From: Ann &lt;ann@a.example&gt;<br>Date: Mon, 3 May 2021<br>Subject: x<br>To: ben@b.example</div><div>text</div>",
        "",
    ] {
        assert_eq!(folded(html, BLOCKED), safe(html, BLOCKED), "{html}");
    }
}

#[test]
fn b9_a_fold_within_a_layout_of_tables_stays_within_its_cell() {
    let html = "<table><tr><td><p>Ano</p><p>Dne 3. 5. 2021 v 10:00 Ann napsala:</p><blockquote>jak?</blockquote></td></tr></table>";
    let out = folded(html, BLOCKED).html;
    assert!(out.contains("</p><details>") && out.contains("</details></td>"), "{out}");
    // One that would cut a table in two is left open.
    let html = "<p>Ano</p><table><tr><td>x</td><td>Dne 3. 5. 2021 v 10:00 Ann napsala:<br>jak?</td></tr></table><p>jak?</p>";
    assert!(words(&folded(html, BLOCKED).html).contains("jak?"));
}

proptest::proptest! {
    #[test]
    fn b9_folding_loses_nothing_and_stays_safe(pieces in proptest::collection::vec(
        proptest::prop_oneof![
            proptest::sample::select(vec![
                "<div>", "</div>", "<p>", "</p>", "<b>", "</b>", "<table><tr><td>", "</td>", "</table>", "<blockquote>", "</blockquote>",
                "<br>", "<hr>", "<pre>", "</pre>", "-- ", "<ul><li>", "On 3.5.2021 Ann &lt;a@b.example&gt; wrote:", "words", "From: a@b.example<br>Sent: x<br>Subject: y",
                "<a href=https://a.example>", "<img src=cid:x>", "\n", "<details>", "&nbsp;",
            ]).prop_map(str::to_owned),
            "\\PC{0,6}",
        ],
        0..40,
    )) {
        let html = pieces.concat();
        let (plain, out) = (safe(&html, BLOCKED).html, folded(&html, BLOCKED).html);
        // What was made safe stays so: cleaning changes nothing more.
        proptest::prop_assert_eq!(&safe(&out, BLOCKED).html, &out);
        proptest::prop_assert_eq!(texts(&plain), texts(&out).replace("•••", ""));
    }
}

#[test]
fn b9_hostile_html_is_folded_in_linear_time() {
    for unit in
        ["<p>a<blockquote>q</blockquote>", "<div>", "<b>-- <br>", "<br>", "&gt; q<br>w<br>", "<pre>\n"]
    {
        let html = format!("<p>words</p>{}", unit.repeat(1_000_000 / unit.len()));
        let started = std::time::Instant::now();
        let plain = safe(&html, BLOCKED);
        let cleaning = started.elapsed();
        super::fold(&plain.html);
        assert!(started.elapsed() - cleaning < std::time::Duration::from_secs(20), "{unit}");
    }
}
