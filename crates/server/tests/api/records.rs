//! Records and cases, from outside.

use crate::browser::World;
use crate::office::{Mail, Office};
use axum::body::Bytes;
use axum::http::{Method, StatusCode};
use serde_json::json;
use store::sql::Db;

testkit::on_both! {
    async fn a_record_is_made_changed_found_and_not_overwritten(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let firm = json!({"kind": "account", "name": "Łódzka Firma", "domains": ["Firm.example"], "external_id": "7"});
        let made = ann.post("/api/v1/records", firm.clone()).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        let firm_id = made.json()["id"].clone();
        assert_eq!(ann.post("/api/v1/records", firm).await.status, StatusCode::OK, "the same external id");
        let fields = json!({"Zeta": "1", "Alpha": "2"});
        let carla = json!({"kind": "contact", "name": "Carla", "addresses": ["c@firm.example"], "account_id": firm_id, "fields": fields});
        let carla = ann.post("/api/v1/records", carla).await.json();
        assert_eq!(carla["account"], json!({"id": firm_id, "kind": "account", "name": "Łódzka Firma", "number": null}));
        let path = format!("/api/v1/records/{}", carla["id"]);
        // As text: this test's own JSON values would sort the labels.
        let body = r#"{"version": 1, "account_id": null, "fields": {"Z": "1", "A": "2"}}"#;
        let json = [("content-type", "application/json")];
        let changed = ann.send_raw(Method::PATCH, &path, Bytes::from(body), &json).await.json();
        assert_eq!((&changed["version"], &changed["account"]), (&json!(2), &json!(null)));
        assert_eq!(changed["fields"], json!([{"label": "Z", "value": "1"}, {"label": "A", "value": "2"}]), "in their order");
        assert_eq!(ann.patch(&path, json!({"version": 1, "name": "X"})).await.problem(), (409, "changed_meanwhile".into()));
        assert_eq!(ann.patch(&path, json!({"name": "X"})).await.problem().0, 400, "no version");
        assert_eq!(ann.patch(&path, json!({"version": 2, "nmae": "X"})).await.problem(), (400, "bad_body".into()));

        for (query, total) in [("", 2), ("?kind=account", 1), ("?q=lodz", 1), ("?q=firma", 1), ("?q=c@firm", 1), ("?q=%25", 2), ("?q=irm", 0), ("?kind=case", 0), ("?assignee=me", 0)] {
            let page = ann.get(&format!("/api/v1/records{query}")).await.json();
            assert_eq!(page["total"], total, "{query}: {page}");
            assert_eq!(page["rows"].as_array().unwrap().len(), total, "{query}");
        }
        assert_eq!(ann.get("/api/v1/records?sort=last_at&limit=1&offset=1").await.json()["rows"].as_array().unwrap().len(), 1);
        assert_eq!(ann.get("/api/v1/records?assignee=x").await.problem().0, 422);
        assert_eq!(ann.get("/api/v1/records/999").await.problem().0, 404);
        assert_eq!(ann.post("/api/v1/records", json!({"kind": "case", "name": "x"})).await.problem().0, 422);

        let note = ann.post(&format!("{path}/notes"), json!({"body": "calls back"})).await;
        assert_eq!((note.status, &note.json()["body"]), (StatusCode::CREATED, &json!("calls back")));
        let stream = ann.get(&format!("{path}/stream?limit=2")).await.json();
        assert_eq!((&stream["rows"][0]["kind"], &stream["rows"][1]["kind"]), (&json!("note"), &json!("changed")));
        let rest = ann.get(&format!("{path}/stream?before={}", stream["next"])).await.json();
        assert_eq!((&rest["rows"][0]["kind"], &rest["next"]), (&json!("created"), &json!(null)));
        assert_eq!(ann.get(&path).await.json()["following"], true);
        assert_eq!(ann.delete(&format!("{path}/follow")).await.status, StatusCode::NO_CONTENT);
        assert_eq!(ann.get(&path).await.json()["following"], false);
        assert_eq!(ann.send(Method::PUT, &format!("{path}/follow"), None, &[]).await.status, StatusCode::NO_CONTENT);
    }

    async fn a_case_is_assigned_closed_and_kept_from_old_changes(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut office = Office::at(world.app.desk.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let mail = Mail { from: "c@firm.example", to: "helpdesk@acme.example", subject: "Lamp", id: "l@firm.example", text: "Broken.", ..Mail::default() };
        office.arrives(helpdesk, mail).await;
        let row = ann.get("/api/v1/threads").await.json()["rows"][0].clone();
        let path = format!("/api/v1/cases/{}", row["case"]["id"]);
        let case = ann.get(&path).await.json();
        assert_eq!((&case["number"], &case["status"], &case["priority"], &case["assignee"]), (&json!("1"), &json!("open"), &json!("normal"), &json!(null)));
        assert_eq!(case["threads"][0]["id"], row["id"]);
        let me = ann.get("/api/v1/session").await.json()["user"]["id"].clone();
        let mine = ann.patch(&path, json!({"assignee_id": me, "priority": "high", "version": case["version"]})).await.json();
        assert_eq!((&mine["assignee"]["name"], &mine["priority"]), (&json!("Ann"), &json!("high")));
        let old = ann.patch(&path, json!({"status": "closed", "version": case["version"]})).await;
        assert_eq!(old.problem(), (409, "changed_meanwhile".into()));
        assert_eq!(ann.get("/api/v1/threads?view=mine").await.json()["total"], 1);
        assert_eq!(ann.get("/api/v1/records?kind=case&assignee=me").await.json()["total"], 1);
        assert_eq!(ann.get("/api/v1/records?kind=case&q=%231").await.json()["total"], 1);
        let closed = ann.patch(&path, json!({"status": "closed", "assignee_id": null})).await.json();
        assert_eq!((closed["closed_at"].is_string(), &closed["assignee"]), (true, &json!(null)));
        assert_eq!(ann.get("/api/v1/threads?view=closed").await.json()["total"], 1);
        assert_eq!(ann.patch(&path, json!({"status": "gone"})).await.problem().0, 400);
        assert_eq!(ann.patch(&path, json!({"assignee_id": 999})).await.problem().0, 422);
        assert_eq!(ann.get("/api/v1/cases/999").await.problem().0, 404);
        let record = ann.get(&format!("/api/v1/records/{}", row["case"]["id"])).await.json();
        assert_eq!((&record["kind"], &record["status"]), (&json!("case"), &json!("closed")));
        let renamed = ann.patch(&format!("/api/v1/records/{}", row["case"]["id"]), json!({"name": "x", "version": 1})).await;
        assert_eq!(renamed.problem(), (409, "is_case".into()));
    }
}
