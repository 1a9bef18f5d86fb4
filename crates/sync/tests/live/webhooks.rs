//! Reports of rules on their way to other systems: signed, tried again, never where nobody may dial (C6, T7).

use crate::post_room::PostRoom;
use desk::may::Actor;
use desk::webhook::Switch;
use std::sync::{Arc, Mutex};
use store::jobs::{self, JobState};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A receiver that answers with these statuses, the last one again and again, and what it heard.
pub async fn receiver(statuses: Vec<&'static str>) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let all = heard.clone();
    tokio::spawn(async move {
        for at in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut text = String::new();
            let mut piece = [0; 4096];
            // The body is JSON on one line, at the end.
            while !text.ends_with('}') {
                let read = stream.read(&mut piece).await.unwrap();
                text.push_str(std::str::from_utf8(&piece[..read]).unwrap());
            }
            all.lock().unwrap().push(text);
            let status = statuses[at.min(statuses.len() - 1)];
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Length: 0\r\nLocation: http://127.0.0.1:1/\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (port, heard)
}

async fn queue(room: &PostRoom, url: &str) -> model::JobId {
    let mut tx = room.desk().db.begin().await.unwrap();
    let data = serde_json::json!({ "url": url, "body": r#"{"event":"rule"}"# }).to_string();
    let id = jobs::add(&mut tx, desk::webhook::KIND, &data, room.desk().clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn job(room: &PostRoom, id: model::JobId) -> jobs::Job {
    jobs::get(&mut &room.desk().db, id).await.unwrap().unwrap()
}

async fn on_each(story: impl AsyncFn(PostRoom)) {
    story(PostRoom::new().await).await;
    story(PostRoom::on_postgres().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c6_a_report_is_signed_tried_again_and_delivered_once_it_is_taken() {
    on_each(async |room| {
        let actor = Actor::machine();
        let (port, heard) = receiver(vec!["503 Busy", "302 Found", "204 No Content"]).await;
        let url = format!("http://127.0.0.1:{port}/mail");
        desk::mailbox::allow_hosts(room.desk(), &actor, &["127.0.0.1".to_owned()]).await.unwrap();
        let (_, secret) = desk::webhook::add(room.desk(), &actor, &url).await.unwrap();
        assert!(secret.reveal().starts_with("whsec_"));
        let id = queue(&room, &url).await;
        for (attempts, state) in [(1, JobState::Due), (2, JobState::Due), (3, JobState::Done)] {
            room.run("UPDATE jobs SET next_at = 0").await;
            sync::webhooks::deliver_due(room.desk()).await.unwrap();
            let job = job(&room, id).await;
            assert_eq!((job.attempts, job.state), (attempts, state), "{:?}", job.error);
        }
        sync::webhooks::deliver_due(room.desk()).await.unwrap();
        let heard = heard.lock().unwrap().clone();
        assert_eq!(heard.len(), 3);
        assert!(heard[0].starts_with("POST /mail HTTP/1.1"), "{}", heard[0]);
        assert!(heard[0].contains("x-lettercase-signature: t=") && heard[0].ends_with(r#"{"event":"rule"}"#));
        let (total, rows) = desk::webhook::deliveries(room.desk(), &actor, 0, 10).await.unwrap();
        assert_eq!((total, rows[0].url.as_str(), rows[0].event.as_str()), (1, url.as_str(), "rule"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t7_a_report_reaches_no_host_inside_that_nobody_allowed_and_is_given_up_visibly() {
    on_each(async |room| {
        let actor = Actor::machine();
        let (port, heard) = receiver(vec!["200 OK"]).await;
        let url = format!("http://127.0.0.1:{port}/");
        desk::webhook::add(room.desk(), &actor, &url).await.unwrap();
        let id = queue(&room, &url).await;
        for _ in 0..10 {
            room.run("UPDATE jobs SET next_at = 0 WHERE state = 'due'").await;
            sync::webhooks::deliver_due(room.desk()).await.unwrap();
        }
        let given_up = job(&room, id).await;
        assert_eq!((given_up.state, given_up.attempts), (JobState::Failed, 8), "{:?}", given_up.error);
        assert!(heard.lock().unwrap().is_empty(), "nothing was dialled");
        desk::mailbox::allow_hosts(room.desk(), &actor, &["127.0.0.1".to_owned()]).await.unwrap();
        desk::webhook::again(room.desk(), &actor, id).await.unwrap();
        sync::webhooks::deliver_due(room.desk()).await.unwrap();
        assert_eq!((job(&room, id).await.state, heard.lock().unwrap().len()), (JobState::Done, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c6_a_test_arrives_and_to_a_webhook_that_is_switched_off_nothing_is_sent() {
    on_each(async |room| {
        let actor = Actor::machine();
        let (port, heard) = receiver(vec!["200 OK"]).await;
        let url = format!("http://127.0.0.1:{port}/");
        desk::mailbox::allow_hosts(room.desk(), &actor, &["127.0.0.1".to_owned()]).await.unwrap();
        let (webhook, _) = desk::webhook::add(room.desk(), &actor, &url).await.unwrap();
        let test = desk::webhook::test(room.desk(), &actor, webhook.id).await.unwrap();
        sync::webhooks::deliver_due(room.desk()).await.unwrap();
        assert_eq!(job(&room, test).await.state, JobState::Done);
        assert!(heard.lock().unwrap()[0].contains(r#""event":"test""#));
        let (_, rows) = desk::webhook::deliveries(room.desk(), &actor, 0, 10).await.unwrap();
        assert_eq!((rows[0].job.id, rows[0].event.as_str()), (test, "test"));

        let on_its_way = queue(&room, &url).await;
        desk::webhook::enable(room.desk(), &actor, webhook.id, Switch::Off).await.unwrap();
        sync::webhooks::deliver_due(room.desk()).await.unwrap();
        let given_up = job(&room, on_its_way).await;
        assert_eq!(
            (given_up.state, given_up.error.as_deref()),
            (JobState::Failed, Some("the webhook is switched off"))
        );
        assert_eq!(heard.lock().unwrap().len(), 1, "nothing was sent");

        desk::webhook::enable(room.desk(), &actor, webhook.id, Switch::On).await.unwrap();
        desk::webhook::again(room.desk(), &actor, on_its_way).await.unwrap();
        sync::webhooks::deliver_due(room.desk()).await.unwrap();
        assert_eq!((job(&room, on_its_way).await.state, heard.lock().unwrap().len()), (JobState::Done, 2));
    })
    .await;
}
