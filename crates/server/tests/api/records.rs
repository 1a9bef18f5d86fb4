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

    async fn b5_of_two_who_move_a_card_of_the_board_the_later_is_told_so(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut ben = world.user(&mut ann, "ben", "Lead").await;
        let new = json!({"kind": "opportunity", "name": "Fifty desks", "amount": "12500", "currency": "EUR"});
        let path = format!("/api/v1/records/{}", ann.post("/api/v1/records", new).await.json()["id"]);
        let board = "/api/v1/records?kind=opportunity&stage=new";
        let (seen_by_ann, seen_by_ben) = (ann.get(board).await.json(), ben.get(board).await.json());
        let version = seen_by_ann["rows"][0]["version"].clone();
        assert_eq!(version, seen_by_ben["rows"][0]["version"]);
        let moved = ann.patch(&path, json!({"stage": "won", "version": version})).await;
        assert_eq!(moved.status, StatusCode::OK, "{moved:?}");
        let later = ben.patch(&path, json!({"stage": "lost", "version": version})).await;
        assert_eq!(later.problem(), (409, "changed_meanwhile".into()));
        assert_eq!(ben.get(&path).await.json()["stage"], "won");
        let again = ben.patch(&path, json!({"stage": "lost", "version": moved.json()["version"]})).await;
        assert_eq!(again.json()["stage"], "lost");
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

    async fn b6_a_record_is_put_by_its_id_in_another_system_and_putting_twice_is_putting_once(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let path = "/api/v1/records/opportunity/external/deal%2F7";
        let deal = json!({"name": "Lamps", "stage": "proposal", "amount": "1250.5", "currency": "EUR", "closes_on": "2026-05-31"});
        let made = ann.send(Method::PUT, path, Some(deal.clone()), &[]).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        let made = made.json();
        assert_eq!((&made["external_id"], &made["amount"], &made["stage"]), (&json!("deal/7"), &json!("1250.50"), &json!("proposal")));
        assert_eq!(made["following"], false, "what another system brings is nobody's wish to hear of");
        let by_hand = ann.post("/api/v1/records", json!({"kind": "lead", "name": "Lamps too"})).await.json();
        assert_eq!(by_hand["following"], true);
        let again = ann.send(Method::PUT, path, Some(deal), &[]).await;
        assert_eq!((again.status, &again.json()["id"], &again.json()["version"]), (StatusCode::OK, &made["id"], &json!(1)));
        let won = json!({"name": "Lamps", "stage": "won"});
        assert_eq!(ann.send(Method::PUT, path, Some(won), &[]).await.json()["stage"], "won");
        for (body, code) in [(json!({"name": "x", "kind": "lead"}), 400), (json!({"name": "x", "amount": "1,5", "currency": "EUR"}), 422), (json!({"name": "x", "stage": "sold"}), 422)] {
            assert_eq!(ann.send(Method::PUT, path, Some(body.clone()), &[]).await.problem().0, code, "{body}");
        }
        let path = format!("/api/v1/records/{}", made["id"]);
        let none = json!({"version": 2, "amount": null, "currency": null, "closes_on": null});
        let bare = ann.patch(&path, none).await.json();
        assert_eq!((&bare["amount"], &bare["currency"], &bare["closes_on"]), (&json!(null), &json!(null), &json!(null)));
        let sums = ann.get("/api/v1/opportunities/stages").await.json();
        assert_eq!(sums["rows"], json!([{"stage": "won", "currency": null, "records": 1, "amount": "0.00"}]));
        assert_eq!(ann.post("/api/v1/records", json!({"kind": "lead", "name": "x", "nmae": "y"})).await.problem(), (400, "bad_body".into()));
        let stream = ann.get(&format!("{path}/stream")).await.json();
        assert_eq!(stream["rows"][1]["changes"][0], json!({"field": "stage", "label": "", "from": "proposal", "to": "won"}));
    }

    async fn b5_records_are_merged_leads_converted_and_files_imported_by_the_api(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut ids = Vec::new();
        for name in ["Ben", "Bén"] {
            let ben = json!({"kind": "contact", "name": name, "addresses": ["ben@x.example"]});
            ids.push(ann.post("/api/v1/records", ben).await.json()["id"].clone());
        }
        let found = ann.get("/api/v1/records/duplicates?kind=contact").await.json();
        assert_eq!((&found["rows"][0]["alike"], &found["rows"][0]["what"]), (&json!("address"), &json!("ben@x.example")));
        let merged = ann.post("/api/v1/records/merge", json!({"into": ids[0], "from": ids[1], "take": ["name"]})).await.json();
        assert_eq!((&merged["id"], &merged["name"]), (&ids[0], &json!("Bén")));
        assert_eq!(ann.get(&format!("/api/v1/records/{}", ids[1])).await.json()["id"], ids[0]);

        let lead = ann.post("/api/v1/records", json!({"kind": "lead", "name": "Eva", "addresses": ["eva@x.example"]})).await.json();
        let path = format!("/api/v1/leads/{}/convert", lead["id"]);
        let contact = ann.post(&path, json!({"account_name": "X", "opportunity": "Lamps"})).await.json();
        assert_eq!((&contact["kind"], &contact["account"]["name"]), (&json!("contact"), &json!("X")));
        assert_eq!(ann.post(&path, json!({})).await.problem(), (409, "lead_converted".into()));
        assert_eq!(ann.post(&format!("/api/v1/leads/{}/convert", contact["id"]), json!({})).await.problem().0, 404);

        let binary = [("content-type", "application/octet-stream")];
        let file = Bytes::from("Name;E-mail\nDana;dana@x.example\nBad;no address\n");
        let sent = ann.send_raw(Method::POST, "/api/v1/records/imports?kind=contact&name=a.csv", file, &binary).await;
        assert_eq!(sent.status, StatusCode::CREATED, "{sent:?}");
        let path = format!("/api/v1/records/imports/{}", sent.json()["id"]);
        let seen = ann.post(&format!("{path}/preview"), json!({"plan": null})).await.json();
        let outcomes: Vec<&str> = seen["rows"].as_array().unwrap().iter().map(|row| row["outcome"].as_str().unwrap()).collect();
        assert_eq!(outcomes, ["created", "refused"]);
        assert_eq!(seen["rows"][1]["reason"], "addresses.bad_value");
        let done = ann.post(&format!("{path}/continue"), json!({})).await.json();
        assert_eq!((&done["done"], &done["outcomes"]), (&json!(2), &json!({"created": 1, "refused": 1})));
        let csv = ann.get(&format!("{path}/refused.csv")).await;
        assert!(String::from_utf8_lossy(&csv.body).contains("Bad,no address,"), "{csv:?}");
        assert_eq!(ann.get("/api/v1/records/imports").await.json()["rows"].as_array().unwrap().len(), 1);
        assert_eq!(ann.delete(&path).await.status, StatusCode::NO_CONTENT);
        assert_eq!(ann.get(&path).await.problem().0, 404);
        let empty = ann.send_raw(Method::POST, "/api/v1/records/imports?kind=contact", Bytes::new(), &binary).await;
        assert_eq!(empty.problem().0, 422);
    }

    async fn c4_a_mapping_is_tried_on_a_message(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut office = Office::at(world.app.desk.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let mail = Mail { from: "web@acme.example", to: "helpdesk@acme.example", subject: "Form", id: "f@acme.example", text: "Jméno: Jan\nE-mail: jan@x.example\nFirma: X\nTelefon: 7", ..Mail::default() };
        office.arrives(helpdesk, mail).await;
        let thread = ann.get("/api/v1/threads").await.json()["rows"][0]["id"].clone();
        let thread = ann.get(&format!("/api/v1/threads/{thread}")).await.json();
        let message = thread["items"].as_array().or(thread["entries"].as_array()).unwrap().iter().find(|item| item["kind"] == "message").unwrap()["id"].clone();
        let mapping = json!({"name": ["Jméno"], "address": "E-mail", "account": "Firma", "fields": [["Phone", "Telefon"]]});
        let found = ann.post("/api/v1/rules/form/try", json!({"message": message, "mapping": mapping})).await.json();
        assert_eq!(found, json!({"name": "Jan", "address": "jan@x.example", "account": "X", "fields": [{"label": "Phone", "value": "7"}], "complete": true}));
        assert_eq!(ann.post("/api/v1/rules/form/try", json!({"message": 999, "mapping": {}})).await.problem().0, 404);
    }
}
