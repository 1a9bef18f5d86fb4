//! Migrations, on both databases.
#![allow(clippy::unwrap_used)]

use model::Time;
use store::migrate::{self, Migration};
use store::params;
use store::sql::{Db, Engine, Error};
use testkit::{on_both, on_both_empty};

const ONE: Migration = Migration {
    number: 1,
    name: "one",
    text: "CREATE TABLE a (id BIGINT PRIMARY KEY, data {blob}, ratio {real});\n\
           -- only: sqlite\nCREATE TABLE only_sqlite (x TEXT);\n\
           CREATE TRIGGER t AFTER INSERT ON a BEGIN INSERT INTO only_sqlite VALUES ('1'); END;\n-- end\n\
           -- only: postgres\nCREATE TABLE only_postgres (x {json});\n-- end\n\
           CREATE INDEX a_by_ratio ON a (ratio);",
};
const TWO: Migration = Migration { number: 2, name: "two", text: "CREATE TABLE b (id BIGINT PRIMARY KEY);" };

fn reason(result: Result<usize, Error>) -> String {
    match result {
        Err(Error::Migration { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

on_both_empty! {
    async fn migrations_are_applied_once_and_in_order(db: Db) {
        assert_eq!(migrate::apply(&db, &[ONE], Time(5)).await.unwrap(), 1);
        assert_eq!(migrate::apply(&db, &[ONE, TWO], Time(6)).await.unwrap(), 1);
        assert_eq!(migrate::apply(&db, &[ONE, TWO], Time(7)).await.unwrap(), 0);
        let sql = "SELECT number, name, applied_at FROM migrations ORDER BY number";
        let rows = db.query(sql, params![]).await.unwrap();
        let got: Vec<(i64, String, Time)> = rows
            .iter()
            .map(|row| (row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap()))
            .collect();
        assert_eq!(got, [(1, "one".to_owned(), Time(5)), (2, "two".to_owned(), Time(6))]);
    }

    async fn tokens_and_sections_fit_the_database(db: Db) {
        migrate::apply(&db, &[ONE], Time(0)).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        let row = params![1, vec![1u8, 2], 0.5];
        tx.execute("INSERT INTO a (id, data, ratio) VALUES ($1, $2, $3)", row).await.unwrap();
        tx.commit().await.unwrap();
        let sqlite = db.query("SELECT x FROM only_sqlite", params![]).await;
        let postgres = db.query("SELECT x FROM only_postgres", params![]).await;
        match db.engine() {
            Engine::Sqlite => assert!(sqlite.unwrap().len() == 1 && postgres.is_err()),
            Engine::Postgres => assert!(sqlite.is_err() && postgres.unwrap().is_empty()),
        }
    }

    async fn a_changed_migration_is_refused(db: Db) {
        migrate::apply(&db, &[ONE, TWO], Time(0)).await.unwrap();
        let changed = Migration { text: "CREATE TABLE b (id TEXT PRIMARY KEY);", ..TWO };
        assert!(reason(migrate::apply(&db, &[ONE, changed], Time(0)).await).contains("changed"));
    }

    async fn a_database_newer_than_the_program_is_refused(db: Db) {
        migrate::apply(&db, &[ONE, TWO], Time(0)).await.unwrap();
        assert!(reason(migrate::apply(&db, &[ONE], Time(0)).await).contains("newer version"));
    }

    async fn a_migration_that_fails_leaves_nothing_behind(db: Db) {
        let broken = Migration { text: "CREATE TABLE b (id BIGINT);\nCREATE TABLE a (id BIGINT);", ..TWO };
        let failed = reason(migrate::apply(&db, &[ONE, broken], Time(0)).await);
        assert!(failed.contains("already exists"), "{failed}");
        assert!(db.query("SELECT id FROM b", params![]).await.is_err());
        assert_eq!(migrate::apply(&db, &[ONE, TWO], Time(0)).await.unwrap(), 1);
    }

    async fn unknown_tokens_and_open_sections_are_refused(db: Db) {
        let token = Migration { text: "CREATE TABLE b (id {bigint});", ..ONE };
        assert!(reason(migrate::apply(&db, &[token], Time(0)).await).contains("bigint"));
        let section = Migration { text: "-- only: sqlite\nCREATE TABLE b (id BIGINT);", ..ONE };
        assert!(reason(migrate::apply(&db, &[section], Time(0)).await).contains("-- end"));
    }

    async fn nodes_that_start_together_migrate_once(db: Db) {
        let nodes: Vec<_> = (0..4)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move { migrate::apply(&db, &[ONE, TWO], Time(0)).await })
            })
            .collect();
        let mut applied = 0;
        for node in nodes {
            applied += node.await.unwrap().unwrap();
        }
        assert_eq!(applied, 2);
    }
}

on_both! {
    async fn all_migrations_of_the_program_apply(db: Db) {
        assert_eq!(migrate::run(&db, Time(0)).await.unwrap(), 0);
        let rows = db.query("SELECT number FROM migrations", params![]).await.unwrap();
        assert_eq!(rows.len(), migrate::ALL.len());
    }
}

on_both_empty! {
    async fn a6_a12_the_gateway_knows_what_was_downloaded_and_moved_before_it(db: Db) {
        migrate::apply(&db, &migrate::ALL[..3], Time(0)).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        tx.script(
            "INSERT INTO mailboxes (id, kind, address, name, create_cases, active, protocol, host, port, tls, username, created_at)
               VALUES (1, 'group', 'a@a.example', 'a', FALSE, FALSE, 'imap', 'h', 993, 'implicit', 'u', 0);
             INSERT INTO mailboxes (id, kind, address, name, create_cases, active, protocol, host, port, tls, username, created_at)
               VALUES (2, 'group', 'b@a.example', 'b', FALSE, FALSE, 'imap', 'h', 993, 'implicit', 'u', 0);
             INSERT INTO folders (id, mailbox_id, name, read, after_filing, processed_folder, uidvalidity, cursor, listed, attempt, attempts)
               VALUES (1, 1, 'INBOX', TRUE, 'move', 'Processed', 7, 2, '1:2', '', 0);
             INSERT INTO folders (id, mailbox_id, name, read, after_filing, uidvalidity, cursor, listed, attempt, attempts)
               VALUES (2, 1, 'Other', TRUE, 'mark_read', 7, 1, '1', '', 0);",
        )
        .await
        .unwrap();
        for (id, folder, kept_at) in [(1, 1, 500), (2, 1, 400), (3, 2, 600)] {
            let text = "INSERT INTO occurrences (id, mailbox_id, folder_id, uidvalidity, uid, hash, size_bytes, internal_at, header,
                          state, kept_at, attempts, settle, settle_attempts)
                        VALUES ($1, 1, $2, 7, $1, $3, 1, 0, $3, 'filed', $4, 0, 'done', 0)";
            tx.execute(text, params![id, folder, vec![0_u8; 32], kept_at]).await.unwrap();
        }
        tx.commit().await.unwrap();
        assert_eq!(migrate::run(&db, Time(1)).await.unwrap(), migrate::ALL.len() - 3);
        let rows = db.query("SELECT begun_at FROM mailboxes ORDER BY id", params![]).await.unwrap();
        let begun: Vec<Option<i64>> = rows.iter().map(|row| row.get(0).unwrap()).collect();
        assert_eq!(begun, [Some(400), None]);
        let rows = db.query("SELECT settle FROM occurrences ORDER BY id", params![]).await.unwrap();
        let settled: Vec<String> = rows.iter().map(|row| row.get(0).unwrap()).collect();
        assert_eq!(settled, ["moved", "moved", "done"]);
    }
}
