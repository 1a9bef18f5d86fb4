use std::path::PathBuf;

use proptest::prelude::*;

use super::tree::{Limits, Tree};
use super::{Images, MAX_HTML_BYTES, Safe, mail_html, safe};

const INLINE: &str = "/api/v1/messages/7/inline/";
const PROXY: &str = "/api/v1/images?url=";
const BLOCKED: Images<'static> = Images::Blocked { inline: INLINE };
const DIRECT: Images<'static> = Images::Direct { inline: INLINE };
const SHOWN: Images<'static> = Images::Shown { inline: INLINE, proxy: PROXY };

fn check(html: &str, expected: &str) {
    assert_eq!(mail_html(html, BLOCKED), expected, "{html}");
}

/// What is wrong with a result, judged by the tree a browser would build from it.
fn faults(html: &str, images: Images<'_>) -> Vec<String> {
    let limits = Limits { depth: 1024, nodes: 2_000_000, walks: 200_000_000, escapes: usize::MAX };
    let Some(tree) = Tree::parse(html, limits) else {
        return vec!["too deep".into()];
    };
    let mut faults = Vec::new();
    for element in tree.elements() {
        if !element.is_html() || !super::policy::TAGS.contains(&element.name()) {
            faults.push(format!("element {}", element.name()));
        }
        for (name, value) in element.attrs() {
            if !attribute_is_safe(name, value, images) {
                faults.push(format!("{} {name}={value:?}", element.name()));
            }
        }
    }
    faults
}

/// Written apart from the policy on purpose: a list of what is known to be inert.
fn attribute_is_safe(name: &str, value: &str, images: Images<'_>) -> bool {
    const INERT: &[&str] = &[
        "abbr",
        "align",
        "alt",
        "bgcolor",
        "border",
        "bordercolor",
        "cellpadding",
        "cellspacing",
        "clear",
        "color",
        "colspan",
        "dir",
        "face",
        "frame",
        "headers",
        "height",
        "hspace",
        "lang",
        "noshade",
        "nowrap",
        "reversed",
        "rowspan",
        "rules",
        "scope",
        "size",
        "span",
        "start",
        "title",
        "type",
        "valign",
        "value",
        "vspace",
        "width",
    ];
    let ours = |url: &str| {
        let remote = match images {
            Images::Blocked { .. } => false,
            Images::Direct { .. } => url.starts_with("https://"),
            Images::Shown { .. } => url.starts_with(PROXY),
        };
        url.starts_with(INLINE) || remote
    };
    match name {
        "href" => ["http://", "https://", "mailto:", "tel:"].iter().any(|s| value.starts_with(s)),
        "target" => value == "_blank",
        "rel" => value == "noopener noreferrer",
        "src" | "background" => ours(value) || value.starts_with("data:image/"),
        "style" => {
            let rest = value.to_lowercase();
            let rest = rest.replace(&format!("url(\"{INLINE}"), "").replace(&format!("url(\"{PROXY}"), "");
            let direct = matches!(images, Images::Direct { .. });
            let rest = if direct { rest.replace("url(\"https://", "") } else { rest };
            let active = ["url(", "expression", "javascript", "var(", "\\", "@", "//", "behavior", "binding"];
            !active.iter().any(|a| rest.contains(a))
        }
        name => INERT.contains(&name),
    }
}

#[test]
fn pictures_the_reader_wants_from_where_they_are_come_by_https() {
    let out = mail_html(
        "<img src='http://a.example/x.png?a=1&amp;b=\"(2)'><img src='cid:p'><img src='ftp://a/x'>",
        DIRECT,
    );
    assert_eq!(
        out,
        format!("<img src=\"https://a.example/x.png?a=1&amp;b=%22%282%29\"><img src=\"{INLINE}p\"><img>")
    );
    let out = mail_html("<p style=\"background:url(http://a.example/')x.png)\">x</p>", DIRECT);
    assert!(!out.contains("http://") && !out.contains("')"), "{out}");
    assert_eq!(mail_html(&out, DIRECT), out);
}

#[test]
fn mail_keeps_its_looks() {
    let mail = r##"<table width="600" bgcolor="#eeeeee" cellpadding="4"><tbody><tr><td align="right" style="color:#333;font-size:12px"><font face="Arial" size="2">Total</font></td></tr></tbody></table>"##;
    check(mail, mail);
    check(
        "<P STYLE='COLOR: Red; FONT-FAMILY: \"Segoe UI\", sans-serif'>x",
        "<p style=\"color:Red;font-family:&quot;Segoe UI&quot; , sans-serif\">x</p>",
    );
    check(
        "<html><body bgcolor=336699 text=white><p>x",
        "<div style=\"background-color:#336699;color:white\"><p>x</p></div>",
    );
}

#[test]
fn active_content_is_dropped() {
    check("a<script>alert(1)</script><style>p{}</style><iframe src=x></iframe>b", "ab");
    check("<form action=/x><input name=a>text<button formaction=javascript:x>go</button></form>", "textgo");
    check(
        "<p onclick=x id=a class=b>t<svg><a href=x>q</a></svg><meta http-equiv=refresh><base href=//x>",
        "<p>t</p>",
    );
    check("<scr<script>ipt>alert(1)</script>", "ipt&gt;alert(1)");
}

#[test]
fn links_open_apart_and_only_to_known_schemes() {
    let rest = "target=\"_blank\" rel=\"noopener noreferrer\"";
    check(
        "<a href=' https://a.example/x?y=1&z '>t</a>",
        &format!("<a href=\"https://a.example/x?y=1&amp;z\" {rest}>t</a>"),
    );
    check("<a href=mailto:ann@a.example>t</a>", &format!("<a href=\"mailto:ann@a.example\" {rest}>t</a>"));
    for bad in [
        "javascript:x",
        "java\tscript:x",
        " data:text/html,x",
        "vbscript:x",
        "/admin",
        "#x",
        "file:///x",
        "jav&#x0A;ascript:x",
    ] {
        check(&format!("<a href='{bad}'>t</a>"), &format!("<a {rest}>t</a>"));
    }
}

#[test]
fn blocked_pictures_leave_their_words_and_are_counted() {
    let html = "<img src=https://t.example/p.gif alt=logo width=9><img src='//t.example/a' srcset='//t.example/b 2x'><table background=http://t.example/c></table><p style='background:#fff url(http://t.example/d) no-repeat'>x";
    let Safe { html, blocked_remote } = safe(html, BLOCKED);
    assert!(!html.contains("t.example"), "{html}");
    assert!(html.contains("alt=\"logo\"") && html.contains("background:#fff no-repeat"), "{html}");
    assert_eq!(blocked_remote, 5);
}

#[test]
fn shown_pictures_come_through_the_proxy() {
    let html =
        "<img src='https://t.example/p.gif?a=1&b'><p style=\"background-image:url('http://t.example/d')\">x";
    assert_eq!(
        safe(html, SHOWN),
        Safe {
            html: "<img src=\"/api/v1/images?url=https%3A%2F%2Ft.example%2Fp.gif%3Fa%3D1%26b\"><p style=\"background-image:url(&quot;/api/v1/images?url=http%3A%2F%2Ft.example%2Fd&quot;)\">x</p>".into(),
            blocked_remote: 0,
        }
    );
}

#[test]
fn pictures_of_the_letter_itself_are_shown_in_both_modes() {
    for images in [BLOCKED, DIRECT, SHOWN] {
        let html = mail_html(
            "<img src=CID:logo%40a.example><img src='data:image/png;base64,iVBORw0='><img src='data:image/svg+xml;base64,PHN2Zz4='>",
            images,
        );
        assert_eq!(
            html,
            "<img src=\"/api/v1/messages/7/inline/logo%40a.example\"><img src=\"data:image/png;base64,iVBORw0=\"><img>"
        );
    }
}

#[test]
fn styles_cannot_load_run_or_escape() {
    for bad in [
        "width:expression(alert(1))",
        "background:u\\72l(//t.example)",
        "color:var(--x)",
        "background:image-set('//t.example' 1x)",
        "background-image:-webkit-image-set(url(//t.example) 1x)",
        "behavior:url(//t.example)",
        "list-style:url(//t.example",
        "content:'x'",
        "position:fixed",
        "background:url(/*",
        "background:url(javascript:x)",
        "font-family:'a\\",
        "color:re/**/d",
        "background:url('//t.example'",
        "filter:url(//t.example)",
        "cursor:url(//t.example),auto",
    ] {
        let out = mail_html(&format!("<p style=\"{bad}\">x</p>"), BLOCKED);
        assert_eq!(out, "<p>x</p>", "{bad}");
    }
}

#[test]
fn too_deep_too_big_and_too_costly_html_is_shown_as_text() {
    let deep = format!("{}<b>hello", "<div>".repeat(600));
    assert_eq!(
        mail_html(&deep, BLOCKED),
        "<pre style=\"white-space:pre-wrap;font-family:sans-serif\">hello</pre>"
    );
    let fonts: String = (0..500).map(|i| format!("<font size={i}>")).collect();
    let rebuilt = format!("<div>{fonts}</div>{}", "<p>x".repeat(20_000));
    assert!(
        mail_html(&rebuilt, BLOCKED)
            .starts_with("<pre style=\"white-space:pre-wrap;font-family:sans-serif\">x")
    );
    let fostered = format!("<table>{}", "x<b>y</b>".repeat(40_000));
    assert!(mail_html(&fostered, BLOCKED).starts_with("<pre style=\"white-space:pre-wrap"));
    let many: String = (0..100_000).map(|i| format!("a{i}=b ")).collect();
    assert!(mail_html(&format!("<p {many}>x"), BLOCKED).ends_with(">x</pre>"));
    for escaped in ["&".repeat(1_000_000), format!("<p title='{}'>x", "&".repeat(1_000_000))] {
        let out = mail_html(&escaped, BLOCKED);
        assert!(out.starts_with("<pre"), "{}", &out[..40]);
        assert!(mail_html(&out, BLOCKED) == out);
    }
    let big = "<p>&amp;".repeat(MAX_HTML_BYTES / 7);
    let out = mail_html(&big, BLOCKED);
    assert!(out.len() <= MAX_HTML_BYTES);
    assert!(mail_html(&out, BLOCKED) == out);
}

#[test]
fn unclosed_paragraphs_and_cells_of_old_mail_are_not_deep() {
    let html = "<table><tr><td><font color=red>a<tr><td><p>b<p>c".to_owned() + &"<p>x<li>y".repeat(2_000);
    assert!(!mail_html(&html, BLOCKED).contains("pre-wrap"));
}

fn corpora() -> Option<PathBuf> {
    let path = std::env::var_os("LETTERCASE_CORPORA")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"));
    if !path.is_dir() {
        println!("skipped: no corpora at {}", path.display());
        return None;
    }
    Some(path)
}

/// The inputs of an expected set: `input` itself or the text of `file`.
fn inputs(set: &str) -> Vec<(String, String)> {
    let Some(root) = corpora() else {
        return Vec::new();
    };
    let json = std::fs::read(root.join("expected").join(set)).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let read = |item: &serde_json::Value| match item["input"].as_str() {
        Some(input) => input.to_owned(),
        None => {
            let bytes = std::fs::read(root.join(item["file"].as_str().unwrap())).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        }
    };
    let items = json["items"].as_array().unwrap();
    items.iter().map(|i| (i["id"].as_str().unwrap().to_owned(), read(i))).collect()
}

fn corpus_is_made_safe(set: &str) {
    let inputs = inputs(set);
    let mut unsafe_ = Vec::new();
    for (id, input) in &inputs {
        for images in [BLOCKED, DIRECT, SHOWN] {
            let out = mail_html(input, images);
            let faults = faults(&out, images);
            if !faults.is_empty() || mail_html(&out, images) != out {
                unsafe_.push(format!("{id}: {faults:?}\n  {input}\n  {out}"));
            }
        }
    }
    println!("{set}: {} inputs, {} unsafe", inputs.len(), unsafe_.len());
    assert!(unsafe_.is_empty(), "{}", unsafe_.join("\n"));
}

#[test]
fn t01_dompurify_payloads_are_inert() {
    corpus_is_made_safe("html-dompurify.json");
}

#[test]
fn t01_bleach_payloads_are_inert() {
    corpus_is_made_safe("html-bleach.json");
}

#[test]
fn t01_loofah_payloads_are_inert() {
    corpus_is_made_safe("html-loofah.json");
}

#[test]
fn t06_no_leak_vector_loads_anything() {
    corpus_is_made_safe("html-httpleaks.json");
    for (_, input) in inputs("html-httpleaks.json") {
        let out = mail_html(&input, BLOCKED);
        let left: Vec<_> =
            out.match_indices("leaking.via/").map(|(i, _)| &out[i.saturating_sub(60)..i]).collect();
        // Only what a reader clicks, or reads as words, may still name the host.
        assert!(left.iter().all(|l| l.contains("href=\"") || !l.contains('<')), "{left:#?}");
    }
}

fn fragment() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "<div>", "</div>", "<p>", "</p>", "<table>", "<tr>", "<td>", "</td>", "</table>", "<a href=http://a.example>",
            "</a>", "<b>", "</b>", "<font size=1>", "</font>", "<svg>", "</svg>", "<math>", "<mtext>", "<mglyph>",
            "<style>", "</style>", "<noscript>", "</noscript>", "<template>", "</template>", "<select>", "<option>",
            "<textarea>", "</textarea>", "<title>", "<script>", "</script>", "<!--", "-->", "<![CDATA[", "]]>",
            "<img src=x onerror=alert(1)>", "<img src=//t.example/x>", "<pre>\n", "\n", "</pre>", "<li>", "<ul>", "<form>",
            "<foreignObject>", "<annotation-xml encoding=text/html>", "<h1>", "<caption>", "<col>", "<plaintext>", "<frameset>",
            "<body style='color:red' bgcolor=red>", "<p title=\"</style><img src onerror=x>\">", "<nobr>", "<button>", "<hr>",
        ]).prop_map(str::to_owned),
        2 => "[a-z<>&\"'=/;: \u{0}\u{a0}\u{feff}]{0,12}",
        1 => "[ -~]{0,20}".prop_map(|s| format!("<p style='{s}'>")),
        1 => "(color|background|font-family|width|font):[ -~ž]{0,24}".prop_map(|s| format!("<span style=\"{s}\">")),
        1 => "[ -~]{0,20}".prop_map(|s| format!("<a href=\"{s}\" title='{s}'>")),
        1 => "(cid|http|https|data|//):?/?/?[ -~]{0,20}".prop_map(|s| format!("<img src=\"{s}\">")),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|v| v.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn t02_what_was_cleaned_stays_as_it_is_and_is_safe(html in fragment()) {
        for images in [BLOCKED, DIRECT, SHOWN] {
            let once = mail_html(&html, images);
            prop_assert_eq!(faults(&once, images), Vec::<String>::new());
            prop_assert_eq!(&mail_html(&once, images), &once);
        }
    }

    #[test]
    fn any_text_gives_text(html in "\\PC{0,200}") {
        let _ = crate::html::to_text(&html);
        let once = mail_html(&html, BLOCKED);
        prop_assert_eq!(&mail_html(&once, BLOCKED), &once);
    }
}

#[test]
fn t23_hostile_html_is_cleaned_in_linear_time() {
    let block: String = (0..500).map(|i| format!("a{i}=b ")).collect();
    for (name, html) in [
        ("many tags of many attributes", format!("<p {block}>").repeat(100)),
        ("nested quotes", "<a b=\" <a b=' ".repeat(50_000)),
        ("one text of ampersands below the limit", "&".repeat(90_000)),
        ("less-than signs", "<".repeat(500_000)),
        ("tags that never end", "<a".repeat(300_000)),
        ("urls", format!("<p style=\"{}\">x", "background:url(http://a.example/x);".repeat(15_000))),
        ("open functions", format!("<p style=\"color:{}\">x", "rgb(".repeat(150_000))),
        ("open urls", format!("<p style=\"{}\">x", "color:url(".repeat(50_000))),
        ("a big picture", format!("<img src='data:image/png;base64,{}'>", "A".repeat(900_000))),
        ("misnested", "<b><p>x</b><i></p>".repeat(20_000)),
    ] {
        let started = std::time::Instant::now();
        let out = mail_html(&html, BLOCKED);
        println!("{name}: {:?}, {} bytes", started.elapsed(), out.len());
        // Some seconds, many beside other tests; quadratic time would be an hour.
        assert!(started.elapsed().as_secs() < 200, "{name}");
    }
}
