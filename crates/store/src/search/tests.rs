use super::*;

fn word(text: &str) -> Query {
    Query::Words {
        field: Field::Any,
        text: text.into(),
        prefix: false,
    }
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
    assert_eq!(
        postgres,
        "('a' <-> 'OR' <-> 'acl' <-> 'm1' <-> 'x' <-> 'NEAR' <-> 'b')"
    );
}

#[test]
fn exclusions_alone_exclude_from_everything() {
    let query = Query::All(vec![not(word("spam"))]);
    assert_eq!(
        render(Engine::Sqlite, &query).unwrap(),
        "(((\"\u{E002}every\")) NOT (\"spam\"))"
    );
    assert_eq!(
        render(Engine::Postgres, &query).unwrap(),
        "((('\u{E002}every')) & !('spam'))"
    );
}

#[test]
fn who_has_no_token_finds_nothing() {
    assert_eq!(
        render(Engine::Sqlite, &seen_by(&word("a"), &Access::nothing())),
        None
    );
    assert_eq!(render(Engine::Sqlite, &Query::Any(vec![])), None);
}

fn row(id: i64, subject: &str, from: &str, body: &str, acl: &str) -> IndexRow {
    IndexRow {
        message_id: MessageId(id),
        subject: subject.into(),
        from: from.into(),
        to: "helpdesk helpdesk@acme.example".into(),
        body: body.into(),
        acl: acl.into(),
    }
}

async fn found(db: &crate::sql::Db, query: Query, access: &Access) -> Vec<i64> {
    let search = Search {
        query,
        from: None,
        until: None,
    };
    let found = find(&mut &*db, &search, access, 0, 50).await.unwrap();
    assert_eq!(found.total as usize, found.ids.len());
    found.ids.into_iter().map(|id| id.0).collect()
}

/// The same questions, the same answers, whichever engine.
async fn answers(db: &crate::sql::Db) {
    let mut tx = db.begin().await.unwrap();
    let rows = vec![
        row(
            1,
            "faktura 12",
            "ann novak ann@acme.example",
            "prosim o zaplaceni faktury",
            "m1",
        ),
        row(
            2,
            "re faktura 12",
            "ben ben@beta.example",
            "zaplaceno ann",
            "m1 hasattachment",
        ),
        row(
            3,
            "newsletter",
            "news@beta.example",
            "m1 hasattachment u9",
            "m2 u9",
        ),
    ];
    index(&mut tx, rows).await.unwrap();
    tx.commit().await.unwrap();
    let all = Access::All;
    let words = |field, text: &str, prefix| Query::Words {
        field,
        text: text.into(),
        prefix,
    };
    assert_eq!(found(db, word("faktura"), &all).await, [2, 1]);
    assert_eq!(found(db, word("faktura 12"), &all).await, [2, 1]);
    assert_eq!(found(db, word("12 faktura"), &all).await, [0; 0]);
    assert_eq!(
        found(db, words(Field::Any, "zaplacen", true), &all).await,
        [2, 1]
    );
    assert_eq!(
        found(db, words(Field::Any, "zaplacen", false), &all).await,
        [0; 0]
    );
    assert_eq!(found(db, word("ann"), &all).await, [2, 1]);
    assert_eq!(
        found(db, words(Field::From, "ann@acme.example", false), &all).await,
        [1]
    );
    assert_eq!(found(db, words(Field::From, "ac", true), &all).await, [1]);
    assert_eq!(
        found(db, words(Field::To, "ann", false), &all).await,
        [0; 0]
    );
    assert_eq!(
        found(db, words(Field::To, "helpdesk", false), &all).await,
        [3, 2, 1]
    );
    assert_eq!(
        found(db, words(Field::Subject, "zaplaceno", false), &all).await,
        [0; 0]
    );
    assert_eq!(
        found(db, words(Field::Subject, "fakt", true), &all).await,
        [2, 1]
    );
    let unlike = Query::All(vec![word("faktura"), not(word("zaplaceno"))]);
    assert_eq!(found(db, unlike, &all).await, [1]);
    assert_eq!(found(db, not(word("faktura")), &all).await, [3]);
    let either = Query::Any(vec![
        word("newsletter"),
        not(words(Field::From, "beta", false)),
    ]);
    assert_eq!(found(db, either, &all).await, [3, 1]);
    assert_eq!(
        found(db, Query::Label("hasattachment".into()), &all).await,
        [2]
    );
    assert_eq!(
        found(db, word("hasattachment"), &all).await,
        [3],
        "the word, not the label"
    );
    assert_eq!(found(db, word("every"), &all).await, [0; 0]);
    let some = Access::Tokens(vec!["m2".into(), "u1".into()]);
    assert_eq!(found(db, Query::All(vec![]), &some).await, [3]);
    assert_eq!(found(db, word("faktura"), &some).await, [0; 0]);
    assert_eq!(
        found(db, not(word("faktura")), &Access::nothing()).await,
        [0; 0]
    );
    let mut tx = db.begin().await.unwrap();
    forget(&mut tx, &[MessageId(2)]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(found(db, word("faktura"), &all).await, [1]);
}

#[tokio::test]
async fn sqlite_answers() {
    let dir = std::env::temp_dir().join(format!("lettercase-search-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let db = crate::sql::Db::open_sqlite(&dir.join("a.db"), Default::default())
        .await
        .unwrap();
    crate::migrate::run(&db, Time(0)).await.unwrap();
    answers(&db).await;
    db.close().await;
    std::fs::remove_dir_all(&dir).unwrap();
}
