//! Names that one holds at a time.
#![allow(clippy::unwrap_used)]

use std::time::Duration;
use store::sql::{Db, Error};
use testkit::on_both;

const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(60);

on_both! {
    async fn a_held_name_is_had_by_nobody_else_until_it_is_let_go(db: Db) {
        let held = db.hold(7, LONG).await.unwrap();
        let refused = db.hold(7, SHORT).await.err();
        assert!(matches!(refused, Some(Error::Busy(_))), "{refused:?}");
        drop(db.hold(8, LONG).await.unwrap());
        let let_go = async {
            tokio::time::sleep(SHORT).await;
            drop(held);
        };
        let (waited, ()) = tokio::join!(db.hold(7, LONG), let_go);
        waited.unwrap();
    }
}
