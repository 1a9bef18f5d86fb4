//! Cases and who gets them, from outside.

use crate::browser::World;
use crate::office::{Mail, Office};
use axum::http::StatusCode;
use serde_json::{Value, json};
use store::sql::Db;

const QUESTION: Mail = Mail {
    from: "Carla <carla@firm.example>",
    to: "helpdesk@acme.example",
    subject: "Broken lamp",
    id: "1@firm.example",
    answers: "",
    text: "The lamp is broken.",
    kind: "",
};

testkit::on_both! {
    async fn d5_a_case_is_snoozed_merged_and_split(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut office = Office::at(world.app.desk.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        office.arrives(helpdesk, QUESTION).await;
        office.arrives(helpdesk, Mail { id: "2@firm.example", answers: "1@firm.example", ..QUESTION }).await;
        office.arrives(helpdesk, Mail { id: "3@firm.example", subject: "Another", ..QUESTION }).await;
        let rows = ann.get("/api/v1/threads").await.json()["rows"].clone();
        let find = |subject: &str| rows.as_array().unwrap().iter().find(|r| r["subject"] == subject).unwrap().clone();
        let (lamp, other) = (find("Broken lamp"), find("Another"));
        let path = format!("/api/v1/cases/{}", lamp["case"]["id"]);

        let past = ann.patch(&path, json!({"snoozed_until": "2020-01-01T00:00:00Z"})).await.problem();
        assert_eq!(past.0, 422);
        let snooze = format!("/api/v1/threads/{}/snooze", lamp["id"]);
        let until = "2031-05-04T08:00:00Z";
        assert_eq!(ann.post(&snooze, json!({"until": until})).await.status, StatusCode::NO_CONTENT);
        assert_eq!(ann.get(&path).await.json()["snoozed_until"], until);
        assert_eq!(ann.get("/api/v1/threads?view=snoozed").await.json()["rows"][0]["snoozed_until"], until);
        assert_eq!(ann.get("/api/v1/threads?view=open").await.json()["total"], 1);
        assert_eq!(ann.patch(&path, json!({"snoozed_until": null})).await.json()["snoozed_until"], Value::Null);

        let thread = ann.get(&format!("/api/v1/threads/{}", lamp["id"])).await.json();
        let messages: Vec<&Value> =
            thread["entries"].as_array().unwrap().iter().filter(|e| e["kind"] == "message").collect();
        let second = messages[1]["id"].clone();
        let made = ann.post(&format!("{path}/split"), json!({"messages": [second]})).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        assert_eq!(made.json()["threads"][0]["messages"], 1);
        let all = ann.post(&format!("{path}/split"), json!({"messages": [messages[0]["id"]]})).await;
        assert_eq!(all.problem().0, 422, "nothing would be left");

        let into = json!({"into": other["case"]["id"]});
        let merged = ann.post(&format!("{path}/merge"), into.clone()).await.json();
        assert_eq!((&merged["id"], merged["threads"].as_array().unwrap().len()), (&other["case"]["id"], 2));
        assert_eq!(ann.get(&path).await.json()["id"], other["case"]["id"]);
        let number = lamp["case"]["number"].as_str().unwrap();
        assert_eq!(ann.get(&format!("/api/v1/cases/number/{number}")).await.json()["id"], other["case"]["id"]);
        assert_eq!(ann.post(&format!("{path}/merge"), into).await.problem().0, 422);
        assert_eq!(ann.get("/api/v1/cases/number/999").await.problem().0, 404);
    }

    async fn d2_a_mailbox_shares_its_cases_and_people_say_when_they_are_there(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let office = Office::at(world.app.desk.clone());
        let support = office.team("Support").await;
        let helpdesk = office.mailbox("helpdesk@acme.example", Some(support)).await;
        let mut ben = world.user(&mut ann, "ben", "Agent").await;
        let users = ann.get("/api/v1/users").await.json();
        let id = users.as_array().unwrap().iter().find(|user| user["login"] == "ben").unwrap()["id"].clone();
        ann.patch(&format!("/api/v1/users/{id}"), json!({"teams": [support.0]})).await;

        let path = format!("/api/v1/mailboxes/{helpdesk}/distribution");
        assert_eq!(ann.patch(&path, json!({"distribution": "direct"})).await.problem().0, 422, "to whom");
        assert_eq!(ann.patch(&path, json!({"reply_within_min": 0})).await.problem().0, 422);
        let shared = ann.patch(&path, json!({"distribution": "round_robin", "reply_within_min": 60})).await.json();
        assert_eq!((&shared["distribution"], &shared["reply_within_min"]), (&json!("round_robin"), &json!(60)));
        assert_eq!(shared["reopen_within_days"], 30);
        assert_eq!(ben.patch(&path, json!({"distribution": "none"})).await.problem().0, 404);

        let own = format!("/api/v1/users/{id}/availability");
        let away = json!({"away_from": "2026-03-01T00:00:00Z", "away_until": "2026-03-20T00:00:00Z"});
        let saved = ben.patch(&own, away).await.json();
        assert_eq!((&saved["user"]["name"], &saved["away_until"]), (&json!("ben"), &json!("2026-03-20T00:00:00Z")));
        assert_eq!(ben.patch(&own, json!({"capacity": 3})).await.problem().0, 403);
        let hours = json!({"zone": "Europe/Prague", "days": {"1": ["08:00", "16:30"]}});
        let saved = ann.patch(&own, json!({"capacity": 3, "working_hours": hours})).await.json();
        assert_eq!((&saved["capacity"], &saved["working_hours"]), (&json!(3), &hours));
        let wrong = json!({"working_hours": {"zone": "Europe/Nowhere", "days": {"1": ["08:00", "16:30"]}}});
        assert_eq!(ann.patch(&own, wrong).await.problem().0, 422);

        assert_eq!(ben.get("/api/v1/session").await.json()["user"]["teams"], json!([support.0]));
        assert_eq!(ann.get("/api/v1/session").await.json()["user"]["teams"], json!([]));
        let team = ben.get(&format!("/api/v1/teams/{support}")).await.json();
        assert_eq!((&team["name"], &team["members"][0]["capacity"]), (&json!("Support"), &json!(3)));
        let board = office.team("Board").await;
        assert_eq!(ben.get(&format!("/api/v1/teams/{board}")).await.problem().0, 404, "not theirs");
        let handed = ben.post(&format!("/api/v1/users/{id}/hand-over"), json!({"by": "none"})).await.json();
        assert_eq!(handed, json!({"given": 0, "unassigned": 0}));
    }

    async fn b6_what_is_handed_to_a_team_that_shares_its_cases_is_one_members_at_once(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut office = Office::at(world.app.desk.clone());
        let support = office.team("Support").await;
        let helpdesk = office.mailbox("helpdesk@acme.example", Some(support)).await;
        let press = office.mailbox("press@acme.example", None).await;
        office.no_cases(press).await;
        world.user(&mut ann, "ben", "Agent").await;
        let users = ann.get("/api/v1/users").await.json();
        let id = users.as_array().unwrap().iter().find(|user| user["login"] == "ben").unwrap()["id"].clone();
        ann.patch(&format!("/api/v1/users/{id}"), json!({"teams": [support.0]})).await;
        for (mailbox, mail) in [(helpdesk, QUESTION), (press, Mail { id: "2@firm.example", subject: "A story", ..QUESTION })] {
            office.arrives(mailbox, mail).await;
            let row = ann.get("/api/v1/threads").await.json()["rows"][0].clone();
            assert_eq!(row["case"].is_null(), mailbox == press);
            let path = format!("/api/v1/threads/{}", row["id"]);
            let hand = async |ann: &mut crate::browser::Browser, to| {
                assert_eq!(ann.post(&format!("{path}/hand"), to).await.status, StatusCode::NO_CONTENT);
                ann.get(&path).await.json()["charge"].clone()
            };
            ann.patch(&format!("/api/v1/mailboxes/{helpdesk}/distribution"), json!({"distribution": "none"})).await;
            let charge = hand(&mut ann, json!({"team": support.0})).await;
            assert_eq!((&charge["user"], &charge["team"]["name"]), (&Value::Null, &json!("Support")));
            ann.patch(&format!("/api/v1/mailboxes/{helpdesk}/distribution"), json!({"distribution": "least_busy"})).await;
            let charge = hand(&mut ann, json!({"team": support.0})).await;
            assert_eq!((&charge["user"]["name"], &charge["team"]["name"]), (&json!("ben"), &json!("Support")));
            let charge = hand(&mut ann, json!({})).await;
            assert_eq!(charge["user"], Value::Null);
        }
    }
}
