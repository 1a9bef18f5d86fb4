//! Rules by one-liners: what a condition holds on, in which order rules are tried, and what follows.

use super::*;
use mail::nature::Nature;
use mail::parse::parse;
use model::{Condition, LabelId, RuleField, RuleKind, RuleTest};

const LETTER: &str = "From: Žofie Malá <zofie@firma.example>\n\
    To: Helpdesk <helpdesk@acme.example>, ben@acme.example\n\
    Cc: Ann <ann@firm.example>\n\
    Reply-To: objednavky@firma.example\n\
    Delivered-To: helpdesk-team@acme.example\n\
    List-Id: News <news.firma.example>\n\
    X-Tag: first\n\
    X-Tag: second\n\
    Subject: Objednávka č. 12345: [Urgent]\n\
    Content-Type: multipart/mixed; boundary=b\n\n\
    --b\nContent-Type: text/plain; charset=utf-8\n\nDobrý den,\npošlete prosím   fakturu.\nDěkuji\n\
    --b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=\"Smlouva 2024.pdf\"\n\nx\n--b--\n";

fn condition(field: &str, test: &str, value: &str) -> Condition {
    let (field, header) = field.split_once(':').unwrap_or((field, ""));
    Condition {
        field: RuleField::of(field).unwrap(),
        header: header.to_owned(),
        test: RuleTest::of(test).unwrap(),
        value: value.to_owned(),
    }
}

fn rule(id: i64, matching: Matching, conditions: Vec<Condition>, actions: Vec<Action>) -> Rule {
    let tried = TriedRule {
        id: RuleId(id),
        version: 1,
        kind: RuleKind::Rule,
        name: format!("rule {id}"),
        user: None,
    };
    Rule { tried, matching, conditions, actions }
}

fn rules(rules: Vec<Rule>) -> Rules {
    Rules::new(vec![Arc::new(Place::new(&rules))], Vec::new())
}

fn about(letter: &Letter) -> About<'_> {
    About { letter, size_bytes: 1000, auth: "pass", nature: Nature::Person }
}

/// On what one condition holds for the letter above; `None`: it does not.
fn on(field: &str, test: &str, value: &str) -> Option<String> {
    let asked = condition(field, test, value);
    assert_eq!(check(std::slice::from_ref(&asked)), Ok(()), "{asked:?}");
    let rules = rules(vec![rule(1, Matching::All, vec![asked], vec![Action::Stop])]);
    let letter = parse(LETTER.as_bytes());
    let outcome = apply(&rules, &about(&letter));
    outcome.hits.into_iter().next().map(|hit| hit.on.into_iter().next().unwrap().1)
}

fn holds(field: &str, test: &str, value: &str) -> bool {
    on(field, test, value).is_some()
}

#[test]
fn c1_people_are_found_by_name_and_by_address() {
    assert_eq!(on("from", "contains", "zofie").unwrap(), "Žofie Malá <zofie@firma.example>");
    assert_eq!(on("from", "equals", "zofie mala").unwrap(), "Žofie Malá");
    assert_eq!(on("from", "equals", "ZOFIE@firma.example").unwrap(), "zofie@firma.example");
    assert!(holds("from", "ends", "@firma.example") && holds("from", "begins", "Žofie"));
    assert!(!holds("from", "ends", "@acme.example"));
    assert!(holds("to", "contains", "ben@") && !holds("to", "contains", "ann@"));
    assert!(holds("cc", "equals", "ann") && holds("reply_to", "begins", "objednavky@"));
    assert!(holds("recipient", "equals", "ann@firm.example"));
    assert_eq!(on("recipient", "begins", "helpdesk-team").unwrap(), "helpdesk-team@acme.example");
}

#[test]
fn c1_subject_is_compared_without_case_and_accents_but_with_its_punctuation() {
    assert!(holds("subject", "contains", "objednavka č. 1") && holds("subject", "contains", "[URGENT]"));
    assert!(!holds("subject", "contains", "urgent!"));
    assert!(holds("subject", "not_contains", "invoice") && !holds("subject", "not_contains", "OBJEDNÁVKA"));
    assert!(holds("subject", "equals", "Objednavka  c. 12345: [urgent]"));
    assert!(!holds("subject", "equals", "Objednavka") && holds("subject", "not_equals", "Objednavka"));
    assert!(holds("subject", "begins", "objednávka") && !holds("subject", "begins", "č."));
    assert!(holds("subject", "ends", "[urgent]") && !holds("subject", "ends", "urgent"));
    assert_eq!(on("subject", "regex", r"č\. \d{5}").unwrap(), "Objednávka č. 12345: [Urgent]");
    assert!(holds("subject", "regex", "OBJEDNÁVKA") && !holds("subject", "regex", "(?-i)OBJEDNÁVKA"));
    assert!(!holds("subject", "regex", r"^\d"));
}

#[test]
fn c1_the_text_is_compared_over_its_lines_and_a_pattern_line_by_line() {
    assert_eq!(
        on("body", "contains", "poslete prosim fakturu").unwrap(),
        "Dobrý den, pošlete prosím fakturu. Děkuji"
    );
    assert!(holds("body", "begins", "dobrý den, pošlete") && holds("body", "ends", "děkuji"));
    assert!(holds("body", "not_contains", "invoice") && holds("body", "regex", r"^pošlete\s+prosím"));
    assert!(holds("body", "regex", r"\bfakturu\b") && !holds("body", "regex", r"\bfaktur\b"));
}

#[test]
fn c6_headers_files_size_verdict_nature_and_language_are_conditions() {
    assert!(
        holds("header:List-Id", "contains", "news.firma.example") && holds("header:list-id:", "exists", "")
    );
    assert!(holds("header:X-Tag", "equals", "second") && !holds("header:X-Tag", "equals", "first second"));
    assert!(holds("header:X-None", "missing", "") && !holds("header:X-None", "exists", ""));
    assert_eq!(on("attachment", "ends", ".pdf").unwrap(), "Smlouva 2024.pdf");
    assert!(holds("attachment", "regex", r"\.(pdf|docx)$") && holds("attachment", "exists", ""));
    assert_eq!(on("size", "over", "999").unwrap(), "1000");
    assert!(
        !holds("size", "over", "1000") && holds("size", "under", "1001") && !holds("size", "under", "1000")
    );
    assert!(holds("auth", "equals", "Pass") && holds("auth", "not_equals", "fail"));
    assert!(holds("nature", "equals", "person") && !holds("nature", "equals", "bounce"));
    assert!(holds("language", "equals", "cs") && holds("language", "not_equals", "sk"));
}

#[test]
fn c1_all_or_any_and_no_condition_is_every_message() {
    let no = || condition("subject", "contains", "nothing like it");
    let yes = || condition("subject", "contains", "urgent");
    let matches = |matching, conditions| {
        let letter = parse(LETTER.as_bytes());
        let rules = rules(vec![rule(1, matching, conditions, vec![Action::MarkRead])]);
        !apply(&rules, &about(&letter)).hits.is_empty()
    };
    assert!(matches(Matching::All, vec![yes(), yes()]) && !matches(Matching::All, vec![yes(), no()]));
    assert!(matches(Matching::Any, vec![no(), yes()]) && !matches(Matching::Any, vec![no(), no()]));
    assert!(matches(Matching::All, vec![]) && matches(Matching::Any, vec![]));
}

/// What rules with these actions come to: the rules that matched, the actions, and what skips.
fn outcome(all: Vec<Vec<Action>>) -> (Vec<usize>, Vec<i64>, Option<i64>) {
    let all = (1..).zip(all).map(|(id, actions)| rule(id, Matching::All, vec![], actions)).collect();
    let letter = parse(LETTER.as_bytes());
    let outcome = apply(&rules(all), &about(&letter));
    let hits = outcome.hits.iter().map(|hit| hit.tried).collect();
    (hits, outcome.actions.iter().map(|one| one.rule.0).collect(), outcome.skip.map(|id| id.0))
}

#[test]
fn c2_rules_act_in_their_order_until_one_stops() {
    let read = || vec![Action::MarkRead];
    assert_eq!(outcome(vec![read(), read(), read()]), (vec![0, 1, 2], vec![1, 2, 3], None));
    let stop = vec![Action::Stop, Action::MarkRead];
    assert_eq!(outcome(vec![read(), stop, read()]), (vec![0, 1], vec![1, 2, 2], None));
}

#[test]
fn c5_what_is_skipped_is_not_tried_further_and_nothing_of_that_rule_is_done() {
    let read = || vec![Action::MarkRead];
    assert_eq!(outcome(vec![vec![Action::MarkRead, Action::Skip], read()]), (vec![0], vec![], Some(1)));
    assert_eq!(outcome(vec![vec![Action::Stop], vec![Action::Skip]]), (vec![0], vec![1], None));
}

fn place(kind: RuleKind, user: Option<i64>, id: i64, actions: Vec<Action>) -> Arc<Place> {
    let mut one = rule(id, Matching::All, vec![], actions);
    (one.tried.kind, one.tried.user) = (kind, user.map(UserId));
    Arc::new(Place::new(&[one]))
}

#[test]
fn c5_filters_come_before_rules_and_somebodys_own_only_silence() {
    let folder = |name: &str| vec![Action::Move { folder: name.to_owned() }];
    let global = place(RuleKind::Filter, None, 1, folder("A"));
    let of_mailbox = place(RuleKind::Rule, None, 2, vec![Action::MarkRead, Action::Stop]);
    let ann = place(RuleKind::Filter, Some(7), 3, vec![Action::Skip]);
    let ben = place(RuleKind::Filter, Some(8), 4, vec![Action::Stop]);
    let all = Rules::new(vec![global, of_mailbox], vec![ann, ben]);
    let letter = parse(LETTER.as_bytes());
    let out = apply(&all, &about(&letter));
    let acted: Vec<i64> = out.actions.iter().map(|one| one.rule.0).collect();
    assert_eq!((acted, out.skip, out.silenced), (vec![1, 2, 2], None, vec![UserId(7)]));
    assert_eq!(out.hits.iter().map(|hit| hit.tried).collect::<Vec<_>>(), [0, 1, 2, 3]);
    let after_all = apply(&all.without_filters(), &about(&letter));
    assert_eq!(after_all.actions.iter().map(|one| one.rule.0).collect::<Vec<_>>(), [2, 2]);
    assert!(after_all.silenced.is_empty());
}

#[test]
fn c1_what_cannot_be_asked_is_refused_with_the_place_and_the_way_out() {
    let fault = |field: &str, test: &str, value: &str| {
        check(&[condition(field, test, value)]).unwrap_err().1.to_string()
    };
    expect_test::expect![[r#"
        size is compared by one of: over, under
        auth is compared by one of: equals, not_equals
        say what to compare with
        name the header field, such as List-Id
        a number of bytes, such as 1000000
        one of: pass, fail, none
        one of: bounce, report, auto_reply, invitation, list, person
        at character 6: unclosed group
        at character 3: repetition operator missing expression
        the expression is too large; repeat less, such as {1,20} instead of {1,1000}"#]]
    .assert_eq(
        &[
            fault("size", "contains", "1"),
            fault("auth", "regex", "pass"),
            fault("subject", "contains", "  "),
            fault("header:", "exists", ""),
            fault("size", "over", "1 MB"),
            fault("auth", "equals", "good"),
            fault("nature", "equals", "machine"),
            fault("subject", "regex", "order(\\d"),
            fault("subject", "regex", "a|*"),
            fault("body", "regex", r"(\w{1,200}){1,200}"),
        ]
        .join("\n"),
    );
    let second = check(&[condition("subject", "contains", "a"), condition("size", "over", "x")]);
    assert_eq!(second.unwrap_err().0, 1);
}

#[test]
fn c1_a_common_pass_finds_what_each_literal_alone_would() {
    let words = ["a", "aa", "aab", "b", "ba", "c", "abc", "bcab", "cc", "zz", "aba", "caa", "ab a", "x"];
    for text in ["aabcab", "cc aba", "", "zaz", "aaaaaaaaab", "abcabcabc ab a", "ž a"] {
        let letter = Letter { text: text.to_owned(), ..Letter::default() };
        let all = words.iter().zip(1..).map(|(word, id)| {
            rule(id, Matching::All, vec![condition("body", "contains", word)], vec![Action::MarkRead])
        });
        let out = apply(&rules(all.collect()), &about(&letter));
        let found: Vec<&str> = out.actions.iter().map(|one| words[one.rule.0 as usize - 1]).collect();
        let folded = mail::fold::fold_text(text);
        let expected: Vec<&str> = words.iter().copied().filter(|word| folded.contains(word)).collect();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn c7_what_is_written_down_is_bounded() {
    let long = "x".repeat(4000);
    let conditions: Vec<Condition> = (0..50).map(|_| condition("body", "contains", &long)).collect();
    let all = (1..200).map(|id| rule(id, Matching::All, conditions.clone(), vec![Action::MarkRead]));
    let letter = Letter { text: "x".repeat(9000), ..Letter::default() };
    let out = apply(&rules(all.collect()), &about(&letter));
    assert_eq!((out.hits.len(), out.actions.len()), (MOST_HITS, MOST_ACTIONS));
    assert!(out.hits.iter().all(|hit| hit.on.len() == MOST_ON));
    let longest = out
        .hits
        .iter()
        .flat_map(|hit| &hit.on)
        .map(|(asked, on)| asked.value.chars().count() + on.chars().count());
    assert!(longest.max().unwrap() <= 2 * (MOST_SHOWN + 1));
}

/// Patterns that are exponential elsewhere, or make an automaton as large as the text.
const EVIL: [&str; 8] = [
    "(a+)+$",
    "(a|aa)+$",
    "(.*)*x",
    "([a-z]+)*\\d",
    "[ab]*a[ab]{50}c",
    r"(x+x+)+y",
    r"\b(\w+\s?)+\bž",
    r"(?:a?){60}a{60}b",
];

#[test]
fn t_evil_patterns_end_on_evil_texts_and_say_what_is_true() {
    let mut texts = vec!["a".repeat(BODY_BYTES), "ab".repeat(BODY_BYTES / 2), "xž ".repeat(BODY_BYTES / 4)];
    let mut seed = 1_u32;
    let coin = std::iter::from_fn(|| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some(if seed >> 31 == 0 { 'a' } else { 'b' })
    });
    texts.push(coin.take(BODY_BYTES).collect());
    for text in texts {
        let letter = Letter { text, ..Letter::default() };
        let all = EVIL.iter().zip(1..).map(|(evil, id)| {
            rule(id, Matching::All, vec![condition("body", "regex", evil)], vec![Action::MarkRead])
        });
        let out = apply(&rules(all.collect()), &about(&letter));
        let matched: Vec<i64> = out.actions.iter().map(|one| one.rule.0).collect();
        let only_a = letter.text.starts_with("aa") && !letter.text.contains('b');
        assert_eq!(matched.contains(&1), only_a || letter.text.ends_with('a'), "(a+)+$");
        assert!(!matched.contains(&4) && !matched.contains(&5) && !matched.contains(&6));
    }
}

#[test]
fn c1_word_boundaries_hold_beyond_ascii_and_what_was_found_is_shown() {
    let shown = |text: &str, pattern: &str| {
        let letter = Letter { text: text.to_owned(), ..Letter::default() };
        let asked = vec![condition("body", "regex", pattern)];
        let out = apply(&rules(vec![rule(1, Matching::All, asked, vec![Action::MarkRead])]), &about(&letter));
        out.hits.into_iter().next().map(|hit| hit.on[0].1.clone())
    };
    for (text, pattern, holds) in [
        ("Naše objednávka č. 5 je žlutá", r"\bobjednávka\s+č\.\s*\d+\b", true),
        ("Naše objednávka č. 5", r"\bjednávka\b", false),
        ("žlutý kůň", r"lutý\b", true),
        ("žlutý kůň", r"\blutý", false),
        ("žlutý kůň", r"\Blutý\b", true),
        ("příkůň pes", r"(?:\b(kůň|pes)\b){1,2}", true),
        ("příkůň přespes", r"(?:\b(kůň|pes)\b){1,2}", false),
        ("plain order no. 12", r"\border\b.*\b12\b", true),
        ("plain reorder no. 12", r"\border\b", false),
        ("konec ž", r"\b$", true),
    ] {
        assert_eq!(shown(text, pattern).is_some(), holds, "{pattern} in {text}");
    }
    let long = format!("{}žlutý kůň", "dál ".repeat(100));
    assert!(shown(&long, r"\bkůň\b").unwrap().ends_with(" dál žlutý kůň"));
}

#[test]
fn t_only_the_beginning_of_an_endless_text_is_looked_at() {
    let letter = |at: usize| Letter { text: format!("{}needle", "- ".repeat(at / 2)), ..Letter::default() };
    let rules = rules(vec![
        rule(1, Matching::All, vec![condition("body", "contains", "needle")], vec![Action::MarkRead]),
        rule(2, Matching::All, vec![condition("body", "regex", "needle")], vec![Action::MarkRead]),
    ]);
    assert_eq!(apply(&rules, &about(&letter(BODY_BYTES - 100))).actions.len(), 2);
    assert_eq!(apply(&rules, &about(&letter(BODY_BYTES + 100))).actions.len(), 0);
}

#[test]
fn c2_the_order_of_rules_that_do_not_stop_changes_no_more_than_the_order() {
    let letter = parse(LETTER.as_bytes());
    let one = |id: i64, word: &str| {
        rule(
            id,
            Matching::All,
            vec![condition("subject", "contains", word)],
            vec![Action::Label { label: LabelId(id) }],
        )
    };
    let all = [one(1, "urgent"), one(2, "12345"), one(3, "invoice"), one(4, "objednavka")];
    // Heap's algorithm is not needed for 24: each is a sort by another key.
    for key in 0..24_usize {
        let mut order: Vec<Rule> = all.to_vec();
        order.swap(0, key % 4);
        order.swap(1, 1 + key / 4 % 3);
        order.swap(2, 2 + key / 12 % 2);
        let expected: Vec<i64> = order.iter().map(|rule| rule.tried.id.0).filter(|id| *id != 3).collect();
        let out = apply(&rules(order), &about(&letter));
        assert_eq!(out.actions.iter().map(|one| one.rule.0).collect::<Vec<_>>(), expected);
    }
}
