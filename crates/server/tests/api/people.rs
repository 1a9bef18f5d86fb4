//! Users, roles, teams.

use crate::browser::{PASSWORD, World};
use axum::http::StatusCode;
use serde_json::{Value, json};
use store::sql::Db;

fn find<'a>(list: &'a Value, key: &str, value: &str) -> &'a Value {
    list.as_array().unwrap().iter().find(|row| row[key] == value).unwrap()
}

testkit::on_both! {
    async fn e1_a_new_user_sees_no_mail_unless_a_role_says_so(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let form = json!({"name": "Ben", "login": "BEN", "password": PASSWORD, "addresses": ["Ben@Acme.example"]});
        let answer = ann.post("/api/v1/users", form).await;
        assert_eq!(answer.status, StatusCode::CREATED);
        assert_eq!(answer.json()["role"]["name"], "No mail");
        let mut ben = world.stranger();
        let signed_in = ben.sign_in("ben", PASSWORD).await.json();
        assert_eq!(signed_in["user"]["rights"], json!({"mail": "no", "records": "no", "own_mailboxes": false, "group_mail": "no"}));
        assert_eq!(signed_in["user"]["administrator"], false);
    }

    async fn a_login_is_given_once_whatever_its_case(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let form = |login: &str| json!({"name": "Ben", "login": login, "password": PASSWORD});
        assert_eq!(ann.post("/api/v1/users", form("ben")).await.status, StatusCode::CREATED);
        assert_eq!(ann.post("/api/v1/users", form(" Ben ")).await.problem(), (409, "login_taken".into()));
        for (field, value) in [("login", "a b"), ("login", ""), ("name", " "), ("password", "123456789")] {
            let mut form = form("carla");
            form[field] = json!(value);
            let answer = ann.post("/api/v1/users", form).await;
            assert_eq!(answer.problem(), (422, "invalid".into()));
            assert!(answer.json()["fields"][field]["code"].is_string(), "{field}: {}", answer.text());
        }
        for (field, value) in
            [("addresses", json!(["no address"])), ("teams", json!([99])), ("role_id", json!(99))]
        {
            let mut form = form("carla");
            form[field] = value;
            assert!(ann.post("/api/v1/users", form).await.json()["fields"][field]["code"].is_string(), "{field}");
        }
        assert_eq!(ann.get("/api/v1/users").await.json().as_array().unwrap().len(), 2);
    }

    async fn a_changed_role_or_password_ends_the_sessions(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut ben = world.user(&mut ann, "ben", "Agent").await;
        let ids = ann.get("/api/v1/users").await.json();
        let ben_path = format!("/api/v1/users/{}", find(&ids, "login", "ben")["id"]);
        let lead = find(&ann.get("/api/v1/roles").await.json(), "name", "Lead")["id"].clone();

        assert_eq!(ann.patch(&ben_path, json!({"name": "Benjamin"})).await.json()["name"], "Benjamin");
        assert_eq!(ben.get("/api/v1/users").await.status, StatusCode::OK);
        assert_eq!(ann.patch(&ben_path, json!({"role_id": lead})).await.json()["role"]["name"], "Lead");
        assert_eq!(ben.get("/api/v1/users").await.problem().0, 401);
        ben.sign_in("ben", PASSWORD).await;
        assert_eq!(ann.patch(&ben_path, json!({"password": "another horse"})).await.status, StatusCode::OK);
        assert_eq!(ben.get("/api/v1/users").await.problem().0, 401);
        assert_eq!(ben.sign_in("ben", PASSWORD).await.problem().0, 401);
        assert_eq!(ben.sign_in("ben", "another horse").await.status, StatusCode::OK);
    }

    async fn the_last_administrator_stays(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let users = ann.get("/api/v1/users").await.json();
        let path = format!("/api/v1/users/{}", users[0]["id"]);
        let roles = ann.get("/api/v1/roles").await.json();
        let (agent, administrator) = (&find(&roles, "name", "Agent")["id"], &find(&roles, "name", "Administrator")["id"]);
        assert_eq!(ann.patch(&path, json!({"active": false})).await.problem(), (409, "last_administrator".into()));
        assert_eq!(ann.patch(&path, json!({"role_id": agent})).await.problem(), (409, "last_administrator".into()));

        let form = json!({"name": "Ben", "login": "ben", "password": PASSWORD, "role_id": administrator});
        ann.post("/api/v1/users", form).await;
        assert_eq!(ann.patch(&path, json!({"role_id": agent})).await.status, StatusCode::OK);
    }

    async fn teams_and_processes_are_there_once_per_name(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        for list in ["teams", "processes"] {
            let path = format!("/api/v1/{list}");
            let first = ann.post(&path, json!({"name": " Support "})).await.json();
            let second = ann.post(&path, json!({"name": "Support"})).await.json();
            assert_eq!(first, second);
            ann.post(&path, json!({"name": "Press"})).await;
            let names: Vec<Value> =
                ann.get(&path).await.json().as_array().unwrap().iter().map(|row| row["name"].clone()).collect();
            assert_eq!(names, ["Press", "Support"]);
        }
    }
}
