//! What could not be understood: shown, saved, tried again.

use crate::browser::{Browser, World};
use axum::http::{StatusCode, header};
use desk::receive::{Aside, Item, Place, Receive};
use model::{FolderId, MailboxId, Time};
use serde_json::json;
use store::folders;
use store::params;
use store::sql::Db;

const RAW: &[u8] = b"From: ann@acme.example\r\nSubject: =?broken\r\n\r\nHello\r\n\0\xff";

/// A mailbox with one message in quarantine; their ids.
async fn quarantined(world: &World, ann: &mut Browser) -> (i64, i64) {
    let form = json!({
        "kind": "group", "address": "help@acme.example", "host": "imap.acme.example", "port": 993,
        "tls": "implicit", "username": "help", "process": "Helpdesk", "teams": ["Support"]
    });
    let made = ann.post("/api/v1/mailboxes", form).await.json();
    let mailbox = MailboxId(made["id"].as_i64().unwrap());
    let folder = FolderId(made["folders"][0]["id"].as_i64().unwrap());
    let db = &world.app.desk.db;
    let mut tx = db.begin().await.unwrap();
    folders::visited(&mut tx, folder, 7, "5", 0).await.unwrap();
    tx.commit().await.unwrap();
    let receive = Receive::new(world.app.desk.clone());
    let place = Place { mailbox, folder, uidvalidity: 7 };
    let aside = Some(Aside::Ends("the program ended each time it read this message".to_owned()));
    let item = Item { uid: 5, internal_at: Time(0), raw: RAW.to_vec(), aside };
    let mut folder = folders::get(&mut &*db, folder).await.unwrap().unwrap();
    receive.keep(&mut folder, &mut [receive.open(&place, item)], 5).await.unwrap();
    let row = db.query_one("SELECT id FROM occurrences WHERE uid = $1", params![5i64]).await.unwrap();
    (mailbox.0, row.get(0).unwrap())
}

testkit::on_both! {
    async fn a22_what_defeats_the_parser_is_shown_with_its_bytes_and_can_be_tried_again(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let (mailbox, id) = quarantined(&world, &mut ann).await;
        let page = ann.get("/api/v1/quarantine").await.json();
        assert_eq!(page["total"], 1);
        let row = &page["rows"][0];
        assert_eq!((&row["occurrence_id"], &row["uid"]), (&json!(id), &json!(5)));
        assert_eq!((&row["mailbox"], &row["folder"]), (&json!("help@acme.example"), &json!("INBOX")));
        assert_eq!(row["size_bytes"], RAW.len());
        assert!(row["reason"].as_str().unwrap().contains("ended each time"));
        assert_eq!((&row["code"], &row["params"]["said"]), (&json!("unreadable"), &row["reason"]));
        assert_eq!(page["reasons"], json!([{ "code": "unreadable", "count": 1 }]));
        let ledger = &ann.get(&format!("/api/v1/mailboxes/{mailbox}")).await.json()["ledger"];
        assert_eq!((&ledger["seen"], &ledger["quarantined"], &ledger["difference"]), (&json!(1), &json!(1), &json!(0)));

        let raw = ann.get(&format!("/api/v1/quarantine/{id}/raw")).await;
        assert_eq!(raw.body, RAW);
        assert_eq!(raw.headers[header::CONTENT_TYPE], "message/rfc822");
        assert!(raw.headers[header::CONTENT_DISPOSITION].to_str().unwrap().starts_with("attachment"));
        assert_eq!(ann.get("/api/v1/quarantine/999/raw").await.problem().0, 404);

        world.rounds.take();
        let retry = format!("/api/v1/quarantine/{id}/retry");
        assert_eq!(ann.post(&retry, json!({})).await.status, StatusCode::NO_CONTENT);
        assert_eq!(world.rounds.take(), [format!("scan {mailbox}")]);
        assert_eq!(ann.get("/api/v1/quarantine").await.json()["total"], 0);
        assert_eq!(ann.post(&retry, json!({})).await.problem().0, 404);
        // It waits to be filed; as nothing that is in quarantine it is not saved from there.
        assert_eq!(ann.get(&format!("/api/v1/mailboxes/{mailbox}")).await.json()["ledger"]["waiting"], 1);
        assert_eq!(ann.get(&format!("/api/v1/quarantine/{id}/raw")).await.problem().0, 404);
    }

    async fn a22_all_of_a_reason_is_tried_again_with_one_request_and_what_was_not_taken_stays(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let (mailbox, _) = quarantined(&world, &mut ann).await;
        let receive = Receive::new(world.app.desk.clone());
        let mut folder = folders::read_folders(&mut &world.app.desk.db, MailboxId(mailbox)).await.unwrap().remove(0);
        let place = Place { mailbox: MailboxId(mailbox), folder: folder.id, uidvalidity: 7 };
        let large = Aside::TooLarge { size_bytes: 99_000_000 };
        let ends = Aside::Ends("it ends the program".to_owned());
        let aside = (6..).zip([large, ends.clone(), ends]);
        let items = aside.map(|(uid, aside)| Item { uid, internal_at: Time(0), raw: RAW.to_vec(), aside: Some(aside) });
        let mut opened: Vec<_> = items.map(|item| receive.open(&place, item)).collect();
        receive.keep(&mut folder, &mut opened, 8).await.unwrap();
        let retry = |reason: serde_json::Value| json!({ "reason": reason });
        let url = "/api/v1/quarantine/retry";
        assert_eq!(ann.post(url, retry(json!("no such"))).await.problem().0, 422);
        assert_eq!(ann.post(url, retry(json!("too_large"))).await.json(), json!({ "retried": 0 }));
        world.rounds.take();
        assert_eq!(ann.post(url, retry(json!("unreadable"))).await.json(), json!({ "retried": 3 }));
        assert_eq!(world.rounds.take(), [format!("scan {mailbox}")]);
        let page = ann.get("/api/v1/quarantine").await.json();
        assert_eq!(page["reasons"], json!([{ "code": "too_large", "count": 1 }]));
        assert_eq!(page["rows"][0]["params"]["size_bytes"], "99000000");
        assert_eq!(ann.post(url, retry(json!(null))).await.json(), json!({ "retried": 0 }));
    }
}
