use super::*;

fn word(text: &str) -> Query {
    Query::Words { field: Field::Any, text: text.into(), prefix: false }
}

fn not(query: Query) -> Query {
    Query::Not(Box::new(query))
}

#[test]
fn what_a_user_types_cannot_become_syntax() {
    let evil = word("a\" OR acl : \"m1 ' & !x:* <-> NEAR(b)");
    let sqlite = render(Engine::Sqlite, &evil).unwrap();
    assert_eq!(sqlite, "(\"a OR acl m1 x NEAR b\")");
    let postgres = render(Engine::Postgres, &evil).unwrap();
    assert_eq!(postgres, "('a' <-> 'OR' <-> 'acl' <-> 'm1' <-> 'x' <-> 'NEAR' <-> 'b')");
}

#[test]
fn exclusions_alone_exclude_from_everything() {
    let query = Query::All(vec![not(word("spam"))]);
    assert_eq!(render(Engine::Sqlite, &query).unwrap(), "(((\"\u{E002}every\")) NOT (\"spam\"))");
    assert_eq!(render(Engine::Postgres, &query).unwrap(), "((('\u{E002}every')) & !('spam'))");
}

#[test]
fn a_choice_of_nothing_matches_nothing() {
    let all = Query::All(vec![word("a"), Query::Any(vec![])]);
    assert_eq!(render(Engine::Postgres, &all), None);
    assert_eq!(render(Engine::Sqlite, &Query::Any(vec![])), None);
}
