//! Tests that run on both databases.

/// Each function becomes two tests, `name::sqlite` and `name::postgres`, on a new database with all
/// migrations applied:
///
/// ```ignore
/// testkit::on_both! {
///     async fn a_message_is_kept(db: Db) { ... }
/// }
/// ```
///
/// The calling crate needs `store`, `model` and `tokio` among its dependencies. In `store` itself such
/// tests are in `tests/`: inside `src/` they would see the crate twice.
#[macro_export]
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident: $kind:ty) $body:block)*) => { $(
        $crate::on_both_with! {
            [$(#[$meta])*] $name $db $kind, $body
            sqlite: db => {
                ::store::migrate::run(&db, ::model::Time(0)).await.expect("the migrations fit");
            }
            postgres: {
                let template = format!("template_{}", ::store::migrate::fingerprint());
                $crate::postgres::database_like(&template, async |url: String| {
                    let db = ::store::sql::Db::open_postgres(&url, Default::default()).await?;
                    ::store::migrate::run(&db, ::model::Time(0)).await?;
                    db.close().await;
                    $crate::anyhow::Ok(())
                }).await
            }
        }
    )* };
}

/// As [`on_both!`](crate::on_both), on an empty database without any table.
#[macro_export]
macro_rules! on_both_empty {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident: $kind:ty) $body:block)*) => { $(
        $crate::on_both_with! {
            [$(#[$meta])*] $name $db $kind, $body
            sqlite: _db => {}
            postgres: { $crate::postgres::database() }
        }
    )* };
}

/// What both have in common: how SQLite's new database is filled, and whence PostgreSQL's comes.
#[doc(hidden)]
#[macro_export]
macro_rules! on_both_with {
    (
        [$(#[$meta:meta])*] $name:ident $db:ident $kind:ty, $body:block
        sqlite: $new:ident => $fill:block
        postgres: $url:block
    ) => {
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn body($db: $kind) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let folder = $crate::folder::Folder::new().expect("a temporary folder");
                let file = folder.path().join("test.db");
                let $new = ::store::sql::Db::open_sqlite(&file, Default::default()).await;
                let $new = $new.expect("a new SQLite database opens");
                $fill
                body($new.clone()).await;
                $new.close().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let url = $url.expect("a PostgreSQL database");
                let db = ::store::sql::Db::open_postgres(&url, Default::default()).await;
                let db = db.expect("the new database opens");
                body(db.clone()).await;
                db.close().await;
            }
        }
    };
}
