//! What somebody may not see reaches them by no door: every GET of the API's document is opened with the ids of it.

use crate::browser::{Browser, World};
use crate::events::Ear;
use crate::office::{Mail, Office};
use axum::http::StatusCode;
use serde_json::{Value, json};
use store::sql::Db;

/// Words that stand only in mail of the board: sender, subject, text, file, picture, mailbox.
const SECRETS: [&str; 6] = ["quillfeather", "kumquat", "persimmon", "tamarind", "rambutan", "board@"];
/// What the contact is called: no secret to who sees all records.
const CONTACT: &str = "Mangosteen";

const QUESTION: Mail = Mail {
    from: "Quillfeather <zed@firm.example>",
    to: "board@acme.example",
    subject: "Kumquat merger",
    id: "s1@firm.example",
    answers: "",
    text: "--b\nContent-Type: text/html\n\n<p>The persimmon price <img src=\"cid:rambutan\"></p>\n\
           --b\nContent-Type: image/png; name=rambutan.png\nContent-ID: <rambutan>\nContent-Disposition: inline\n\
           Content-Transfer-Encoding: base64\n\niVBORw0KGgo=\n\
           --b\nContent-Type: application/pdf; name=tamarind.pdf\nContent-Disposition: attachment; filename=tamarind.pdf\n\nx\n--b--",
    kind: "multipart/mixed; boundary=b",
};

/// What is hidden.
struct Hidden {
    thread: i64,
    message: i64,
    case: i64,
    number: String,
    contact: i64,
    mailbox: i64,
    folder: i64,
}

impl Hidden {
    /// What stands at `{name}` of a path: something hidden, if the path is about such a thing.
    fn param(&self, path: &str, name: &str) -> (String, bool) {
        let about = path.split('/').nth(3).unwrap_or_default();
        let id = |id: i64| (id.to_string(), true);
        match (about, name) {
            ("threads", "id") => id(self.thread),
            ("messages", "id") => id(self.message),
            ("messages", "content_id") => ("rambutan".to_owned(), true),
            ("messages", "index") => ("1".to_owned(), true),
            ("cases", "id") => id(self.case),
            ("cases", "number") => (self.number.clone(), true),
            ("records", "id") if !path.contains("/imports/") => id(self.contact),
            ("mailboxes", "id") => id(self.mailbox),
            ("mailboxes", "folder_id") => id(self.folder),
            _ => ("1".to_owned(), false),
        }
    }

    fn query(&self, name: &str) -> Option<String> {
        Some(match name {
            "q" => "kumquat".to_owned(),
            "mailbox" | "mailbox_id" => self.mailbox.to_string(),
            "message" => self.message.to_string(),
            "of" | "account" => self.contact.to_string(),
            "view" => "all".to_owned(),
            "kind" => "contact".to_owned(),
            "limit" => "200".to_owned(),
            _ => return None,
        })
    }
}

/// A way to ask a GET of the document.
struct Door {
    path: String,
    /// Whether it is about something hidden.
    names_hidden: bool,
}

/// Every GET of the document but the endless one, bare and with the questions that it takes.
fn doors(document: &Value, hidden: &Hidden) -> Vec<Door> {
    let mut doors = Vec::new();
    for (template, item) in document["paths"].as_object().unwrap() {
        let operation = &item["get"];
        if operation.is_null() || template == "/api/v1/events" {
            continue;
        }
        let (mut path, mut names_hidden, mut query) = (template.clone(), false, Vec::new());
        for param in operation["parameters"].as_array().into_iter().flatten() {
            let name = param["name"].as_str().unwrap();
            if param["in"] == "path" {
                let (value, is_hidden) = hidden.param(template, name);
                path = path.replace(&format!("{{{name}}}"), &value);
                names_hidden |= is_hidden;
            } else if param["in"] == "query" {
                query.extend(hidden.query(name).map(|value| format!("{name}={value}")));
            }
        }
        doors.push(Door { path: path.clone(), names_hidden });
        for one in &query {
            doors.push(Door { path: format!("{path}?{one}"), names_hidden });
        }
    }
    doors
}

async fn hide(world: &World, ann: &mut Browser) -> Hidden {
    let new = json!({"kind": "contact", "name": CONTACT, "addresses": ["zed@firm.example"]});
    let contact = ann.post("/api/v1/records", new).await.json()["id"].as_i64().unwrap();
    let mut office = Office::at(world.app.desk.clone());
    let support = office.team("Support").await;
    office.mailbox("helpdesk@acme.example", Some(support)).await;
    let board = office.mailbox("board@acme.example", None).await;
    office.arrives(board, QUESTION).await;
    let row = ann.get("/api/v1/threads").await.json()["rows"][0].clone();
    let thread = row["id"].as_i64().unwrap();
    let entries = ann.get(&format!("/api/v1/threads/{thread}")).await.json()["entries"].clone();
    let message = entries.as_array().unwrap().iter().find(|entry| entry["kind"] == "message").unwrap();
    let folders = ann.get(&format!("/api/v1/mailboxes/{board}/folders")).await.json();
    Hidden {
        thread,
        message: message["id"].as_i64().unwrap(),
        case: row["case"]["id"].as_i64().unwrap(),
        number: row["case"]["number"].as_str().unwrap().to_owned(),
        contact,
        mailbox: board.0,
        folder: folders["folders"][0]["id"].as_i64().unwrap(),
    }
}

async fn join_support(ann: &mut Browser, login: &str) -> Value {
    let users = ann.get("/api/v1/users").await.json();
    let id = users.as_array().unwrap().iter().find(|user| user["login"] == login).unwrap()["id"].clone();
    let teams = ann.get("/api/v1/teams").await.json();
    ann.patch(&format!("/api/v1/users/{id}"), json!({"teams": [teams[0]["id"]]})).await;
    id
}

fn assert_no_secret(text: &str, whence: &str) {
    let text = text.to_lowercase();
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} reaches who may not see it by {whence}: {text}");
    }
}

testkit::on_both! {
    async fn e8_no_get_of_the_document_lets_out_what_is_hidden(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let hidden = hide(&world, &mut ann).await;
        let document = ann.get("/api/v1/openapi.json").await.json();
        let doors = doors(&document, &hidden);
        assert!(doors.iter().filter(|door| door.names_hidden).count() > 15, "the document names few ids");
        // To whom may see it every door opens: the ids are right, and the words are there.
        let mut said = String::new();
        for door in doors.iter().filter(|door| door.names_hidden) {
            let answer = ann.get(&door.path).await;
            assert_ne!(answer.status, StatusCode::NOT_FOUND, "{}", door.path);
            said.push_str(&answer.text().to_lowercase());
        }
        for secret in SECRETS {
            assert!(said.contains(secret), "{secret} stands nowhere");
        }

        let mut agent = world.user(&mut ann, "agent", "Agent").await;
        join_support(&mut ann, "agent").await;
        agent.send(axum::http::Method::PUT, &format!("/api/v1/records/{}/follow", hidden.contact), None, &[]).await;
        for role in ["Own mail", "No mail"] {
            let mut who = world.user(&mut ann, &role.replace(' ', "."), role).await;
            for door in &doors {
                let answer = who.get(&door.path).await;
                assert_no_secret(&answer.text(), &door.path);
                assert!(!answer.text().contains(CONTACT), "{role} reads the contact at {}", door.path);
                let shut = [StatusCode::NOT_FOUND, StatusCode::FORBIDDEN].contains(&answer.status);
                assert!(shut || !door.names_hidden, "{role} at {}: {}", door.path, answer.status);
            }
        }
        // Who sees all records sees the contact, and nothing of its mail.
        for door in &doors {
            let answer = agent.get(&door.path).await;
            assert_no_secret(&answer.text(), &door.path);
            let is_record = door.path.starts_with(&format!("/api/v1/records/{}", hidden.contact));
            let shut = [StatusCode::NOT_FOUND, StatusCode::FORBIDDEN].contains(&answer.status);
            assert!(shut || is_record || !door.names_hidden, "an agent at {}: {}", door.path, answer.status);
        }
        let case = agent.get(&format!("/api/v1/records/{}", hidden.case)).await;
        assert_eq!(case.status, StatusCode::NOT_FOUND, "a case is called as its mail");
        let contact = agent.get(&format!("/api/v1/records/{}", hidden.contact)).await.json();
        assert_eq!((&contact["last_at"], &contact["open_cases"], &contact["cases"]), (&Value::Null, &json!(0), &json!([])));
        let stream = agent.get(&format!("/api/v1/records/{}/stream?only=mail", hidden.contact)).await.json();
        assert_eq!(stream["rows"], json!([]));
        let tried = agent.post("/api/v1/rules/form/try", json!({"message_id": hidden.message})).await;
        assert_ne!(tried.status, StatusCode::OK);
    }

    async fn e8_live_events_and_notifications_say_nothing_of_hidden_mail(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let hidden = hide(&world, &mut ann).await;
        let mut agent = world.user(&mut ann, "agent", "Agent").await;
        let agent_id = join_support(&mut ann, "agent").await;
        let mut own = world.user(&mut ann, "own", "Own mail").await;
        agent.send(axum::http::Method::PUT, &format!("/api/v1/records/{}/follow", hidden.contact), None, &[]).await;
        let mut ears = Vec::new();
        for who in [&agent, &own, &ann] {
            let mut ear = Ear::open(&world, who, None).await;
            ear.next().await.unwrap();
            ears.push(ear);
        }
        let start = world.last_change().await;
        // Everything that can happen to it: mail, a note that names somebody, reading, a link, a case that changes.
        let mut office = Office::at(world.app.desk.clone()).numbered_from(10);
        let board = model::MailboxId(hidden.mailbox);
        office.arrives(board, Mail { id: "s2@firm.example", answers: "s1@firm.example", ..QUESTION }).await;
        let path = format!("/api/v1/threads/{}", hidden.thread);
        let mention = format!("@[agent](user:{agent_id}) the kumquat");
        let note = ann.post(&format!("{path}/notes"), json!({"body": mention})).await;
        assert_eq!((note.status, note.json()["not_told"].clone()), (StatusCode::CREATED, json!(["agent"])));
        ann.send(axum::http::Method::PUT, &format!("{path}/read"), None, &[]).await;
        let changed = ann.patch(&format!("/api/v1/cases/{}", hidden.case), json!({"priority": "high"})).await;
        assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
        // The last change is one that everybody hears of.
        ann.post("/api/v1/teams", json!({"name": "Press"})).await;
        let last = world.last_change().await;

        let mut heard = Vec::new();
        for ear in &mut ears {
            let mut changes = Vec::new();
            loop {
                let (_, id, change) = ear.next().await.unwrap();
                changes.push(change);
                if id == last {
                    break;
                }
            }
            heard.push(changes);
        }
        assert!(heard[2].iter().any(|change| change["thread_id"] == hidden.thread), "there was something to hear");
        for (who, changes) in [&mut agent, &mut own].into_iter().zip(&heard) {
            let feed = who.get(&format!("/api/v1/changes?after={start}&limit=200")).await.json();
            for change in changes.iter().chain(feed["rows"].as_array().unwrap()) {
                assert_eq!(change["thread_id"], Value::Null, "{change}");
                let kind = change["kind"].as_str().unwrap();
                assert!(!["thread", "message", "case", "notification", "mailbox"].contains(&kind), "{change}");
            }
            let told = who.get("/api/v1/notifications").await.json();
            assert_eq!((&told["total"], &told["unread"], &told["rows"]), (&json!(0), &json!(0), &json!([])));
        }
    }

    async fn e8_a_case_that_concerns_somebody_without_its_mail_shows_nothing_of_the_mail(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let hidden = hide(&world, &mut ann).await;
        let role = json!({"name": "Records only", "mail": "no", "records": "own"});
        assert_eq!(ann.post("/api/v1/roles", role).await.status, StatusCode::CREATED);
        let mut ben = world.user(&mut ann, "ben", "Records only").await;
        let id = join_support(&mut ann, "ben").await;
        let path = format!("/api/v1/cases/{}", hidden.case);
        assert_eq!(ben.get(&path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(ann.patch(&path, json!({"assignee_id": id})).await.status, StatusCode::OK);
        let case = ben.get(&path).await.json();
        assert_eq!((&case["subject"], &case["customer"], &case["threads"]), (&json!("Kumquat merger"), &json!(""), &json!([])));
        let record = ben.get(&format!("/api/v1/records/{}", hidden.case)).await;
        assert_eq!(record.json()["description"], "");
        let stream = ben.get(&format!("/api/v1/records/{}/stream", hidden.case)).await.text().to_lowercase();
        for secret in ["quillfeather", "persimmon", "tamarind"] {
            assert!(!record.text().to_lowercase().contains(secret) && !stream.contains(secret), "{secret}");
        }
        assert!(ann.get(&format!("/api/v1/records/{}", hidden.case)).await.text().contains("persimmon"));
    }
}
