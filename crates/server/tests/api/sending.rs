//! Guessing servers, and trying outgoing settings.

use crate::browser::World;
use axum::http::StatusCode;
use serde_json::{Value, json};
use store::sql::Db;

fn form() -> Value {
    json!({
        "kind": "group", "address": "helpdesk@acme.example", "host": "imap.acme.example", "port": 993, "tls": "implicit",
        "username": "helpdesk", "password": "right", "to": "Ann@Firma.example",
        "outgoing": {"host": "smtp.acme.example", "port": 465, "tls": "implicit"}
    })
}

testkit::on_both! {
    async fn a20_servers_are_guessed_from_an_address(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let answer = ann.post("/api/v1/mailboxes/guess", json!({"address": " Ann@Gmail.com"})).await;
        let candidate = answer.json()["candidates"][0].clone();
        assert_eq!((&candidate["source"], &candidate["preset"]), (&json!("provider"), &json!("google")));
        assert_eq!(candidate["imap"], json!({"host": "imap.gmail.com", "port": 993, "tls": "implicit", "username": "ann@gmail.com"}));
        assert_eq!((&candidate["pop3"], &candidate["provider_id"]), (&Value::Null, &Value::Null));
        assert_eq!(world.rounds.take(), ["guess ann@gmail.com anywhere"]);
        let wrong = ann.post("/api/v1/mailboxes/guess", json!({"address": "ann"})).await;
        assert_eq!(wrong.problem(), (422, "invalid".into()));
    }

    async fn a9_sending_is_tried_with_a_real_mail_and_nothing_is_saved(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let before = world.last_change().await;
        let good = ann.post("/api/v1/mailboxes/test-sending", form()).await;
        assert_eq!(good.json()["ok"], true, "{}", good.text());
        let stages: Vec<_> = good.json()["steps"].as_array().unwrap().iter().map(|s| s["stage"].clone()).collect();
        assert_eq!(stages, ["dns", "tcp", "tls", "greeting", "login", "send"]);
        assert_eq!(world.rounds.take(), ["send helpdesk@acme.example to ann@firma.example by helpdesk@smtp.acme.example:465"]);
        let mut other = form();
        other["outgoing"]["username"] = json!("sender");
        let refused = ann.post("/api/v1/mailboxes/test-sending", other.clone()).await;
        assert_eq!(refused.json()["fields"]["password"]["message"], "enter the password for sending", "the other password is for another user");
        other["outgoing"]["password"] = json!("guess");
        let wrong = ann.post("/api/v1/mailboxes/test-sending", other).await.json();
        assert_eq!((&wrong["ok"], &wrong["error"]["code"]), (&json!(false), &json!("wrong_password")));
        assert_eq!(ann.get("/api/v1/mailboxes").await.json()["rows"], json!([]));
        assert_eq!(world.last_change().await, before);
    }

    async fn a_stored_password_is_not_tried_at_another_sending_server(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut mailbox = form();
        mailbox.as_object_mut().unwrap().retain(|key, _| !["to", "outgoing"].contains(&key.as_str()));
        mailbox["process"] = json!("Helpdesk");
        mailbox["teams"] = json!(["Support"]);
        let made = ann.post("/api/v1/mailboxes", mailbox).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        let mut form = form();
        form["mailbox_id"] = made.json()["id"].clone();
        form.as_object_mut().unwrap().remove("password");
        world.rounds.take();
        let refused = ann.post("/api/v1/mailboxes/test-sending", form).await;
        assert_eq!(refused.json()["fields"]["password"]["message"], "enter the password for sending");
        assert_eq!(world.rounds.take(), [""; 0]);
    }
}
