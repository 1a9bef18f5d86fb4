//! Views, threads, notes, links and search, from outside.

use crate::browser::{Browser, World};
use crate::office::{Mail, Office};
use axum::http::{Method, StatusCode};
use model::MailboxId;
use serde_json::{Value, json};
use store::sql::Db;

const QUESTION: Mail = Mail {
    from: "Carla <carla@firm.example>",
    to: "helpdesk@acme.example",
    subject: "Broken lamp",
    id: "l1@firm.example",
    answers: "",
    text: "The lamp is broken.",
    kind: "",
};

/// A helpdesk with a team and `letters` mails from different people in threads of their own, and a
/// mailbox nobody but the administrator may look into, with one mail.
async fn company(world: &World, letters: usize) -> (MailboxId, MailboxId) {
    let mut office = Office::at(world.app.desk.clone());
    let support = office.team("Support").await;
    let helpdesk = office.mailbox("helpdesk@acme.example", Some(support)).await;
    let board = office.mailbox("board@acme.example", None).await;
    for n in 0..letters {
        let mail = Mail { id: format!("l{n}@firm.example").leak(), ..QUESTION };
        office.arrives(helpdesk, mail).await;
    }
    let secret = Mail { subject: "Secret merger", text: "Confidential lamp", id: "s@x.example", ..QUESTION };
    office.arrives(board, secret).await;
    (helpdesk, board)
}

async fn agent(world: &World, ann: &mut Browser) -> Browser {
    let agent = world.user(ann, "ben", "Agent").await;
    let users = ann.get("/api/v1/users").await.json();
    let ben = users.as_array().unwrap().iter().find(|user| user["login"] == "ben").unwrap()["id"].clone();
    let teams = ann.get("/api/v1/teams").await.json();
    let answer = ann.patch(&format!("/api/v1/users/{ben}"), json!({"teams": [teams[0]["id"]]})).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    agent
}

fn subjects(page: &Value) -> Vec<&str> {
    page["rows"].as_array().unwrap().iter().map(|row| row["subject"].as_str().unwrap()).collect()
}

testkit::on_both! {
    async fn a_list_is_walked_by_position_without_gaps_or_doubles(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        company(&world, 7).await;
        let all = ann.get("/api/v1/threads?view=open&limit=200").await.json();
        assert_eq!(all["total"], 8);
        let ids = |page: &Value| -> Vec<i64> {
            page["rows"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
        };
        let mut walked = Vec::new();
        for offset in [0, 3, 6, 9] {
            let page = ann.get(&format!("/api/v1/threads?view=open&offset={offset}&limit=3")).await.json();
            assert_eq!((&page["total"], &page["version"]), (&all["total"], &all["version"]));
            walked.extend(ids(&page));
        }
        assert_eq!(walked, ids(&all));
        let row = &all["rows"][0];
        assert_eq!((&row["from"], &row["unread"], &row["case"]["status"]), (&json!("Carla"), &json!(true), &json!("open")));
        assert_eq!(ann.get("/api/v1/threads?view=mine").await.json()["total"], 0);
        assert_eq!(ann.get("/api/v1/threads?view=theirs").await.problem(), (400, "bad_parameter".into()));
        assert_eq!(ann.get("/api/v1/threads?limit=201").await.problem().0, 422);
    }

    async fn e8_a_hidden_thread_is_not_found_not_listed_not_counted(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let (helpdesk, board) = company(&world, 2).await;
        let mut ben = agent(&world, &mut ann).await;
        let secret = ann.get(&format!("/api/v1/threads?mailbox={board}")).await.json()["rows"][0].clone();
        assert_eq!(secret["subject"], "Secret merger");
        let id = &secret["id"];
        let thread = ann.get(&format!("/api/v1/threads/{id}")).await.json();
        let message = thread["entries"][0]["id"].clone();
        assert_eq!(thread["entries"][0]["kind"], "message");

        assert_eq!(subjects(&ben.get("/api/v1/threads").await.json()), ["Broken lamp", "Broken lamp"]);
        assert_eq!(ben.get(&format!("/api/v1/threads?mailbox={board}")).await.json()["total"], 0);
        let views = ben.get("/api/v1/views").await.json();
        let counts: Vec<String> = views["views"].as_array().unwrap().iter().map(|v| format!("{}", v["count"])).collect();
        assert_eq!(counts, ["0", "2", "2", "0", "0", "0", "0", "0", "2"]);
        assert_eq!(views["mailboxes"].as_array().unwrap().len(), 1);
        assert_eq!(views["mailboxes"][0]["id"], helpdesk.0);
        for q in ["lamp", "confidential", "from:carla", "", "-x", "in:board", "subject:secret"] {
            let found = ben.get(&format!("/api/v1/search?q={q}")).await.json();
            assert!(!subjects(&found).contains(&"Secret merger"), "{q}: {found}");
            assert!(found["total"].as_i64().unwrap() <= 2, "{q}: {found}");
        }
        let paths = [
            format!("/api/v1/threads/{id}"),
            format!("/api/v1/messages/{message}"),
            format!("/api/v1/messages/{message}/body.html"),
            format!("/api/v1/messages/{message}/raw"),
            format!("/api/v1/messages/{message}/attachments/0"),
            format!("/api/v1/messages/{message}/inline/x"),
        ];
        for path in paths {
            assert_eq!(ben.get(&path).await.problem(), (404, "not_found".into()), "{path}");
        }
        let before = world.last_change().await;
        let marked = ben.send(Method::PUT, &format!("/api/v1/threads/{id}/read"), None, &[]).await;
        assert_eq!(marked.problem().0, 404);
        assert_eq!(ben.post(&format!("/api/v1/threads/{id}/notes"), json!({"body": "x"})).await.problem().0, 404);
        assert_eq!(ben.post(&format!("/api/v1/threads/{id}/case"), json!({})).await.problem().0, 404);
        assert_eq!(world.last_change().await, before);
        // An agent sees all records; but a case is called as its mail.
        for path in ["cases", "records"] {
            let case = ben.get(&format!("/api/v1/{path}/{}", secret["case"]["id"])).await;
            assert_eq!(case.problem(), (404, "not_found".into()));
        }
        let cases = ben.get("/api/v1/records?kind=case").await;
        assert_eq!(cases.json()["total"], 2);
        assert!(!cases.text().contains("Secret"), "{cases:?}");
    }

    async fn a_thread_is_read_noted_linked_and_tells_its_story(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        company(&world, 1).await;
        let id = ann.get("/api/v1/threads").await.json()["rows"].as_array().unwrap().iter()
            .find(|row| row["subject"] == "Broken lamp").unwrap()["id"].clone();
        let path = format!("/api/v1/threads/{id}");
        assert_eq!(ann.send(Method::PUT, &format!("{path}/read"), None, &[]).await.status, StatusCode::NO_CONTENT);
        assert_eq!(ann.get(&path).await.json()["row"]["unread"], false);
        assert_eq!(ann.delete(&format!("{path}/read")).await.status, StatusCode::NO_CONTENT);
        assert_eq!(ann.get(&path).await.json()["row"]["unread"], true);

        let note = ann.post(&format!("{path}/notes"), json!({"body": "Send a new one."})).await;
        assert_eq!((note.status, &note.json()["author"]["name"]), (StatusCode::CREATED, &json!("Ann")));
        assert_eq!(ann.post(&format!("{path}/notes"), json!({"body": " "})).await.problem(), (422, "invalid".into()));
        assert_eq!(ann.post(&format!("{path}/case"), json!({})).await.problem(), (409, "case_exists".into()));

        let carla = json!({"kind": "contact", "name": "Carla", "addresses": ["Carla@Firm.example"]});
        let carla = ann.post("/api/v1/records", carla).await.json();
        let suggested = ann.get(&path).await.json()["suggestions"].clone();
        assert_eq!((&suggested[0]["record"]["id"], &suggested[0]["reason"]), (&carla["id"], &json!("from")));
        let link = ann.post(&format!("{path}/links"), json!({"record_id": carla["id"]})).await;
        assert_eq!((link.status, &link.json()["reason"]), (StatusCode::CREATED, &json!("by_hand")));
        let again = ann.post(&format!("{path}/links"), json!({"record_id": carla["id"]})).await;
        assert_eq!(again.problem(), (409, "linked_already".into()));
        assert_eq!(ann.post(&format!("{path}/links"), json!({"record_id": 999})).await.problem().0, 422);

        let thread = ann.get(&path).await.json();
        assert_eq!(thread["suggestions"], json!([]));
        assert_eq!(thread["row"]["records"][0]["name"], "Carla");
        let story: Vec<String> = thread["entries"].as_array().unwrap().iter()
            .map(|entry| entry["event"].as_str().unwrap_or(entry["kind"].as_str().unwrap()).to_owned()).collect();
        assert_eq!(story, ["message", "case_created", "note", "linked"]);
        assert_eq!(thread["entries"][1]["data"]["number"], "1");
        assert_eq!(thread["entries"][0]["text_preview"], "The lamp is broken.");
        let removed = ann.delete(&format!("/api/v1/links/{}", link.json()["id"])).await;
        assert_eq!(removed.status, StatusCode::NO_CONTENT);
        assert_eq!(ann.get(&path).await.json()["row"]["records"], json!([]));
    }

    async fn h3_search_answers_with_marked_snippets_and_named_mistakes(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let (helpdesk, _) = company(&world, 3).await;
        let found = ann.get(&format!("/api/v1/search?q=LAMP%20br*&mailbox={helpdesk}&limit=2")).await.json();
        assert_eq!((&found["total"], found["rows"].as_array().unwrap().len()), (&json!(3), 2));
        let row = &found["rows"][0];
        assert_eq!(row["snippet"], json!({"text": "The lamp is broken.", "matches": [[4, 8], [12, 18]]}));
        assert_eq!((&row["from"], &row["mailboxes"]), (&json!("Carla"), &json!([helpdesk.0])));
        let wrong = ann.get("/api/v1/search?q=before:soon").await;
        assert_eq!(wrong.problem(), (422, "invalid".into()));
        assert_eq!(wrong.json()["fields"]["q"]["message"], "Write days as 2026-01-31.");
    }
}
