//! Problems, the document, the health page, the user interface's files.

use crate::browser::World;
use axum::body::Bytes;
use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};
use std::collections::HashSet;
use store::sql::Db;

testkit::on_both! {
    async fn every_mistake_is_answered_with_a_problem(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        assert_eq!(ann.get("/api/v1/nowhere").await.problem(), (404, "no_such_route".into()));
        assert_eq!(ann.get("/api/v2/session").await.problem(), (404, "no_such_route".into()));
        assert_eq!(ann.get("/api/v1/mailboxes/abc").await.problem(), (404, "not_found".into()));
        assert_eq!(ann.patch("/api/v1/session", json!({})).await.problem(), (405, "wrong_method".into()));
        assert_eq!(ann.get("/api/v1/changes?after=x").await.problem(), (400, "bad_parameter".into()));
        let odd = ann.get("/api/v1/changes?aftr=1").await;
        assert!(odd.json()["detail"].as_str().unwrap().contains("unknown field `aftr`"), "{}", odd.text());
        assert_eq!(ann.get("/api/v1/changes?limit=201").await.problem(), (422, "invalid".into()));
        assert_eq!(ann.get("/api/v1/quarantine?limit=0").await.problem(), (422, "invalid".into()));

        let unknown = ann.patch("/api/v1/me", json!({"theme": "dark", "administrator": true})).await;
        assert_eq!(unknown.problem(), (400, "bad_body".into()));
        assert!(unknown.json()["detail"].as_str().unwrap().contains("unknown field `administrator`"));
        let wrong = ann.patch("/api/v1/me", json!({"theme": "pink"})).await;
        assert!(wrong.json()["detail"].as_str().unwrap().contains("unknown variant `pink`"), "{}", wrong.text());

        let json = ("content-type", "application/json");
        let send = async |body: &str, headers: &[(&str, &str)]| {
            ann.send_raw(Method::PATCH, "/api/v1/me", Bytes::from(body.to_owned()), headers).await.problem()
        };
        assert_eq!(send("{\"theme\": ", &[json]).await, (400, "bad_json".into()));
        assert_eq!(send("{}", &[("content-type", "text/plain")]).await, (415, "json_expected".into()));
        assert_eq!(send(&format!("{{\"name\": \"{}\"}}", "x".repeat(2 << 20)), &[json]).await, (413, "too_large".into()));
    }

    async fn answers_carry_an_id_and_careful_headers(db: Db) {
        let world = World::new(db);
        let health = world.stranger().get("/api/v1/health").await;
        assert_eq!(health.status, StatusCode::OK);
        assert_eq!(health.json()["status"], "ok");
        let engine = match world.app.desk.db.engine() {
            store::sql::Engine::Sqlite => "sqlite",
            store::sql::Engine::Postgres => "postgres",
        };
        assert_eq!(health.json()["database"], engine);
        assert_eq!(health.headers["x-content-type-options"], "nosniff");
        assert_eq!(health.headers["x-request-id"].len(), 16);
        assert!(health.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
        assert_ne!(health.headers["x-request-id"], world.stranger().get("/api/v1/health").await.headers["x-request-id"]);
    }

    async fn answers_are_compressed_for_those_who_ask_but_events_are_not(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let gzip = [("accept-encoding", "gzip")];
        let answer = ann.send(Method::GET, "/api/v1/openapi.json", None, &gzip).await;
        assert_eq!(answer.headers[header::CONTENT_ENCODING], "gzip");
        assert!(answer.body.len() < server::openapi().len() / 3);
        let request = ann.request(Method::GET, "/api/v1/events", Bytes::new(), &gzip);
        let response = tower::ServiceExt::oneshot(world.router.clone(), request).await.unwrap();
        assert!(!response.headers().contains_key(header::CONTENT_ENCODING));
    }

    async fn the_interfaces_page_stands_at_every_path_and_its_missing_files_nowhere(db: Db) {
        let world = World::new(db);
        let mut ann = world.stranger();
        assert_eq!(ann.get("/assets/gone.js").await.problem(), (404, "not_found".into()));
        assert_eq!(ann.post("/", json!({})).await.problem().0, 404);
        let page = ann.get("/threads/5").await;
        match page.status {
            StatusCode::OK => {
                assert_eq!(page.headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
                assert!(page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("script-src 'self';"));
                let tag = page.headers[header::ETAG].to_str().unwrap();
                let again = ann.send(Method::GET, "/", None, &[("if-none-match", tag)]).await;
                assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
            }
            _ => assert!(page.text().contains("run make build"), "{}", page.text()),
        }
    }
}

/// Calls `see` with every `$ref` of a document.
fn refs(value: &Value, see: &mut impl FnMut(&str)) {
    match value {
        Value::Object(map) => {
            map.get("$ref").and_then(Value::as_str).into_iter().for_each(&mut *see);
            map.values().for_each(|value| refs(value, see));
        }
        Value::Array(list) => list.iter().for_each(|value| refs(value, see)),
        _ => {}
    }
}

#[test]
fn the_document_describes_every_route_of_the_table() {
    let document: Value = serde_json::from_str(&server::openapi()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut names = HashSet::new();
    for route in server::routes::table() {
        for path in route.paths.paths.keys() {
            let item = document["paths"][path].as_object().unwrap_or_else(|| panic!("{path} is missing"));
            for (method, operation) in item.iter().filter(|(key, _)| key.len() < 7 && *key != "servers") {
                let name = operation["operationId"].as_str().unwrap();
                assert!(name.chars().all(char::is_alphanumeric), "{name}");
                names.insert(name.to_owned());
                assert!(operation["responses"]["default"].is_object(), "{method} {path}");
                assert!(operation["summary"].is_string(), "{method} {path} has no summary");
            }
        }
    }
    let operations: usize = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .map(|item| {
            item.as_object()
                .unwrap()
                .keys()
                .filter(|key| ["get", "put", "post", "delete", "patch"].contains(&key.as_str()))
                .count()
        })
        .sum();
    assert_eq!(names.len(), operations, "operation names are unique");
    assert_eq!(server::routes::table().len(), operations, "one row per operation");
    for name in ["listMailboxes", "signIn", "followEvents"] {
        assert!(names.contains(name), "{name}");
    }
    let schemas = &document["components"]["schemas"];
    let required = |name: &str| schemas[name]["required"].as_array().map_or(0, Vec::len);
    let all = |name: &str| schemas[name]["properties"].as_object().unwrap().len();
    assert_eq!(required("Mailbox"), all("Mailbox"), "answers have every field");
    assert_eq!(required("MailboxChange"), 0, "changes may leave any out");
    refs(&document, &mut |name| {
        let schema = name.strip_prefix("#/components/schemas/").unwrap();
        assert!(document["components"]["schemas"][schema].is_object(), "{name} leads nowhere");
    });
}
