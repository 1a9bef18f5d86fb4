//! Connecting, testing and changing mailboxes.

use crate::browser::{PASSWORD, World};
use axum::http::StatusCode;
use serde_json::{Value, json};
use store::sql::Db;

const SECRET: &str = "tajné heslo 42";

fn helpdesk() -> Value {
    json!({
        "kind": "group", "address": "Helpdesk@Acme.example", "host": "imap.acme.example", "port": 993,
        "tls": "implicit", "username": "helpdesk", "password": SECRET, "process": "Helpdesk",
        "team": "Support", "create_cases": true
    })
}

testkit::on_both! {
    async fn a1_a_mailbox_is_connected_with_its_process_and_team_and_is_off(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let answer = ann.post("/api/v1/mailboxes", helpdesk()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        let mailbox = answer.json();
        assert_eq!(mailbox["address"], "helpdesk@acme.example");
        assert_eq!(mailbox["name"], "helpdesk@acme.example");
        assert_eq!(mailbox["active"], false);
        assert_eq!(mailbox["has_password"], true);
        assert_eq!(mailbox["process"]["name"], "Helpdesk");
        assert_eq!(mailbox["teams"][0]["name"], "Support");
        assert_eq!(mailbox["state"]["phase"], "off");
        assert_eq!(mailbox["folders"][0]["name"], "INBOX");
        assert_eq!(mailbox["folders"][0]["after_filing"], "move");
        assert_eq!(mailbox["folders"][0]["processed_folder"], "Processed");
        assert_eq!(mailbox["ledger"]["difference"], 0);
        let id = mailbox["id"].as_i64().unwrap();
        assert_eq!(world.rounds.take(), [format!("changed {id}")]);

        let scan = format!("/api/v1/mailboxes/{id}/scan");
        assert_eq!(ann.post(&scan, json!({})).await.problem(), (409, "mailbox_off".into()));
        let on = ann.patch(&format!("/api/v1/mailboxes/{id}"), json!({"active": true})).await.json();
        assert_eq!(on["state"]["phase"], "scanning");
        assert_eq!(on["state"]["progress"], json!({"done": 1, "total": 3}));
        assert_eq!(ann.post(&scan, json!({})).await.status, StatusCode::ACCEPTED);
        assert_eq!(world.rounds.take(), [format!("changed {id}"), format!("scan {id}")]);
        assert_eq!(ann.get(&format!("/api/v1/mailboxes/{id}/ledger")).await.json()[0]["folder"], "INBOX");
        assert_eq!(ann.get("/api/v1/mailboxes").await.json()["rows"][0], on);
        assert_eq!(ann.get("/api/v1/mailboxes/99").await.problem().0, 404);
        assert_eq!(ann.post("/api/v1/mailboxes/99/scan", json!({})).await.problem().0, 404);
    }

    async fn a3_a_password_goes_in_and_never_comes_out(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let made = ann.post("/api/v1/mailboxes", helpdesk()).await;
        let id = made.json()["id"].as_i64().unwrap();
        let one = format!("/api/v1/mailboxes/{id}");
        let mut answers = vec![made];
        for path in ["/api/v1/mailboxes", &one, &format!("{one}/ledger"), "/api/v1/changes", "/api/v1/users"] {
            answers.push(ann.get(path).await);
        }
        answers.push(ann.patch(&one, json!({"password": format!("{SECRET}!")})).await);
        answers.push(ann.patch(&one, json!({"password": 42})).await);
        answers.push(ann.post("/api/v1/mailboxes/test", helpdesk()).await);
        for answer in answers {
            for secret in [SECRET, PASSWORD, "argon2", "secret"] {
                assert!(!answer.text().contains(secret), "{}", answer.text());
            }
        }
        let mailbox = model::MailboxId(id);
        let sealed = store::mailboxes::secret(&mut &world.app.desk.db, mailbox).await.unwrap().unwrap();
        assert!(!sealed.windows(SECRET.len()).any(|bytes| bytes == SECRET.as_bytes()));
        let login = desk::mailbox::login(&world.app.desk, mailbox).await.unwrap().unwrap();
        assert_eq!(login.credential.secret().reveal(), format!("{SECRET}!"));
        assert!(!format!("{login:?}").contains(SECRET));
    }

    async fn a_password_is_not_sent_to_a_changed_server(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut form = helpdesk();
        form["active"] = json!(true);
        let id = ann.post("/api/v1/mailboxes", form).await.json()["id"].as_i64().unwrap();
        let path = format!("/api/v1/mailboxes/{id}");
        let same = ann.patch(&path, json!({"name": "Help", "host": "IMAP.acme.example.", "port": 993})).await.json();
        assert_eq!((&same["has_password"], &same["active"]), (&json!(true), &json!(true)));
        for change in [
            json!({"host": "evil.example"}),
            json!({"port": 143}),
            json!({"tls": "starttls"}),
            json!({"username": "other"}),
        ] {
            ann.patch(&path, json!({"password": SECRET, "active": true})).await;
            let changed = ann.patch(&path, change.clone()).await.json();
            assert_eq!(changed["has_password"], false, "{change}");
            assert_eq!(changed["active"], false, "{change}");
            assert!(desk::mailbox::login(&world.app.desk, model::MailboxId(id)).await.unwrap().is_none());
            let on = ann.patch(&path, json!({"active": true})).await;
            assert_eq!(on.json()["fields"]["password"]["message"], "enter the mailbox's password to switch it on");
        }
        let moved = ann.patch(&path, json!({"host": "new.example", "password": SECRET, "active": true})).await.json();
        assert_eq!((&moved["has_password"], &moved["active"]), (&json!(true), &json!(true)));
    }

    async fn a9_a_test_says_where_it_failed_and_saves_nothing(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let before = world.last_change().await;
        let failed = ann.post("/api/v1/mailboxes/test", helpdesk()).await.json();
        assert_eq!(failed["ok"], false);
        assert_eq!(failed["error"]["stage"], "login");
        let mut form = helpdesk();
        form["password"] = json!("right");
        let found = ann.post("/api/v1/mailboxes/test", form.clone()).await.json();
        assert_eq!((&found["ok"], &found["folders"][0]["name"]), (&json!(true), &json!("INBOX")));
        assert_eq!(ann.get("/api/v1/mailboxes").await.json()["rows"], json!([]));
        assert_eq!(world.last_change().await, before);

        // The stored password is used for its own server only.
        let id = ann.post("/api/v1/mailboxes", form.clone()).await.json()["id"].clone();
        form.as_object_mut().unwrap().remove("password");
        form["mailbox_id"] = id;
        assert_eq!(ann.post("/api/v1/mailboxes/test", form.clone()).await.json()["ok"], true);
        world.rounds.take();
        form["host"] = json!("evil.example");
        let refused = ann.post("/api/v1/mailboxes/test", form).await;
        assert_eq!(refused.json()["fields"]["password"]["message"], "enter the mailbox's password");
        assert_eq!(world.rounds.take(), [""; 0]);
    }

    async fn folders_that_are_no_longer_chosen_keep_their_history(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let id = ann.post("/api/v1/mailboxes", helpdesk()).await.json()["id"].clone();
        let path = format!("/api/v1/mailboxes/{id}");
        let two = json!({"folders": [{"name": "Orders", "after_filing": "leave"}, {"name": "inbox", "after_filing": "mark_read"}]});
        let folders = ann.patch(&path, two).await.json()["folders"].clone();
        assert_eq!(folders[0], json!({"id": 1, "name": "INBOX", "read": true, "after_filing": "mark_read", "processed_folder": null}));
        assert_eq!((&folders[1]["name"], &folders[1]["after_filing"]), (&json!("Orders"), &json!("leave")));
        let one = ann.patch(&path, json!({"folders": [{"name": "Orders"}]})).await.json()["folders"].clone();
        assert_eq!((&one[0]["id"], &one[0]["read"]), (&json!(1), &json!(false)));
        assert_eq!((&one[1]["read"], &one[1]["processed_folder"]), (&json!(true), &json!("Processed")));
    }

    async fn what_cannot_work_is_refused_with_the_fields_name(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let before = world.last_change().await;
        for (field, value) in [
            ("address", json!("no address")),
            ("host", json!("imap.acme.example:993")),
            ("host", json!("a b")),
            ("port", json!(0)),
            ("tls", json!("none")),
            ("username", json!(" ")),
            ("folders", json!([{"name": "A"}, {"name": "A"}])),
            ("folders", json!([{"name": "INBOX", "processed_folder": "Inbox"}])),
            ("owner_id", json!(99)),
        ] {
            let mut form = helpdesk();
            form[field] = value;
            if field == "owner_id" {
                form["kind"] = json!("personal");
            }
            let answer = ann.post("/api/v1/mailboxes", form).await;
            assert_eq!(answer.problem(), (422, "invalid".into()), "{field}");
            assert!(answer.json()["fields"][field]["code"].is_string(), "{field}: {}", answer.text());
        }
        let mut form = helpdesk();
        form["active"] = json!(true);
        form.as_object_mut().unwrap().remove("password");
        assert!(ann.post("/api/v1/mailboxes", form).await.json()["fields"]["password"]["code"].is_string());
        assert_eq!(world.last_change().await, before);
        let mut form = helpdesk();
        form["tls"] = json!("none");
        form["host"] = json!("127.0.0.1");
        assert_eq!(ann.post("/api/v1/mailboxes", form).await.status, StatusCode::CREATED);
    }
}
