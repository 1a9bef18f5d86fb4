use super::{MAX_TEXT_BYTES, to_text};

fn check(html: &str, text: &str) {
    assert_eq!(to_text(html), text, "{html}");
}

#[test]
fn paragraphs_are_set_apart_and_white_space_is_collapsed() {
    check("<p>One\n  two</p>\n<p>three&nbsp;four<br>five</p>", "One two\n\nthree four\nfive");
    check("<div>a</div><div><br></div><div>b</div>", "a\n\nb");
    check("Přílohu &amp; smlouvu &lt;tady&gt; &#269;", "Přílohu & smlouvu <tady> č");
}

#[test]
fn lists_and_tables_become_lines() {
    check("<ul><li>a<li>b</ul>after", "- a\n- b\n\nafter");
    check("<ol start=3><li>a</li><li>b<ul><li>c</ul></ol>", "3. a\n4. b\n  - c");
    check(
        "<table><tr><th>Item<th>Price</tr><tr><td><p>Desk</p></td><td>90</td></tr></table>",
        "Item\tPrice\nDesk\t90",
    );
}

#[test]
fn a_blockquote_is_quoted_as_in_plain_mail() {
    check(
        "yes<br>On Monday ben wrote:<blockquote>one<br><br>two<blockquote>old</blockquote></blockquote>bye",
        "yes\nOn Monday ben wrote:\n> one\n>\n> two\n>> old\n\nbye",
    );
}

#[test]
fn an_url_is_shown_only_where_the_text_does_not_say_it() {
    check("<a href='https://lettercase.example/a'>here</a>", "here <https://lettercase.example/a>");
    check("<a href='https://www.lettercase.example/'>lettercase.example</a>", "lettercase.example");
    check("<a href='mailto:ann@a.example'>ann@a.example</a>", "ann@a.example");
    check("<a href='javascript:x'>x</a> <a href='https://a.example'><img></a>", "x");
}

#[test]
fn what_a_reader_does_not_see_is_left_out() {
    check("<head><title>t</title><style>a{}</style></head><script>x<p>y</script>z<!-- c -->", "z");
    check("<div style='DISPLAY : none'>pre<div>header</div></div>shown", "shown");
    check("a&zwnj;&nbsp;&zwnj;&nbsp;&#847;&shy;b \u{200b}\u{feff}", "a b");
}

#[test]
fn a_hidden_element_that_never_ends_hides_nothing() {
    check("<div style='display:none'><p>the letter</p>", "the letter");
}

#[test]
fn joiners_stay_inside_words_and_emoji() {
    check("می\u{200c}خواهم 👩\u{200d}🔧", "می\u{200c}خواهم 👩\u{200d}🔧");
}

#[test]
fn preformatted_lines_keep_their_spaces() {
    check("<pre>a  b\n  c\n</pre>d", "a  b\n  c\nd");
}

#[test]
fn hostile_nesting_costs_no_more_than_its_length() {
    for unit in ["<div>", "<blockquote>x", "<b>", "<ul><li>", "<table><tr><td>", "<a href=x>", "&", "<"] {
        let html = unit.repeat(1_000_000 / unit.len());
        assert!(to_text(&html).len() <= MAX_TEXT_BYTES + 100, "{unit}");
    }
}

#[test]
fn a_tag_with_too_many_attributes_is_not_read() {
    let many: String = (0..60_000).map(|i| format!("a{i}=b ")).collect();
    check(&format!("<p>before<p {many}>after"), "before after");
    check(&format!("<style><a b=\"</style>before<p {many}\">after"), "before after");
    check(&format!("<!-- <a b='-->before<p {many}'>after"), "before after");
    let some: String = (0..100).map(|i| format!("a{i}='<b c=d>' ")).collect();
    check(&format!("<p {some}>x").repeat(50), &["x"; 50].join("\n\n"));
}
