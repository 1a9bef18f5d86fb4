//! The seam, on both databases.
#![allow(clippy::unwrap_used)]

use std::time::Duration;
use store::params;
use store::sql::{Db, Engine, Error, Row, Sql, Value};
use testkit::on_both_empty;

/// Long enough for a busy machine.
const SOON: Duration = Duration::from_secs(60);

const T: &str = "CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT UNIQUE, size BIGINT)";

async fn create(db: &Db, sql: &str) {
    let mut tx = db.begin().await.unwrap();
    let blob = store::sql::pick(db.engine(), "BLOB", "BYTEA");
    tx.script(&sql.replace("{blob}", blob)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn count(db: &Db) -> i64 {
    db.query_one("SELECT count(*) FROM t", params![]).await.unwrap().get(0).unwrap()
}

async fn add(db: &Db, id: i64, name: &str) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    tx.execute("INSERT INTO t (id, name) VALUES ($1, $2)", params![id, name]).await?;
    tx.commit().await
}

on_both_empty! {
    async fn values_come_back_as_they_went_in(db: Db) {
        create(&db, "CREATE TABLE v (id BIGINT PRIMARY KEY, i BIGINT, r DOUBLE PRECISION, t TEXT, b {blob}, y BOOLEAN)").await;
        let mut tx = db.begin().await.unwrap();
        let insert = "INSERT INTO v (id, i, r, t, b, y) VALUES ($1, $2, $3, $4, $5, $6)";
        let rows: Vec<Vec<Value>> = vec![
            params![1, i64::MAX, 0.1, "Žluťoučký 'kůň' $1", vec![0u8, 255, 7], true],
            params![2, i64::MIN, -1e300, "", Vec::<u8>::new(), false],
            vec![Value::Int(3), Value::Null, Value::Null, Value::Null, Value::Null, Value::Null],
            params![4, Some(5i64), None::<f64>, Some("x".to_owned()), [9u8; 32], None::<bool>],
        ];
        assert_eq!(tx.execute_many(insert, rows).await.unwrap(), 4);
        tx.commit().await.unwrap();
        let found = db.query("SELECT id, i, r, t, b, y FROM v ORDER BY id", params![]).await.unwrap();
        assert_eq!(found.len(), 4);
        assert_eq!(found[0].get::<i64>(1).unwrap(), i64::MAX);
        assert_eq!(found[0].get::<f64>(2).unwrap(), 0.1);
        assert_eq!(found[0].get::<String>(3).unwrap(), "Žluťoučký 'kůň' $1");
        assert_eq!(found[0].get::<Vec<u8>>(4).unwrap(), [0, 255, 7]);
        assert!(found[0].get::<bool>(5).unwrap());
        assert_eq!(found[1].get::<i64>(1).unwrap(), i64::MIN);
        assert_eq!(found[1].get::<f64>(2).unwrap(), -1e300);
        assert_eq!(found[1].get::<Option<String>>(3).unwrap().as_deref(), Some(""));
        assert_eq!(found[1].get::<Option<Vec<u8>>>(4).unwrap(), Some(vec![]));
        assert!(!found[1].get::<bool>(5).unwrap());
        assert_eq!((1..6).filter(|i| found[2].get::<Value>(*i).unwrap() == Value::Null).count(), 5);
        assert_eq!(found[2].get::<Option<bool>>(5).unwrap(), None);
        assert_eq!(found[3].get::<[u8; 32]>(4).unwrap(), [9; 32]);
        assert_eq!(found[3].get::<model::MessageId>(1).unwrap(), model::MessageId(5));
    }

    async fn a_column_read_as_the_wrong_type_is_an_error_and_no_panic(db: Db) {
        let row = db.query_one("SELECT 'x', NULL, 5000000000", params![]).await.unwrap();
        assert!(matches!(row.get::<i64>(0), Err(Error::Column { index: 0, found: "text", .. })));
        assert!(matches!(row.get::<i64>(1), Err(Error::Column { index: 1, found: "NULL", .. })));
        assert!(row.get::<i32>(2).is_err());
        assert!(row.get::<i64>(9).is_err());
        let nothing = db.query_one("SELECT 1 WHERE 1 = 2", params![]).await;
        assert!(matches!(nothing, Err(Error::NoRow(_))));
    }

    async fn text_with_a_nul_character_is_kept_with_a_replacement(db: Db) {
        create(&db, T).await;
        add(&db, 1, "a\0b").await.unwrap();
        let row = db.query_one("SELECT name FROM t", params![]).await.unwrap();
        assert_eq!(row.get::<String>(0).unwrap(), "a\u{FFFD}b");
    }

    async fn whole_sums_and_parameters_in_expressions_are_integers(db: Db) {
        create(&db, T).await;
        add(&db, 1, "a").await.unwrap();
        add(&db, 2, "b").await.unwrap();
        let sql = "SELECT sum(id), 1 + $1, count(*) FROM t WHERE id > $2 AND (name = $3 OR $4)";
        let row = db.query_one(sql, params![4i64, 0i64, "a", true]).await.unwrap();
        let got: Vec<i64> = (0..3).map(|i| row.get(i).unwrap()).collect();
        assert_eq!(got, [3, 5, 2]);
    }

    async fn a_second_row_with_the_same_key_is_a_conflict_that_names_the_table(db: Db) {
        create(&db, T).await;
        add(&db, 1, "a").await.unwrap();
        let error = add(&db, 2, "a").await.unwrap_err();
        let Error::Conflict { table, constraint } = &error else { panic!("{error:?}") };
        assert_eq!(table, "t");
        assert!(constraint.contains("name"), "{constraint}");
        assert!(!error.is_retryable());
        assert!(matches!(add(&db, 1, "b").await, Err(Error::Conflict { .. })));
        let null = add_null_id(&db).await.unwrap_err();
        assert!(matches!(null, Error::Constraint(_)), "{null:?}");
    }

    async fn a_dropped_transaction_leaves_nothing_and_its_connection_is_usable(db: Db) {
        create(&db, T).await;
        // More often than there are connections.
        for round in 0..10 {
            let mut tx = db.begin().await.unwrap();
            tx.execute("INSERT INTO t (id, name) VALUES ($1, $2)", params![round, "x"]).await.unwrap();
            drop(tx);
            assert_eq!(count(&db).await, 0);
        }
        let mut tx = db.begin().await.unwrap();
        tx.execute("INSERT INTO t (id, name) VALUES ($1, $2)", params![1, "x"]).await.unwrap();
        tx.rollback().await.unwrap();
        add(&db, 7, "y").await.unwrap();
        assert_eq!(count(&db).await, 1);
    }

    async fn after_a_failed_statement_a_transaction_cannot_commit(db: Db) {
        create(&db, T).await;
        let mut tx = db.begin().await.unwrap();
        tx.execute("INSERT INTO t (id) VALUES (1)", params![]).await.unwrap();
        assert!(tx.execute("INSERT INTO nowhere (id) VALUES (1)", params![]).await.is_err());
        let next = tx.execute("INSERT INTO t (id) VALUES (2)", params![]).await;
        assert_eq!(next, Err(Error::Failed));
        assert_eq!(tx.commit().await, Err(Error::Failed));
        assert_eq!(count(&db).await, 0);
        add(&db, 1, "a").await.unwrap();
    }

    async fn others_see_nothing_before_the_commit(db: Db) {
        create(&db, T).await;
        let mut tx = db.begin().await.unwrap();
        tx.execute("INSERT INTO t (id) VALUES (1)", params![]).await.unwrap();
        assert_eq!(count(&db).await, 0);
        let own = tx.query_one("SELECT count(*) FROM t", params![]).await.unwrap();
        assert_eq!(own.get::<i64>(0).unwrap(), 1);
        tx.commit().await.unwrap();
        assert_eq!(count(&db).await, 1);
    }

    async fn a_snapshot_keeps_seeing_its_moment(db: Db) {
        create(&db, T).await;
        add(&db, 1, "a").await.unwrap();
        let mut before = db.snapshot().await.unwrap();
        let sql = "SELECT count(*) FROM t";
        assert_eq!(before.query_one(sql, params![]).await.unwrap().get::<i64>(0).unwrap(), 1);
        add(&db, 2, "b").await.unwrap();
        assert_eq!(before.query_one(sql, params![]).await.unwrap().get::<i64>(0).unwrap(), 1);
        assert_eq!(count(&db).await, 2);
        drop(before);
        let mut after = db.snapshot().await.unwrap();
        assert_eq!(after.query_one(sql, params![]).await.unwrap().get::<i64>(0).unwrap(), 2);
    }

    async fn reading_handles_and_snapshots_refuse_to_write(db: Db) {
        create(&db, T).await;
        let sql = "INSERT INTO t (id) VALUES (1) RETURNING id";
        assert!(db.query(sql, params![]).await.is_err());
        assert!(db.snapshot().await.unwrap().query(sql, params![]).await.is_err());
        assert_eq!(count(&db).await, 0);
    }

    async fn waiting_writers_are_served_and_none_is_lost(db: Db) {
        create(&db, T).await;
        add(&db, 0, "counter").await.unwrap();
        let tasks: Vec<_> = (0..40i64)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move {
                    let mut tx = db.begin().await.unwrap();
                    tx.lock(1).await.unwrap();
                    let sql = "SELECT coalesce(size, 0) FROM t WHERE id = 0";
                    let size: i64 = tx.query_one(sql, params![]).await.unwrap().get(0).unwrap();
                    tx.execute("UPDATE t SET size = $1 WHERE id = 0", params![size + 1]).await.unwrap();
                    tx.commit().await.unwrap();
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let row = db.query_one("SELECT size FROM t", params![]).await.unwrap();
        assert_eq!(row.get::<i64>(0).unwrap(), 40);
    }

    async fn many_rows_are_inserted_and_counted(db: Db) {
        create(&db, T).await;
        let rows = |from: i64, to: i64| (from..to).map(|i| params![i, format!("n{i}"), None::<i64>]).collect();
        let mut tx = db.begin().await.unwrap();
        let head = "INSERT INTO t (id, name, size) VALUES";
        // 128 + 128 + 16 + 16 + 3 single rows.
        assert_eq!(tx.insert_many(head, "", rows(0, 291)).await.unwrap(), 291);
        assert_eq!(tx.insert_many(head, "", vec![]).await.unwrap(), 0);
        let fresh = tx.insert_many(head, "ON CONFLICT DO NOTHING", rows(200, 300)).await.unwrap();
        assert_eq!(fresh, 9);
        tx.commit().await.unwrap();
        assert_eq!(count(&db).await, 300);
        let row = db.query_one("SELECT name FROM t WHERE id = $1", params![130]).await.unwrap();
        assert_eq!(row.get::<String>(0).unwrap(), "n130");
        let mut tx = db.begin().await.unwrap();
        let uneven = vec![params![1000, "p", 1], params![1001, "q"]];
        assert!(tx.insert_many(head, "", uneven).await.is_err());
    }

    async fn large_rows_are_inserted_together(db: Db) {
        create(&db, "CREATE TABLE big (id BIGINT PRIMARY KEY, body {blob})").await;
        let rows = (0..40i64).map(|i| params![i, vec![i as u8; 300_000]]).collect();
        let mut tx = db.begin().await.unwrap();
        assert_eq!(tx.insert_many("INSERT INTO big (id, body) VALUES", "", rows).await.unwrap(), 40);
        tx.commit().await.unwrap();
        let mut row = db.query_one("SELECT body FROM big WHERE id = 39", params![]).await.unwrap();
        let body: Vec<u8> = row.take(0).unwrap();
        assert!(body.len() == 300_000 && body.iter().all(|byte| *byte == 39));
    }

    async fn one_statement_answers_for_many_parameters_in_order(db: Db) {
        create(&db, T).await;
        for (id, name) in [(1, "a"), (2, "b"), (3, "c")] {
            add(&db, id, name).await.unwrap();
        }
        let sql = "SELECT name FROM t WHERE id >= $1 ORDER BY id";
        let names = |answers: Vec<Vec<Row>>| -> Vec<String> {
            let join = |rows: &Vec<Row>| rows.iter().map(|r| r.get::<String>(0).unwrap()).collect();
            answers.iter().map(join).collect()
        };
        let wanted = || vec![params![2], params![9], params![1]];
        assert_eq!(names(db.query_many(sql, wanted()).await.unwrap()), ["bc", "", "abc"]);
        let mut tx = db.begin().await.unwrap();
        assert_eq!(names(tx.query_many(sql, wanted()).await.unwrap()), ["bc", "", "abc"]);
        let many = (0..1000).map(|_| params![3]).collect();
        assert_eq!(tx.query_many(sql, many).await.unwrap().len(), 1000);
        let returned = "INSERT INTO t (id, name) VALUES ($1, $2) RETURNING id";
        let ids = tx.query_many(returned, vec![params![7, "g"], params![8, "h"]]).await.unwrap();
        assert_eq!(ids[1][0].get::<i64>(0).unwrap(), 8);
    }

    async fn the_wrong_number_of_values_is_an_error(db: Db) {
        for params in [params![], params![1, 2]] {
            let error = db.query("SELECT CAST($1 AS BIGINT)", params).await.unwrap_err();
            assert!(matches!(error, Error::Other(_)), "{error:?}");
        }
        assert!(db.check("SELECT CAST($1 AS BIGINT)").await.is_ok());
        assert!(db.check("SELECT x FROM nowhere").await.is_err());
    }

    async fn a_notifying_commit_wakes_those_who_wait_and_a_dropped_one_does_not(db: Db) {
        create(&db, T).await;
        let mut signal = db.changes_signal();
        if db.engine() == Engine::Postgres {
            // The listening connection reports once when it is ready.
            tokio::time::timeout(SOON, signal.wait_for(|number| *number > 0)).await.unwrap().unwrap();
        }
        signal.borrow_and_update();
        let mut tx = db.begin().await.unwrap();
        tx.notify();
        drop(tx);
        add(&db, 1, "silent").await.unwrap();
        let quiet = tokio::time::timeout(Duration::from_millis(300), signal.changed()).await;
        assert!(quiet.is_err());
        let mut tx = db.begin().await.unwrap();
        tx.execute("INSERT INTO t (id) VALUES (2)", params![]).await.unwrap();
        tx.notify();
        tx.commit().await.unwrap();
        tokio::time::timeout(SOON, signal.changed()).await.unwrap().unwrap();
    }

    async fn a_closed_database_says_so(db: Db) {
        create(&db, T).await;
        let other = db.clone();
        db.close().await;
        assert_eq!(other.query("SELECT 1", params![]).await, Err(Error::Closed));
        assert_eq!(other.begin().await.err(), Some(Error::Closed));
    }

    async fn closing_waits_for_the_running_transaction(db: Db) {
        create(&db, T).await;
        db.optimize().await.unwrap();
        let mut tx = db.begin().await.unwrap();
        tx.execute("INSERT INTO t (id) VALUES (1)", params![]).await.unwrap();
        let closing = tokio::spawn(db.clone().close());
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!closing.is_finished());
        tx.commit().await.unwrap();
        tokio::time::timeout(SOON, closing).await.unwrap().unwrap();
    }

    async fn generic_readers_work_with_handle_snapshot_and_transaction(db: Db) {
        create(&db, T).await;
        async fn how_many(sql: &mut impl Sql) -> i64 {
            sql.query_one("SELECT count(*) FROM t", params![]).await.unwrap().get(0).unwrap()
        }
        let snapshot = &mut db.snapshot().await.unwrap();
        let tx = &mut db.begin().await.unwrap();
        let sum = how_many(&mut &db).await + how_many(snapshot).await + how_many(tx).await;
        assert_eq!(sum, 0);
        assert!(matches!(tx.engine(), Engine::Sqlite | Engine::Postgres));
    }
}

async fn add_null_id(db: &Db) -> Result<(), Error> {
    let mut tx = db.begin().await?;

    tx.script("CREATE TABLE n (a BIGINT NOT NULL)").await?;
    tx.execute("INSERT INTO n (a) VALUES (NULL)", params![]).await.map(drop)
}
