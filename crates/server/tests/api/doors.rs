//! Who is let in: every route, every kind of person.

use crate::browser::World;
use axum::http::{Method, StatusCode};
use desk::may::Needs;
use serde_json::json;
use server::guard::Door;
use server::routes::{Route, table};
use store::sql::Db;
use utoipa::openapi::path::PathItem;

/// Method and path, with ids that name nothing, of a row of the table.
fn requests(route: &Route) -> Vec<(Method, String)> {
    let methods = |item: &PathItem| {
        let PathItem { get, put, post, delete, patch, .. } = item;
        let all = [
            (Method::GET, get),
            (Method::PUT, put),
            (Method::POST, post),
            (Method::DELETE, delete),
            (Method::PATCH, patch),
        ];
        all.into_iter()
            .filter(|(_, operation)| operation.is_some())
            .map(|(method, _)| method)
            .collect::<Vec<_>>()
    };
    let concrete = |path: &str| {
        let parts: Vec<&str> =
            path.split('/').map(|part| if part.starts_with('{') { "999999" } else { part }).collect();
        parts.join("/")
    };
    let paths = route.paths.paths.iter();
    paths
        .flat_map(|(path, item)| methods(item).into_iter().map(move |method| (method, concrete(path))))
        .collect()
}

testkit::on_both! {
    async fn without_signing_in_only_the_front_door_is_open(db: Db) {
        let world = World::new(db);
        world.set_up().await;
        let before = world.last_change().await;
        let mut open = Vec::new();
        for route in table() {
            for (method, path) in requests(&route) {
                let answer = world.stranger().send(method.clone(), &path, Some(json!({})), &[]).await;
                match route.door {
                    Door::SignedIn | Door::May(_) => {
                        assert_eq!(answer.problem(), (401, "sign_in_required".into()), "{method} {path}");
                    }
                    Door::Open | Door::Anybody => open.push(format!("{method} {path}")),
                }
            }
        }
        assert_eq!(open, [
            "GET /api/v1/health",
            "GET /api/v1/openapi.json",
            "GET /api/v1/session",
            "POST /api/v1/session",
            "POST /api/v1/setup",
            // A page that says who is not signed in to begin again.
            "GET /api/v1/oauth/callback",
        ]);
        assert_eq!(world.last_change().await, before);
    }

    async fn e1_a_role_without_rights_is_refused_and_changes_nothing(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut ben = world.user(&mut ann, "ben", "No mail").await;
        let before = world.last_change().await;
        let mut refused = 0;
        for route in table() {
            let Door::May(verb) = route.door else { continue };
            for (method, path) in requests(&route) {
                if verb.needs() == Needs::SignedIn {
                    continue;
                }
                let answer = ben.send(method.clone(), &path, Some(json!({})), &[]).await;
                assert_eq!(answer.problem(), (403, "forbidden".into()), "{method} {path}");
                refused += 1;
            }
        }
        assert!(refused > 10, "{refused}");
        assert_eq!(world.last_change().await, before);
    }

    async fn a_lead_is_no_administrator(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut lead = world.user(&mut ann, "lead", "Lead").await;
        assert_eq!(lead.get("/api/v1/quarantine").await.problem(), (403, "forbidden".into()));
        assert_eq!(ann.get("/api/v1/quarantine").await.status, StatusCode::OK);
        assert_eq!(lead.get("/api/v1/mailboxes").await.json()["rows"], json!([]));
        let answer = lead.post("/api/v1/teams", json!({"name": "Mine"})).await;
        assert_eq!(answer.problem(), (403, "forbidden".into()));
        assert_eq!(ann.get("/api/v1/teams").await.json(), json!([]));
    }
}
