//! Handing over, being told and streams, from outside: what one may not see is not there.

use crate::browser::{Browser, World};
use crate::office::{Mail, Office};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use store::sql::Db;

const QUESTION: Mail = Mail {
    from: "Carla <carla@firm.example>",
    to: "board@acme.example",
    subject: "Secret merger",
    id: "s1@firm.example",
    answers: "",
    text: "A confidential lamp.",
    kind: "",
};

/// A mailbox of the administrators' without cases, with one mail; its thread.
async fn secret(world: &World, ann: &mut Browser) -> i64 {
    let mut office = Office::at(world.app.desk.clone());
    let board = office.mailbox("board@acme.example", None).await;
    office.no_cases(board).await;
    office.arrives(board, QUESTION).await;
    ann.get("/api/v1/threads").await.json()["rows"][0]["id"].as_i64().unwrap()
}

async fn id_of(ann: &mut Browser, login: &str) -> Value {
    let users = ann.get("/api/v1/users").await.json();
    users.as_array().unwrap().iter().find(|user| user["login"] == login).unwrap()["id"].clone()
}

/// Everything somebody reads that could tell of a thread, as one text.
async fn everything(who: &mut Browser, id: i64, record: i64) -> String {
    let mut out = String::new();
    for path in [
        "/api/v1/threads".to_owned(),
        "/api/v1/views".to_owned(),
        "/api/v1/notifications".to_owned(),
        "/api/v1/search?q=lamp".to_owned(),
        "/api/v1/changes".to_owned(),
        format!("/api/v1/threads/{id}"),
        format!("/api/v1/records/{record}"),
        format!("/api/v1/records/{record}/stream"),
        format!("/api/v1/records/{record}/stream?only=mail"),
        format!("/api/v1/records/{record}/threads"),
    ] {
        out.push_str(&format!("{path}: {}\n", who.get(&path).await.json()));
    }
    out
}

testkit::on_both! {
    async fn b6_a_thread_is_handed_over_and_filed_and_says_so(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let id = secret(&world, &mut ann).await;
        let mut ben = world.user(&mut ann, "ben", "Own mail").await;
        let ben_id = id_of(&mut ann, "ben").await;
        let path = format!("/api/v1/threads/{id}");
        assert_eq!(ben.get(&path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(ben.post(&format!("{path}/hand"), json!({"user": ben_id})).await.status, StatusCode::NOT_FOUND);
        let both = json!({"user": ben_id, "team": 1});
        assert_eq!(ann.post(&format!("{path}/hand"), both).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let answer = ann.post(&format!("{path}/hand"), json!({"user": ben_id})).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
        let thread = ben.get(&path).await.json();
        assert_eq!(thread["charge"]["user"]["id"], ben_id);
        assert_eq!(ben.get("/api/v1/threads?view=mine").await.json()["total"], 1);

        let process = ann.post("/api/v1/processes", json!({"name": "Mergers"})).await.json()["id"].clone();
        assert_eq!(ben.patch(&path, json!({"process": process})).await.status, StatusCode::NO_CONTENT);
        let by_process = format!("/api/v1/threads?process={process}");
        assert_eq!(ann.get(&by_process).await.json()["total"], 1);
        assert_eq!(ann.get("/api/v1/views").await.json()["processes"][0]["count"], 1);
        assert_eq!(ben.post(&format!("{path}/hand"), json!({})).await.status, StatusCode::NO_CONTENT);
        assert_eq!(ben.get(&path).await.status, StatusCode::NOT_FOUND);
    }

    async fn e8_nothing_of_a_thread_is_left_for_who_lost_it(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let id = secret(&world, &mut ann).await;
        let mut ben = world.user(&mut ann, "ben", "Own mail").await;
        let ben_id = id_of(&mut ann, "ben").await;
        let new = json!({"kind": "opportunity", "name": "Big deal"});
        let record = ann.post("/api/v1/records", new).await.json()["id"].as_i64().unwrap();
        let path = format!("/api/v1/threads/{id}");
        let link = ann.post(&format!("{path}/links"), json!({"record_id": record})).await.json()["id"].clone();
        let before = everything(&mut ben, id, record).await;
        assert!(!before.contains("Secret") && !before.contains("Carla"), "{before}");

        ann.post(&format!("{path}/hand"), json!({"user": ben_id})).await;
        let mention = format!("@[Ben](user:{ben_id}) look at the Secret merger");
        let note = ann.post(&format!("{path}/notes"), json!({"body": mention})).await;
        assert_eq!((note.status, note.json()["not_told"].clone()), (StatusCode::CREATED, json!([])));
        let during = everything(&mut ben, id, record).await;
        assert!(during.contains("Secret"), "{during}");
        let told = ben.get("/api/v1/notifications").await.json();
        assert_eq!((told["total"].clone(), told["unread"].clone()), (json!(2), json!(2)));

        ann.post(&format!("{path}/hand"), json!({})).await;
        let after = everything(&mut ben, id, record).await;
        assert!(!after.contains("Secret") && !after.contains("Carla") && !after.contains("look at"), "{after}");
        let told = ben.get("/api/v1/notifications").await.json();
        assert_eq!((told["total"].clone(), told["unread"].clone()), (json!(0), json!(0)));
        let note = ann.post(&format!("{path}/notes"), json!({"body": mention})).await.json();
        assert_eq!(note["not_told"].as_array().unwrap().len(), 1);
        assert_eq!(ann.delete(&format!("/api/v1/links/{link}")).await.status, StatusCode::NO_CONTENT);
    }

    async fn b4_everybody_says_for_each_event_where_they_are_told(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let all = ann.get("/api/v1/me/notifications").await.json();
        assert_eq!(all.as_array().unwrap().len(), 9);
        assert_eq!(all[0], json!({"event": "mail_on_followed", "app": true, "mail": false}));
        let wish = json!([{"event": "mail_on_followed", "app": false, "mail": true}]);
        assert_eq!(ann.send(Method::PUT, "/api/v1/me/notifications", Some(wish.clone()), &[]).await.status, StatusCode::NO_CONTENT);
        assert_eq!(ann.get("/api/v1/me/notifications").await.json()[0], wish[0]);
        let unknown = json!([{"event": "weather", "app": true, "mail": true}]);
        assert_eq!(ann.send(Method::PUT, "/api/v1/me/notifications", Some(unknown), &[]).await.status, StatusCode::BAD_REQUEST);
    }
}
