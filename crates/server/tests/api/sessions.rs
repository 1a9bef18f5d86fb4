//! Setting up, signing in and out, tokens, throttling, forged requests.

use crate::browser::{PASSWORD, World};
use axum::body::Bytes;
use axum::http::{Method, StatusCode, header};
use serde_json::json;
use store::sql::Db;

testkit::on_both! {
    async fn set_up_is_asked_for_until_there_is_an_administrator(db: Db) {
        let world = World::new(db);
        let mut ann = world.stranger();
        let session = ann.get("/api/v1/session").await.json();
        assert_eq!((&session["user"], &session["setup_required"]), (&json!(null), &json!(true)));
        assert_eq!(ann.get("/api/v1/users").await.problem(), (401, "sign_in_required".into()));

        let form = json!({"name": "Ann", "login": " Ann@ACME.example ", "password": "short", "language": "cs"});
        let answer = ann.post("/api/v1/setup", form).await;
        assert_eq!(answer.problem(), (422, "invalid".into()));
        assert_eq!(answer.json()["fields"]["password"]["message"], "at least 10 characters");

        let mut ann = world.set_up().await;
        let session = ann.get("/api/v1/session").await.json();
        assert_eq!(session["setup_required"], false);
        assert_eq!(session["user"]["login"], "ann@acme.example");
        assert_eq!(session["user"]["language"], "cs");
        assert_eq!(session["user"]["administrator"], true);
        assert_eq!(session["user"]["rights"], json!({"mail": "all", "records": "all", "own_mailboxes": true, "group_mail": "all"}));
        assert!(session["csrf_token"].as_str().unwrap().len() >= 40);

        let form = json!({"name": "Ben", "login": "ben", "password": PASSWORD, "language": "en"});
        let answer = world.stranger().post("/api/v1/setup", form).await;
        assert_eq!(answer.problem(), (409, "already_set_up".into()));
    }

    async fn of_two_set_ups_at_one_moment_one_wins(db: Db) {
        let world = World::new(db);
        let form = |name| json!({"name": name, "login": name, "password": PASSWORD, "language": "en"});
        let (mut ann, mut ben, mut carla) = (world.stranger(), world.stranger(), world.stranger());
        let (a, b, c) = tokio::join!(
            ann.post("/api/v1/setup", form("ann")),
            ben.post("/api/v1/setup", form("ben")),
            carla.post("/api/v1/setup", form("carla")),
        );
        let mut statuses = [a.status.as_u16(), b.status.as_u16(), c.status.as_u16()];
        statuses.sort();
        assert_eq!(statuses, [200, 409, 409]);
        assert_eq!(store::people::users(&mut &world.app.desk.db).await.unwrap().len(), 1);
        assert_eq!(store::people::roles(&mut &world.app.desk.db).await.unwrap().len(), 5);
    }

    async fn an_unknown_user_and_a_wrong_password_get_the_same_answer(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        world.user(&mut ann, "ben", "Agent").await;
        let id = ann.get("/api/v1/users").await.json().as_array().unwrap().iter()
            .find(|user| user["login"] == "ben").unwrap()["id"].as_i64().unwrap();
        ann.patch(&format!("/api/v1/users/{id}"), json!({"active": false})).await;

        let wrong = world.stranger().sign_in("ann@acme.example", "wrong horse").await;
        let unknown = world.stranger().sign_in("nobody@acme.example", "wrong horse").await;
        let off = world.stranger().sign_in("ben", PASSWORD).await;
        for answer in [&wrong, &unknown, &off] {
            assert_eq!(answer.problem(), (401, "wrong_login".into()));
            assert_eq!(answer.body, wrong.body);
            assert!(!answer.headers.contains_key(header::SET_COOKIE));
        }
    }

    async fn an_unknown_user_gets_the_same_answer(db: Db) {
        let world = World::new(db);
        world.set_up().await;
        let known = world.stranger().sign_in("ann@acme.example", "wrong horse").await.problem();
        assert_eq!(known, (401, "wrong_login".into()));
        assert_eq!(world.stranger().sign_in("nobody", "wrong horse").await.problem(), known);
    }

    async fn a_cookie_is_hidden_from_scripts_and_each_sign_in_makes_a_new_one(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let old = ann.clone();
        let answer = ann.sign_in("ANN@acme.example", PASSWORD).await;
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.starts_with("lettercase_session="), "{cookie}");
        assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax") && cookie.contains("; Path=/"));
        assert_ne!(ann.cookie, old.cookie);
        assert_eq!(old.clone().get("/api/v1/users").await.problem(), (401, "sign_in_required".into()));

        let left = ann.clone();
        assert_eq!(ann.delete("/api/v1/session").await.status, StatusCode::NO_CONTENT);
        assert_eq!(ann.cookie, None);
        assert_eq!(left.clone().get("/api/v1/users").await.problem(), (401, "sign_in_required".into()));
    }

    async fn behind_https_the_cookie_is_bound_to_it_and_to_the_host(db: Db) {
        let world = World::with(db, server::Settings { secure: true, url: None });
        let mut ann = world.set_up().await;
        let answer = ann.sign_in("ann@acme.example", PASSWORD).await;
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.starts_with("__Host-lettercase_session="), "{cookie}");
        assert!(cookie.contains("; Secure") && cookie.contains("; Path=/;") && !cookie.contains("Domain"));
        assert!(answer.headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
        assert_eq!(ann.get("/api/v1/users").await.status, StatusCode::OK);
        ann.cookie = ann.cookie.map(|cookie| cookie.replace("__Host-", ""));
        assert_eq!(ann.get("/api/v1/users").await.problem().0, 401);
    }

    async fn a_session_ends_after_a_week_without_use_and_after_a_month_in_any_case(db: Db) {
        const DAY_S: i64 = 86_400;
        let world = World::new(db);
        let mut ann = world.set_up().await;
        for _ in 0..4 {
            world.app.desk.clock.advance_s(6 * DAY_S);
            assert_eq!(ann.get("/api/v1/users").await.status, StatusCode::OK);
        }
        world.app.desk.clock.advance_s(6 * DAY_S + 1);
        assert_eq!(ann.get("/api/v1/users").await.problem().0, 401);

        ann.sign_in("ann@acme.example", PASSWORD).await;
        world.app.desk.clock.advance_s(7 * DAY_S + 1);
        assert_eq!(ann.get("/api/v1/users").await.problem().0, 401);
    }

    async fn guessing_is_slowed_down_per_login_also_for_unknown_ones(db: Db) {
        let world = World::new(db);
        world.set_up().await;
        for login in ["ann@acme.example", "nobody"] {
            for _ in 0..10 {
                assert_eq!(world.stranger().sign_in(login, "wrong horse").await.status, 401);
            }
            let answer = world.stranger().sign_in(login, PASSWORD).await;
            assert_eq!(answer.problem(), (429, "too_many_attempts".into()));
            let wait: i64 = answer.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
            assert!((800..=901).contains(&wait), "{wait}");
        }
        world.app.desk.clock.advance_s(901);
        assert_eq!(world.stranger().sign_in("ann@acme.example", PASSWORD).await.status, 200);
    }

    async fn many_guesses_at_once_do_not_slip_past_the_count(db: Db) {
        let world = World::new(db);
        world.set_up().await;
        let guesses = (0..40).map(|_| {
            let mut guesser = world.stranger();
            async move { guesser.sign_in("ann@acme.example", "wrong horse").await.status.as_u16() }
        });
        let statuses = futures_util::future::join_all(guesses).await;
        let tried = statuses.iter().filter(|status| **status == 401).count();
        assert!((10..=12).contains(&tried), "{statuses:?}");
    }

    async fn a_changing_request_needs_the_sessions_csrf_token(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let before = world.last_change().await;
        let right = std::mem::take(&mut ann.csrf);
        let answer = ann.patch("/api/v1/me", json!({"theme": "dark"})).await;
        assert_eq!(answer.problem(), (403, "csrf_token".into()));
        ann.csrf = right.chars().rev().collect();
        assert_eq!(ann.patch("/api/v1/me", json!({"theme": "dark"})).await.problem().0, 403);
        assert_eq!(ann.delete("/api/v1/session").await.problem(), (403, "csrf_token".into()));
        assert_eq!(world.last_change().await, before);

        ann.csrf = right;
        let body = Bytes::from(r#"{"theme": "dark"}"#);
        let json = ("content-type", "application/json");
        for site in ["cross-site", "same-site"] {
            let headers = [json, ("sec-fetch-site", site)];
            let answer = ann.send_raw(Method::PATCH, "/api/v1/me", body.clone(), &headers).await;
            assert_eq!(answer.problem(), (403, "cross_site".into()));
            let login = Bytes::from(json!({"login": "ann@acme.example", "password": PASSWORD}).to_string());
            let answer = world.stranger().send_raw(Method::POST, "/api/v1/session", login, &headers).await;
            assert_eq!(answer.problem(), (403, "cross_site".into()));
        }
        assert_eq!(world.last_change().await, before);
        let me = ann.patch("/api/v1/me", json!({"theme": "dark", "density": "compact", "shortcuts": false})).await;
        assert_eq!(me.json()["theme"], "dark");
        assert_eq!(world.last_change().await, before + 1);
    }

    async fn a_token_opens_the_door_until_it_is_removed(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let made = ann.post("/api/v1/tokens", json!({"name": "backup"})).await;
        assert_eq!(made.status, StatusCode::CREATED);
        let token = made.json()["token"].as_str().unwrap().to_owned();
        assert!(token.starts_with("lc_"), "{token}");

        let mut program = world.stranger();
        program.token = Some(token.clone());
        assert_eq!(program.patch("/api/v1/me", json!({"theme": "dark"})).await.status, StatusCode::OK);
        let listed = ann.get("/api/v1/tokens").await;
        assert!(!listed.text().contains(&token));
        assert_eq!(listed.json()[0]["name"], "backup");
        assert_eq!(listed.json()[0]["last_used_at"], "2027-01-15T08:00:00Z");

        let id = made.json()["id"].as_i64().unwrap();
        let mut ben = world.user(&mut ann, "ben", "Agent").await;
        assert_eq!(ben.delete(&format!("/api/v1/tokens/{id}")).await.problem().0, 404);
        assert_eq!(program.get("/api/v1/users").await.status, StatusCode::OK);
        assert_eq!(ann.delete(&format!("/api/v1/tokens/{id}")).await.status, StatusCode::NO_CONTENT);
        assert_eq!(program.get("/api/v1/users").await.problem(), (401, "bad_token".into()));
        // A wrong token is an error, not a reason to look at the cookie.
        ann.token = Some("lc_wrong".into());
        assert_eq!(ann.get("/api/v1/users").await.problem(), (401, "bad_token".into()));
    }
}
