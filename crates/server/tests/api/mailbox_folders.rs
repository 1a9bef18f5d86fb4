//! Folders of synchronised mailboxes, from outside.

use crate::browser::{Browser, World};
use crate::office::{Mail, Office};
use axum::http::{Method, StatusCode};
use model::MailboxId;
use serde_json::{Value, json};
use store::folders::synchronised::{self, ServerFolder};
use store::sql::Db;

const ORDER: Mail = Mail {
    from: "Carla <carla@firm.example>",
    to: "helpdesk@acme.example",
    subject: "Broken lamp",
    id: "l1@firm.example",
    answers: "",
    text: "The lamp is broken.",
    kind: "",
};

const MAIL: [(&str, &str); 2] = [("content-type", "message/rfc822"), ("sec-fetch-site", "same-origin")];

/// A helpdesk of a team with two mails in INBOX, kept as on its server; and one that files.
async fn company(world: &World) -> (MailboxId, MailboxId) {
    let mut office = Office::at(world.app.desk.clone());
    let support = office.team("Support").await;
    let helpdesk = office.mailbox("helpdesk@acme.example", Some(support)).await;
    let old = office.mailbox("old@acme.example", None).await;
    office.arrives(helpdesk, ORDER).await;
    office.arrives(helpdesk, Mail { id: "l2@firm.example", subject: "Second lamp", ..ORDER }).await;
    office.arrives(old, Mail { id: "l3@firm.example", ..ORDER }).await;
    let mut tx = office.desk.db.begin().await.unwrap();
    let folder =
        |name: &str, special_use| ServerFolder { name: name.into(), delimiter: Some('/'), special_use };
    let listed = [folder("INBOX", None), folder("INBOX/Orders", None), folder("Bin", Some("trash"))];
    synchronised::listed(&mut tx, helpdesk, &listed, office.desk.clock.now()).await.unwrap();
    let text = "UPDATE mailboxes SET mode = 'synchronise' WHERE id = $1";
    tx.execute(text, store::params![helpdesk]).await.unwrap();
    tx.commit().await.unwrap();
    (helpdesk, old)
}

async fn tree(browser: &mut Browser, id: MailboxId) -> Value {
    browser.get(&format!("/api/v1/mailboxes/{id}/folders")).await.json()
}

/// The id of a folder.
fn of<'a>(tree: &'a Value, path: &str) -> &'a Value {
    tree["folders"].as_array().unwrap().iter().find(|folder| folder["path"] == path).unwrap()
}

async fn rows(browser: &mut Browser, id: MailboxId, folder: &Value) -> Vec<Value> {
    let path = format!("/api/v1/mailboxes/{id}/folders/{}/messages", folder["id"]);
    let page = browser.get(&path).await.json();
    assert_eq!(page["total"], folder["total"]);
    page["rows"].as_array().unwrap().clone()
}

testkit::on_both! {
    async fn a15_folders_are_a_tree_and_what_is_done_in_them_is_shown_at_once(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let (helpdesk, _) = company(&world).await;
        let mut ben = member(&world, &mut ann).await;
        let folders = tree(&mut ben, helpdesk).await;
        let orders = of(&folders, "INBOX/Orders");
        assert_eq!((&orders["name"], &orders["parent"]), (&json!("Orders"), &json!("INBOX")));
        assert_eq!(of(&folders, "Bin")["special_use"], "trash");
        assert_eq!((&of(&folders, "INBOX")["total"], &of(&folders, "INBOX")["unseen"]), (&json!(2), &json!(2)));

        let messages = rows(&mut ben, helpdesk, of(&folders, "INBOX")).await;
        assert_eq!((&messages[0]["subject"], &messages[0]["flags"]), (&json!("Second lamp"), &json!([])));
        assert_eq!(messages[0]["from"]["address"], "carla@firm.example");
        let (second, first) = (&messages[0]["occurrence_id"], &messages[1]["occurrence_id"]);
        let at = format!("/api/v1/mailboxes/{helpdesk}/messages");
        world.rounds.take();
        let before = world.last_change().await;
        let flags = json!({"occurrence_ids": [first, second], "add": ["seen", "flagged"]});
        assert_eq!(ben.post(&format!("{at}/flags"), flags).await.status, StatusCode::NO_CONTENT);
        let moved = json!({"occurrence_ids": [first], "folder_id": orders["id"]});
        assert_eq!(ben.post(&format!("{at}/move"), moved).await.status, StatusCode::NO_CONTENT);
        let deleted = json!({"occurrence_ids": [second]});
        assert_eq!(ben.post(&format!("{at}/delete"), deleted).await.status, StatusCode::NO_CONTENT);
        assert_eq!(world.rounds.take(), vec![format!("scan {helpdesk}"); 3]);

        let folders = tree(&mut ben, helpdesk).await;
        assert_eq!(folders["due"], 4);
        let totals = ["INBOX", "INBOX/Orders", "Bin"].map(|path| of(&folders, path)["total"].as_i64().unwrap());
        assert_eq!(totals, [0, 1, 1]);
        assert_eq!(rows(&mut ben, helpdesk, of(&folders, "INBOX")).await.len(), 0);
        let shown = rows(&mut ben, helpdesk, of(&folders, "INBOX/Orders")).await;
        assert_eq!(shown[0]["flags"], json!(["flagged", "seen"]));
        // Who works in it hears of it; who sees nothing of it does not.
        let mut eve = world.user(&mut ann, "eve", "Agent").await;
        for (who, heard) in [(&mut ben, 3), (&mut eve, 0)] {
            let changes = who.get(&format!("/api/v1/changes?after={before}")).await.json();
            let rows = changes["rows"].as_array().unwrap();
            let folders = rows.iter().filter(|row| row["kind"] == "mailbox" && row["action"] == "folders");
            assert_eq!(folders.count(), heard);
        }
        // What is on its way is left alone until it is there.
        let again = json!({"occurrence_ids": [second]});
        assert_eq!(ben.post(&format!("{at}/delete"), again).await.problem(), (409, "being_moved".into()));
    }

    async fn a15_a_message_is_added_as_it_is_sent_with_its_flags(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let (helpdesk, _) = company(&world).await;
        let mut ben = member(&world, &mut ann).await;
        let folders = tree(&mut ben, helpdesk).await;
        let at = format!("/api/v1/mailboxes/{helpdesk}/folders/{}/messages", of(&folders, "INBOX/Orders")["id"]);
        // Larger than what other doors take.
        let large = format!("Subject: draft\r\n\r\n{}", "0123456789".repeat(200_000)).into_bytes();
        let sent = ben.send_raw(Method::POST, &format!("{at}?flags=draft,seen"), large.clone().into(), &MAIL).await;
        assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
        let sql = "SELECT id FROM operations WHERE kind = 'append'";
        let id = world.app.desk.db.query_one(sql, store::params![]).await.unwrap().get(0).unwrap();
        let kept = store::operations::raw_of(&mut &world.app.desk.db, id).await.unwrap();
        assert!(kept == Some(large), "not a byte is changed");
        let odd = ben.send_raw(Method::POST, &format!("{at}?flags=recent"), "x".into(), &MAIL).await;
        assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
    }

    async fn a15_folders_are_seen_and_changed_by_whom_they_belong_to(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let (helpdesk, old) = company(&world).await;
        let mut stranger = world.user(&mut ann, "eve", "Agent").await;
        let folders = tree(&mut ann, helpdesk).await;
        let inbox = of(&folders, "INBOX");
        let first = rows(&mut ann, helpdesk, inbox).await[0]["occurrence_id"].clone();
        let messages = format!("/api/v1/mailboxes/{helpdesk}/folders/{}/messages", inbox["id"]);
        for path in [format!("/api/v1/mailboxes/{helpdesk}/folders"), messages, "/api/v1/mailboxes/99/folders".into()] {
            assert_eq!(stranger.get(&path).await.problem().0, 404, "{path}");
        }
        let flags = json!({"occurrence_ids": [first], "add": ["seen"]});
        let at = format!("/api/v1/mailboxes/{helpdesk}/messages/flags");
        assert_eq!(stranger.post(&at, flags.clone()).await.problem().0, 404);
        // An administrator sees all mail, and does not work in a team's mailbox.
        assert_eq!(ann.post(&at, flags.clone()).await.problem().0, 403);
        let elsewhere = format!("/api/v1/mailboxes/{old}/messages/flags");
        assert_eq!(ann.post(&elsewhere, flags).await.problem(), (409, "not_synchronised".into()));
        let moving = json!({"to_mailbox_id": helpdesk, "to_folder": "INBOX/Orders"});
        let move_all = format!("/api/v1/mailboxes/{old}/move-messages");
        assert_eq!(stranger.post(&move_all, moving.clone()).await.problem().0, 404);
        let answer = ann.post(&move_all, moving.clone()).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::ACCEPTED, json!({"operations": 1})));
        // Twice asked is once moved.
        assert_eq!(ann.post(&move_all, moving).await.json(), json!({"operations": 0}));
        let itself = json!({"to_mailbox_id": old, "to_folder": "INBOX"});
        assert_eq!(ann.post(&move_all, itself).await.problem().0, 422);
    }
}

/// Somebody of the helpdesk's team.
async fn member(world: &World, ann: &mut Browser) -> Browser {
    let ben = world.user(ann, "ben", "Agent").await;
    let users = ann.get("/api/v1/users").await.json();
    let id = users.as_array().unwrap().iter().find(|user| user["login"] == "ben").unwrap()["id"].clone();
    let teams = ann.get("/api/v1/teams").await.json();
    let team = teams.as_array().unwrap().iter().find(|team| team["name"] == "Support").unwrap()["id"].clone();
    let answer = ann.patch(&format!("/api/v1/users/{id}"), json!({"teams": [team]})).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    ben
}
