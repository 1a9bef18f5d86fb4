//! Templates, automatic replies, answers and webhooks through the API.

use crate::browser::World;
use crate::office::Office;
use axum::http::StatusCode;
use serde_json::{Value, json};
use store::sql::Db;

testkit::on_both! {
    async fn d3_templates_are_made_changed_looked_at_and_removed_unless_something_answers_with_them(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let texts = json!([{"language": "cs", "body": "Případ {{case.number}}"}, {"language": "en", "subject": "Case", "body": "Hello {{customer.name|you}}"}]);
        let made = ann.post("/api/v1/templates", json!({"name": "Received", "texts": texts})).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        let id = made.json()["id"].as_i64().unwrap();
        let path = format!("/api/v1/templates/{id}");
        let wrong = ann.post("/api/v1/templates", json!({"name": "Other", "texts": [{"language": "en", "body": "{{nobody}}"}]})).await;
        assert_eq!(wrong.json()["fields"]["body"]["code"], "unknown_variable");
        assert!(wrong.json()["fields"]["body"]["params"]["known"].as_str().unwrap().contains("case.number"));
        let taken = ann.post("/api/v1/templates", json!({"name": "Received"})).await;
        assert_eq!(taken.problem(), (409, "name_taken".into()));
        let seen = ann.post(&format!("{path}/preview"), json!({"language": "en"})).await.json();
        assert_eq!((&seen["subject"], &seen["body"]), (&json!("Case"), &json!("Hello Ann Example")));
        let draft = json!({"language": "cs", "draft": {"subject": "", "body": "{{case.number}}!"}});
        assert_eq!(ann.post(&format!("{path}/preview"), draft).await.json()["body"], "1042!");
        let changed = ann.patch(&path, json!({"name": "First", "version": 1})).await.json();
        assert_eq!((&changed["name"], &changed["version"]), (&json!("First"), &json!(2)));
        let late = ann.patch(&path, json!({"name": "Second", "version": 1})).await;
        assert_eq!(late.problem(), (409, "changed_meanwhile".into()));
        assert_eq!(ann.delete(&path).await.status, StatusCode::NO_CONTENT);
        assert_eq!(ann.get("/api/v1/templates").await.json()["templates"], json!([]));
    }

    async fn d4_who_may_not_see_a_thread_can_neither_answer_nor_ask_about_it(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        for path in ["/api/v1/threads/77/reply", "/api/v1/threads/77/deliveries"] {
            assert_eq!(ann.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        let answer = ann.post("/api/v1/threads/77/reply", json!({"body": "Hello"})).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.text());
        let retried = ann.post("/api/v1/threads/77/deliveries/1/retry", Value::Null).await;
        assert_eq!(retried.status, StatusCode::NOT_FOUND);
    }

    async fn c6_a_webhooks_secret_is_told_once(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let made = ann.post("/api/v1/webhooks", json!({"url": "https://crm.acme.example/mail"})).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        let secret = made.json()["secret"].as_str().unwrap().to_owned();
        assert!(secret.starts_with("whsec_") && secret.len() > 40);
        let list = ann.get("/api/v1/webhooks").await;
        assert_eq!(list.json()[0]["url"], "https://crm.acme.example/mail");
        assert!(!list.text().contains(&secret));
        let twice = ann.post("/api/v1/webhooks", json!({"url": "https://crm.acme.example/mail"})).await;
        assert_eq!(twice.problem(), (409, "webhook_exists".into()));
        let plain = ann.post("/api/v1/webhooks", json!({"url": "http://crm.acme.example/mail"})).await;
        assert_eq!(plain.json()["fields"]["url"]["code"], "bad_url");
        let id = made.json()["id"].as_i64().unwrap();
        assert_eq!(ann.delete(&format!("/api/v1/webhooks/{id}")).await.status, StatusCode::NO_CONTENT);
        assert_eq!(ann.get("/api/v1/webhook-deliveries").await.json(), json!({"total": 0, "rows": []}));
    }

    async fn c6_a_webhook_names_its_rules_is_tested_and_switched_off(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let url = "https://crm.acme.example/mail";
        let made = ann.post("/api/v1/webhooks", json!({"url": url})).await;
        let path = format!("/api/v1/webhooks/{}", made.json()["id"]);
        let mailbox = Office::at(world.app.desk.clone()).mailbox("helpdesk@acme.example", None).await.0;
        let rule = json!({"kind": "rule", "mailbox": mailbox, "name": "Tell the CRM", "actions": [{"do": "webhook", "url": url}]});
        let rule = ann.post("/api/v1/rules", rule).await;
        assert_eq!(rule.status, StatusCode::CREATED, "{}", rule.text());
        let listed = ann.get("/api/v1/webhooks").await.json();
        assert_eq!(listed[0]["rules"], json!([{"id": rule.json()["id"], "name": "Tell the CRM"}]));
        assert_eq!(listed[0]["enabled"], true);

        let tested = ann.post(&format!("{path}/test"), Value::Null).await;
        assert_eq!(tested.status, StatusCode::ACCEPTED, "{}", tested.text());
        let deliveries = ann.get("/api/v1/webhook-deliveries").await.json();
        let row = &deliveries["rows"][0];
        assert_eq!((&row["id"], &row["event"], &row["state"]), (&tested.json()["delivery_id"], &json!("test"), &json!("due")));

        assert_eq!(ann.patch(&path, json!({"enabled": false})).await.status, StatusCode::NO_CONTENT);
        assert_eq!(ann.get("/api/v1/webhooks").await.json()[0]["enabled"], false);
        assert_eq!(ann.post(&format!("{path}/test"), Value::Null).await.problem(), (409, "webhook_off".into()));
        for path in ["/api/v1/webhooks/77/test", "/api/v1/webhooks/77"] {
            let answer = match path.ends_with("test") {
                true => ann.post(path, Value::Null).await,
                false => ann.patch(path, json!({"enabled": true})).await,
            };
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        }
    }
}
