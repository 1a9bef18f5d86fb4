//! The feed of changes and the live events.

use crate::browser::{Browser, World};
use axum::body::{Bytes, HttpBody};
use axum::http::{Method, StatusCode};
use model::{ThreadId, Time};
use serde_json::{Value, json};
use std::pin::Pin;
use std::time::Duration;
use store::changes::{self, Change, ChangeKind};
use store::params;
use store::sql::Db;
use tower::ServiceExt;

/// An open stream of events.
pub struct Ear {
    body: axum::body::Body,
    text: String,
}

/// Long enough for a busy machine.
const SOON: Duration = Duration::from_secs(60);

impl Ear {
    pub async fn open(world: &World, who: &Browser, last: Option<i64>) -> Ear {
        let last = last.map(|id| id.to_string());
        let headers: Vec<(&str, &str)> = last.iter().map(|id| ("last-event-id", id.as_str())).collect();
        let request = who.request(Method::GET, "/api/v1/events", Bytes::new(), &headers);
        let response = world.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Ear { body: response.into_body(), text: String::new() }
    }

    /// The next event: its name, its id, its data. `None` at the end.
    pub async fn next(&mut self) -> Option<(String, i64, Value)> {
        tokio::time::timeout(SOON, self.hear()).await.expect("there is an event")
    }

    /// Whether nothing comes for a second, nor the end.
    async fn is_silent(&mut self) -> bool {
        tokio::time::timeout(Duration::from_secs(1), self.hear()).await.is_err()
    }

    async fn hear(&mut self) -> Option<(String, i64, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(name));
                    line.map(|value| value.trim_start_matches(':').trim().to_owned())
                };
                let found = field("event").map(|name| {
                    let id = field("id").unwrap().parse().unwrap();
                    (name, id, serde_json::from_str(&field("data").unwrap()).unwrap())
                });
                self.text = rest.to_owned();
                if found.is_some() {
                    return found;
                }
                continue;
            }
            let body = &mut self.body;
            let frame = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await?;
            let data = frame.unwrap().into_data().unwrap();
            self.text.push_str(std::str::from_utf8(&data).unwrap());
        }
    }
}

/// A thread that only those with the token see.
async fn thread(db: &Db, id: i64, token: &str) {
    let mut tx = db.begin().await.unwrap();
    tx.execute(
        "INSERT INTO threads (id, subject, snippet, from_name, from_address, first_at, last_at, last_message_id, \
         messages, attachments, links) VALUES ($1, 'Tajné', '', '', '', 1, 1, 1, 1, 0, 0)",
        params![id],
    )
    .await
    .unwrap();
    let access = "INSERT INTO thread_access (token, thread_id, last_at) VALUES ($1, $2, 1)";
    tx.execute(access, params![token, id]).await.unwrap();
    tx.commit().await.unwrap();
}

async fn happen(world: &World, kind: ChangeKind, entity_id: i64, thread: Option<i64>) -> i64 {
    let mut tx = world.app.desk.db.begin().await.unwrap();
    let change = Change { kind, entity_id, thread: thread.map(ThreadId), action: "changed" };
    let id = changes::add(&mut tx, change, world.app.desk.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    id.0
}

testkit::on_both! {
    async fn a_change_reaches_those_who_listen_and_those_who_come_back(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut ear = Ear::open(&world, &ann, None).await;
        let (name, start, hello) = ear.next().await.unwrap();
        assert_eq!((name.as_str(), &hello), ("hello", &json!({"change_id": start, "missed": false})));

        ann.post("/api/v1/teams", json!({"name": "Support"})).await;
        let (name, id, change) = ear.next().await.unwrap();
        assert_eq!((name.as_str(), id), ("change", start + 1));
        assert_eq!((&change["kind"], &change["action"], &change["id"]), (&json!("user"), &json!("team_added"), &json!(id)));
        drop(ear);

        ann.post("/api/v1/teams", json!({"name": "Press"})).await;
        let mut ear = Ear::open(&world, &ann, Some(id)).await;
        assert_eq!(ear.next().await.unwrap().2["change_id"], id);
        assert_eq!(ear.next().await.unwrap().1, id + 1);
        drop(ear);

        // Who was away for too long, or shows an id of another database, is told so.
        let mut ear = Ear::open(&world, &ann, Some(id + 1_000)).await;
        assert_eq!(ear.next().await.unwrap().2, json!({"change_id": id + 1, "missed": true}));
    }

    async fn e8_changes_of_what_one_may_not_see_are_not_heard(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut agent = world.user(&mut ann, "agent", "Agent").await;
        let none = world.user(&mut ann, "none", "No mail").await;
        let me = agent.get("/api/v1/session").await.json()["user"]["id"].as_i64().unwrap();
        let contact = ann.post("/api/v1/records", json!({"kind": "contact", "name": "Carla"})).await.json();
        let contact = contact["id"].as_i64().unwrap();
        thread(&world.app.desk.db, 1, "m77").await;
        thread(&world.app.desk.db, 2, &format!("u{me}")).await;
        let start = world.last_change().await;
        let mut ears = Vec::new();
        for who in [&ann, &agent, &none] {
            let mut ear = Ear::open(&world, who, None).await;
            ear.next().await.unwrap();
            ears.push(ear);
        }
        let hidden = happen(&world, ChangeKind::Thread, 1, Some(1)).await;
        let mine = happen(&world, ChangeKind::Message, 9, Some(2)).await;
        let mailbox = happen(&world, ChangeKind::Mailbox, 5, None).await;
        let record = happen(&world, ChangeKind::Record, contact, None).await;
        let user = happen(&world, ChangeKind::User, 7, None).await;

        let expected = [vec![hidden, mine, mailbox, record, user], vec![mine, record, user], vec![user]];
        for (ear, expected) in ears.iter_mut().zip(&expected) {
            for id in expected {
                assert_eq!(ear.next().await.unwrap().1, *id);
            }
            assert!(ear.is_silent().await);
        }
        for (who, expected) in [ann, agent, none].iter_mut().zip(&expected) {
            let page = who.get(&format!("/api/v1/changes?after={start}")).await.json();
            let ids: Vec<i64> = page["rows"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect();
            assert_eq!(&ids, expected);
            assert_eq!(page["next"], user);
        }
    }

    async fn a_right_that_is_taken_away_is_gone_at_once_and_a_session_that_ended_is_cut_off(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut lead = world.user(&mut ann, "lead", "Lead").await;
        let me = lead.get("/api/v1/session").await.json()["user"]["id"].as_i64().unwrap();
        let token = lead.post("/api/v1/tokens", json!({"name": "ear"})).await.json()["token"].clone();
        let mut program = world.stranger();
        program.token = Some(token.as_str().unwrap().to_owned());
        thread(&world.app.desk.db, 1, "m77").await;
        let mut cookie = Ear::open(&world, &lead, None).await;
        let mut token = Ear::open(&world, &program, None).await;
        for ear in [&mut cookie, &mut token] {
            ear.next().await.unwrap();
        }
        let seen = happen(&world, ChangeKind::Thread, 1, Some(1)).await;
        assert_eq!(cookie.next().await.unwrap().1, seen);
        assert_eq!(token.next().await.unwrap().1, seen);

        let roles = ann.get("/api/v1/roles").await.json();
        let none = &roles.as_array().unwrap().iter().find(|role| role["name"] == "No mail").unwrap()["id"];
        ann.patch(&format!("/api/v1/users/{me}"), json!({"role_id": none})).await;
        happen(&world, ChangeKind::Thread, 1, Some(1)).await;
        let user = happen(&world, ChangeKind::User, me, None).await;
        assert_eq!(cookie.next().await.unwrap().2["kind"], "user");
        assert!(cookie.next().await.is_none());
        assert_eq!(token.next().await.unwrap().2["kind"], "user");
        assert_eq!(token.next().await.unwrap().1, user);
    }

    async fn the_cursor_walks_the_whole_feed(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        for id in 0..7 {
            happen(&world, ChangeKind::User, id, None).await;
        }
        let last = world.last_change().await;
        let (mut after, mut seen) = (0, Vec::new());
        for _ in 0..10 {
            let page = ann.get(&format!("/api/v1/changes?after={after}&limit=3")).await.json();
            seen.extend(page["rows"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()));
            after = page["next"].as_i64().unwrap();
        }
        assert_eq!(seen, (1..=last).collect::<Vec<_>>());
        assert_eq!(after, last);
    }

    async fn a_follower_misses_nothing_while_many_write_at_once(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let start = world.last_change().await;
        let writers = (0..6).map(|writer| {
            let world = &world;
            async move {
                for n in 0..10 {
                    let mut tx = world.app.desk.db.begin().await.unwrap();
                    let change = Change { kind: ChangeKind::User, entity_id: n, thread: None, action: "added" };
                    changes::add(&mut tx, change, Time(0)).await.unwrap();
                    // Would let a later id be committed first, if ids were not held until then.
                    tokio::time::sleep(Duration::from_millis((writer * 7 + n as u64 * 3) % 5)).await;
                    tx.commit().await.unwrap();
                }
            }
        });
        let (mut after, mut seen) = (start, Vec::new());
        let follower = async {
            while seen.len() < 60 {
                let page = ann.get(&format!("/api/v1/changes?after={after}")).await.json();
                seen.extend(page["rows"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()));
                after = page["next"].as_i64().unwrap();
            }
        };
        let both = futures_util::future::join(futures_util::future::join_all(writers), follower);
        tokio::time::timeout(SOON, both).await.expect("all changes are seen");
        assert_eq!(seen, (start + 1..=start + 60).collect::<Vec<_>>());
    }

    async fn a_user_has_a_limited_number_of_live_connections(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut ears = Vec::new();
        for _ in 0..20 {
            ears.push(Ear::open(&world, &ann, None).await);
        }
        assert_eq!(ann.get("/api/v1/events").await.problem(), (429, "too_many_listeners".into()));
        ears.pop();
        drop(Ear::open(&world, &ann, None).await);
    }

    async fn live_connections_end_with_the_server(db: Db) {
        let world = World::new(db);
        let ann = world.set_up().await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving = tokio::spawn(server::serve(world.app.clone(), listener, async move {
            let _ = stopped.await;
        }));
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let cookie = ann.cookie.as_ref().unwrap();
        let request = format!("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n");
        tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
        let mut text = String::new();
        while !text.contains("event: hello") {
            let mut part = [0; 4096];
            let read = tokio::io::AsyncReadExt::read(&mut stream, &mut part).await.unwrap();
            assert!(read > 0, "{text}");
            text.push_str(std::str::from_utf8(&part[..read]).unwrap());
        }
        stop.send(()).unwrap();
        // Sooner than the ten seconds after which it would cut them off.
        let ended = tokio::time::timeout(Duration::from_secs(9), serving).await;
        ended.expect("the server ends at once").unwrap().unwrap();
    }
}
