//! Signing in at a provider, in the browser and on another device, against a provider on this machine.

use crate::browser::{Browser, World};
use axum::http::StatusCode;
use model::GrantId;
use serde_json::{Value, json};
use store::sql::Db;
use testkit::oauth::{CLIENT_ID, CLIENT_SECRET, Manner, OAuthServer};

async fn provider(ann: &mut Browser, server: &OAuthServer) -> Value {
    let form = json!({
        "name": "Acme", "authorize_url": server.url("authorize"), "token_url": server.url("token"),
        "device_url": server.url("device"), "scope": "mail offline", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET
    });
    let made = ann.post("/api/v1/providers", form).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    assert!(!made.text().contains(CLIENT_SECRET));
    made.json()["id"].clone()
}

/// Begins in the browser: where it goes, and the request's name.
async fn begin(ann: &mut Browser, id: &Value) -> (String, String) {
    let path = format!("/api/v1/providers/{id}/authorize");
    let body = json!({"address": "ann@acme.example"}).to_string();
    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
        ("host", "mail.acme.example"),
    ];
    let answer = ann.send_raw(axum::http::Method::POST, &path, body.into(), &headers).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let text = |name: &str| answer.json()[name].as_str().unwrap().to_owned();
    (text("url"), text("request"))
}

/// The path the browser comes back to.
fn back(server: &OAuthServer, url: &str) -> String {
    let back = server.agree_in_browser(url);
    back.strip_prefix("http://mail.acme.example").unwrap().to_owned()
}

async fn state(ann: &mut Browser, request: &str) -> Value {
    ann.get(&format!("/api/v1/grant-requests/{request}")).await.json()
}

testkit::on_both! {
    async fn a5_oauth_a_code_from_the_browser_becomes_a_grant_once_and_for_who_asked(db: Db) {
        let (world, server) = (World::new(db), OAuthServer::start().await.unwrap());
        let mut ann = world.set_up().await;
        let id = provider(&mut ann, &server).await;
        let (url, request) = begin(&mut ann, &id).await;
        assert!(url.contains("login_hint=ann%40acme.example") && !url.contains(CLIENT_SECRET), "{url}");
        assert_eq!(state(&mut ann, &request).await["state"], "pending");
        let path = back(&server, &url);

        // Somebody else's browser, or nobody's, cannot bring it in.
        let mut ben = world.user(&mut ann, "ben", "Administrator").await;
        assert_eq!(ben.get(&path).await.status, StatusCode::BAD_REQUEST);
        assert_eq!(ben.get(&format!("/api/v1/grant-requests/{request}")).await.problem().0, 404);
        assert_eq!(world.stranger().get(&path).await.status, StatusCode::UNAUTHORIZED);
        assert!(server.asked().is_empty());

        let page = ann.get(&path).await;
        assert_eq!((page.status, page.text().contains("Hotovo")), (StatusCode::OK, true), "{}", page.text());
        let granted = state(&mut ann, &request).await;
        assert_eq!(granted["state"], "granted");
        assert_eq!(server.asked()[0]["redirect_uri"], "http://mail.acme.example/api/v1/oauth/callback");
        ann.get(&path).await;
        assert_eq!(server.asked().len(), 1, "a code is used once");

        // Sealed, and in no answer.
        let grant = GrantId(granted["grant_id"].as_i64().unwrap());
        let row = store::grants::grant(&mut &world.app.desk.db, grant).await.unwrap().unwrap();
        let (access, refresh) = (server.access_token().unwrap(), server.refresh_token().unwrap());
        let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(!holds(&row.access_token, &access) && !holds(&row.refresh_token.clone().unwrap(), &refresh));
        for path in ["/api/v1/providers", "/api/v1/changes", &format!("/api/v1/grant-requests/{request}")] {
            let text = ann.get(path).await.text();
            assert!(!text.contains(&access) && !text.contains(&refresh) && !text.contains(CLIENT_SECRET), "{text}");
        }
    }

    async fn a5_oauth_a_made_up_state_or_a_no_grants_nothing(db: Db) {
        let (world, server) = (World::new(db), OAuthServer::start().await.unwrap());
        let mut ann = world.set_up().await;
        let id = provider(&mut ann, &server).await;
        let made_up = ann.get("/api/v1/oauth/callback?state=guess&code=code-token-1").await;
        assert_eq!(made_up.status, StatusCode::BAD_REQUEST);
        let (_, request) = begin(&mut ann, &id).await;
        let refused = ann.get(&format!("/api/v1/oauth/callback?state={request}&error=access_denied&error_description=%3Cscript%3E")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert!(!refused.text().contains("script"));
        let told = state(&mut ann, &request).await;
        assert_eq!((&told["state"], &told["error"]), (&json!("refused"), &json!("access_denied")));
        // A code of another request does not fit its verifier.
        let (url, request) = begin(&mut ann, &id).await;
        let (other, _) = begin(&mut ann, &id).await;
        let stolen = back(&server, &other);
        let code = stolen.split("code=").nth(1).unwrap().split('&').next().unwrap();
        assert!(back(&server, &url).contains(&request));
        let wrong = ann.get(&format!("/api/v1/oauth/callback?state={request}&code={code}")).await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
        assert_eq!(state(&mut ann, &request).await["error"], "invalid_grant");
        // Too late.
        let (_, request) = begin(&mut ann, &id).await;
        world.app.desk.clock.advance_s(901);
        assert_eq!(state(&mut ann, &request).await["state"], "expired");
    }

    async fn a5_oauth_a_device_is_asked_for_as_often_as_the_provider_allows(db: Db) {
        let (world, server) = (World::new(db), OAuthServer::start().await.unwrap());
        let mut ann = world.set_up().await;
        let id = provider(&mut ann, &server).await;
        let begun = ann.post(&format!("/api/v1/providers/{id}/device"), json!({})).await.json();
        assert_eq!((&begun["user_code"], &begun["interval_s"]), (&json!("BDSD-HQKR"), &json!(5)));
        let request = begun["request"].as_str().unwrap().to_owned();
        for _ in 0..3 {
            assert_eq!(state(&mut ann, &request).await["state"], "pending");
        }
        assert_eq!(server.asked().len(), 0, "not before the interval");
        world.app.desk.clock.advance_s(5);
        for _ in 0..3 {
            assert_eq!(state(&mut ann, &request).await["state"], "pending");
        }
        assert_eq!(server.asked().len(), 1);
        // The provider wants to be asked less often.
        server.behave(Manner::Says(400, json!({"error": "slow_down"}).to_string()));
        world.app.desk.clock.advance_s(5);
        assert_eq!(state(&mut ann, &request).await["state"], "pending");
        server.behave(Manner::Sound);
        server.agree_on_device();
        world.app.desk.clock.advance_s(6);
        assert_eq!(state(&mut ann, &request).await["state"], "pending");
        world.app.desk.clock.advance_s(4);
        let granted = state(&mut ann, &request).await;
        assert_eq!(granted["state"], "granted");
        assert_eq!(state(&mut ann, &request).await, granted);
    }

    async fn a5_oauth_a_provider_is_set_up_from_a_preset_and_keeps_its_secret(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let made = ann.post("/api/v1/providers", json!({"preset": "google", "client_id": "x.apps", "client_secret": CLIENT_SECRET})).await.json();
        assert_eq!((&made["name"], &made["scope"], &made["has_client_secret"]), (&json!("Google"), &json!("https://mail.google.com/"), &json!(true)));
        let path = format!("/api/v1/providers/{}", made["id"]);
        let renamed = ann.patch(&path, json!({"name": "Workspace"})).await.json();
        assert_eq!(renamed["has_client_secret"], true);
        let moved = ann.patch(&path, json!({"token_url": "https://evil.example/token"})).await.json();
        assert_eq!(moved["has_client_secret"], false, "a secret goes to no other server");
        for (field, value) in [("token_url", "http://evil.example/token"), ("authorize_url", "javascript:alert(1)"), ("scope", ""), ("client_id", " ")] {
            let wrong = ann.patch(&path, json!({field: value})).await;
            assert!(wrong.json()["fields"][field].is_object(), "{field}: {}", wrong.text());
        }
        let guess = ann.post("/api/v1/mailboxes/guess", json!({"address": "ann@gmail.com"})).await.json();
        assert_eq!(guess["candidates"][0]["provider_id"], made["id"]);
        assert_eq!(ann.delete(&path).await.status, StatusCode::NO_CONTENT);
        assert_eq!(ann.get("/api/v1/providers").await.json()["rows"], json!([]));
    }
}
