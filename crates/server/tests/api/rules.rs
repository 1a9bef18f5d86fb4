//! Rules, filters, labels and traces as programs see them.

use crate::browser::World;
use crate::office::{Mail, Office};
use axum::http::StatusCode;
use serde_json::{Value, json};
use store::sql::Db;

const OFFER: Mail = Mail {
    from: "Ann <ann@firm.example>",
    to: "helpdesk@acme.example",
    subject: "Special offer",
    id: "1@firm.example",
    answers: "",
    text: "Buy now.",
    kind: "",
};

fn ids(rules: &Value) -> Vec<i64> {
    rules.as_array().unwrap().iter().map(|rule| rule["id"].as_i64().unwrap()).collect()
}

testkit::on_both! {
    async fn c2_rules_are_made_changed_ordered_and_removed(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let office = Office::at(world.app.desk.clone());
        let mailbox = office.mailbox("helpdesk@acme.example", None).await.0;
        let rule = |name: &str| json!({
            "kind": "rule", "mailbox": mailbox, "name": name, "matching": "any",
            "conditions": [{"field": "from", "test": "ends", "value": "@firm.example"}, {"field": "header", "header": "List-Id", "test": "exists"}],
            "actions": [{"do": "create_case", "priority": "high"}, {"do": "assign", "assignment": {"to": "user", "user": 1}}, {"do": "stop"}],
        });
        let made = ann.post("/api/v1/rules", rule("Firm")).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        let made = made.json();
        assert_eq!((&made["version"], &made["enabled"], &made["hits"], &made["hit_at"]), (&json!(1), &json!(true), &json!(0), &Value::Null));
        assert_eq!(made["conditions"][1], json!({"field": "header", "header": "List-Id", "test": "exists", "value": ""}));
        assert_eq!(made["actions"][1], json!({"do": "assign", "assignment": {"to": "user", "user": 1}}));
        let second = ann.post("/api/v1/rules", rule("Other")).await.json()["id"].as_i64().unwrap();
        let first = made["id"].as_i64().unwrap();
        let list = format!("/api/v1/rules?mailbox={mailbox}&kind=rule");
        assert_eq!(ids(&ann.get(&list).await.json()), [first, second]);
        let put = ann.put("/api/v1/rules/order", json!({"ids": [second, first]})).await;
        assert_eq!(put.status, StatusCode::NO_CONTENT);
        assert_eq!(ids(&ann.get(&list).await.json()), [second, first]);
        assert_eq!(ann.put("/api/v1/rules/order", json!({"ids": [second]})).await.problem(), (422, "invalid".into()));
        let path = format!("/api/v1/rules/{first}");
        let off = ann.patch(&path, json!({"version": 1, "enabled": false})).await.json();
        assert_eq!((&off["version"], &off["enabled"], &off["name"]), (&json!(2), &json!(false), &json!("Firm")));
        assert_eq!(ann.patch(&path, json!({"version": 1, "name": "x"})).await.problem(), (409, "changed_meanwhile".into()));
        assert_eq!(ann.delete(&path).await.status, StatusCode::NO_CONTENT);
        assert_eq!(ann.get(&path).await.problem().0, 404);
        let filter = json!({"kind": "filter", "name": "News", "scope": "global", "actions": [{"do": "skip"}]});
        assert_eq!(ann.post("/api/v1/rules", filter).await.json()["user"], Value::Null);
        let own = json!({"kind": "filter", "name": "Mine", "actions": [{"do": "skip"}]});
        assert_eq!(ann.post("/api/v1/rules", own).await.json()["user"], 1);
        assert_eq!(ann.get("/api/v1/rules?scope=global").await.json()[0]["name"], "News");
        assert_eq!(ann.get("/api/v1/rules?kind=filter&scope=mine").await.json()[0]["name"], "Mine");
        assert_eq!(ann.get("/api/v1/rules").await.json().as_array().unwrap().len(), 3);
        // Whoever is nobody special has only filters of their own.
        let mut ben = world.user(&mut ann, "ben", "Agent").await;
        assert_eq!(ben.get("/api/v1/rules").await.json(), json!([]));
        assert_eq!(ben.get(&list).await.problem().0, 404);
        assert_eq!(ben.get("/api/v1/rules?scope=global").await.problem().0, 403);
    }

    async fn c1_what_cannot_be_asked_is_refused_with_the_place_and_the_reason(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let form = |condition: Value| json!({"kind": "filter", "name": "x", "conditions": [{"field": "subject", "test": "contains", "value": "a"}, condition], "actions": [{"do": "skip"}]});
        let wrong = ann.post("/api/v1/rules", form(json!({"field": "body", "test": "regex", "value": "(a"}))).await.json();
        let wrong = &wrong["fields"]["conditions"];
        assert_eq!((&wrong["code"], &wrong["params"]["number"]), (&json!("bad_pattern"), &json!("2")));
        assert_eq!((&wrong["params"]["at"], &wrong["params"]["said"]), (&json!("1"), &json!("unclosed group")));
        let wrong = ann.post("/api/v1/rules", form(json!({"field": "nature", "test": "equals", "value": "spam"}))).await.json();
        assert_eq!(wrong["fields"]["conditions"]["code"], "bad_word");
        assert_eq!(ann.post("/api/v1/rules", form(json!({"field": "colour", "test": "equals"}))).await.problem().0, 400);
        let tests = &ann.get("/api/v1/rules/fields").await.json()["tests"];
        assert_eq!((&tests["size"], &tests["auth"]), (&json!(["over", "under"]), &json!(["equals", "not_equals"])));
    }

    async fn c7_a_rule_is_tried_out_and_a_message_says_what_was_done(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut office = Office::at(world.app.desk.clone());
        let mailbox = office.mailbox("helpdesk@acme.example", None).await;
        office.arrives(mailbox, OFFER).await;
        let label = ann.post("/api/v1/labels", json!({"name": "Offer", "hue": "amber"})).await.json()["id"].clone();
        let rule = json!({
            "kind": "rule", "mailbox": mailbox.0, "name": "Offers",
            "conditions": [{"field": "subject", "test": "contains", "value": "offer"}], "actions": [{"do": "label", "label": label}],
        });
        let tried = ann.post("/api/v1/rules/try", json!({"rule": rule, "last": 50})).await.json();
        assert_eq!((&tried["tried"], &tried["matched"]), (&json!(1), &json!(1)));
        let row = &tried["rows"][0];
        assert_eq!((&row["message"], &row["subject"], &row["from"]), (&json!(1), &json!("Special offer"), &json!("Ann")));
        assert_eq!(row["on"][0]["text"], "Special offer");
        assert_eq!(row["would"], json!([{"do": "label", "label": label}]));
        assert_eq!(ann.get("/api/v1/rules").await.json(), json!([]));
        assert_eq!(ann.get("/api/v1/messages/1/trace").await.json(), json!({"trials": []}));
        let id = ann.post("/api/v1/rules", rule).await.json()["id"].clone();
        assert_eq!(ann.post("/api/v1/rules/try", json!({"id": id})).await.json()["matched"], 1);
        assert_eq!(ann.post("/api/v1/rules/try", json!({"id": id, "last": 1001})).await.problem().0, 422);
        assert_eq!(ann.post("/api/v1/rules/try", json!({})).await.problem().0, 422);
        office.arrives(mailbox, Mail { id: "2@firm.example", ..OFFER }).await;
        let text = "SELECT id FROM messages WHERE mid = '2@firm.example'";
        let second: i64 = world.app.desk.db.query_one(text, store::params![]).await.unwrap().get(0).unwrap();
        let trace = ann.get(&format!("/api/v1/messages/{second}/trace")).await.json();
        let trial = &trace["trials"][0];
        assert_eq!(trial["tried"], json!([{"id": id, "name": "Offers", "version": 1, "kind": "rule", "since": "same", "may_open": true}]));
        let hit = &trial["hits"][0];
        assert_eq!((&hit["tried"], &hit["on"][0]["text"]), (&json!(0), &json!("Special offer")));
        assert_eq!(hit["did"], json!([{"action": {"do": "label", "label": label}, "result": "done", "detail": "Offer"}]));
        let row = &ann.get("/api/v1/threads?view=all").await.json()["rows"][0];
        assert_eq!(row["labels"], json!([{"id": label, "name": "Offer", "hue": "amber"}]));
        let path = format!("/api/v1/threads/{}/labels/{label}", row["id"]);
        assert_eq!(ann.delete(&path).await.status, StatusCode::NO_CONTENT);
        assert_eq!(ann.put(&path, json!({})).await.status, StatusCode::NO_CONTENT);
    }

    async fn c5_what_a_filter_left_out_is_listed_and_filed_after_all(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut office = Office::at(world.app.desk.clone());
        let mailbox = office.mailbox("helpdesk@acme.example", None).await;
        let filter = json!({"kind": "filter", "name": "No offers", "scope": "global", "conditions": [{"field": "subject", "test": "contains", "value": "offer"}], "actions": [{"do": "skip"}]});
        ann.post("/api/v1/rules", filter).await;
        assert_eq!(office.comes(mailbox, OFFER.bytes()).await.filtered, 1);
        let path = format!("/api/v1/mailboxes/{}/filtered", mailbox.0);
        let page = ann.get(&path).await.json();
        assert_eq!(page["total"], 1);
        let row = &page["rows"][0];
        assert_eq!((&row["subject"], &row["from"], &row["rule_name"]), (&json!("Special offer"), &json!("Ann"), &json!("No offers")));
        // Whoever does not read the mailbox's mail does not hear of it.
        let mut ben = world.user(&mut ann, "ben", "Agent").await;
        assert_eq!(ben.get(&path).await.problem().0, 404);
        let file = format!("/api/v1/filtered/{}/file", row["occurrence_id"]);
        assert_eq!(ben.post(&file, json!({})).await.problem().0, 404);
        world.rounds.take();
        assert_eq!(ann.post(&file, json!({})).await.status, StatusCode::NO_CONTENT);
        assert_eq!(world.rounds.take(), [format!("scan {mailbox}")]);
        assert_eq!(office.files_waiting(mailbox).await.filed, 1);
        assert_eq!(ann.get(&path).await.json()["total"], 0);
        assert_eq!(ann.post(&file, json!({})).await.problem().0, 404);
    }
}
