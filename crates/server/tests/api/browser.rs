//! Somebody with a browser or a program, and the server they talk to.

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use desk::Desk;
use desk::clock::Clock;
use desk::grant::Authority;
use desk::guess::{Candidate, Endpoint, GuessSource};
use desk::mailbox::{Boxed, FoundFolder, Login, Phase, RoundState, Rounds, TestOutcome, Trouble, steps};
use desk::seal::Seal;
use desk::sending::{OutgoingMail, SendingLogin};
use model::{MailboxId, Reach, Time, Tls};
use serde_json::{Value, json};
use server::{App, Settings};
use std::sync::{Arc, Mutex};
use store::sql::Db;
use testkit::folder::Folder;
use tower::ServiceExt;

/// Rounds that write down what they are asked. Only the password "right" is accepted.
#[derive(Default)]
pub struct Told(Mutex<Vec<String>>);

impl Told {
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn note(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }
}

impl Rounds for Told {
    fn test(&self, login: Login) -> Boxed<'_, TestOutcome> {
        self.note(format!("test {}@{}:{}", login.username, login.host, login.port));
        let right = login.credential.secret().reveal() == "right";
        Box::pin(async move {
            let inbox = FoundFolder { name: "INBOX".into(), special_use: None, messages: 3 };
            let message = "The server refused user name or password.";
            let trouble = Trouble::new("login", "wrong_password", message, "Check both.");
            let trouble = (!right).then_some(trouble.with("host", login.host));
            TestOutcome {
                steps: steps(login.tls, "list", trouble.as_ref()),
                notes: Vec::new(),
                log: vec!["connected".into()],
                folders: if right { vec![inbox] } else { Vec::new() },
                trouble,
            }
        })
    }

    fn test_sending(&self, login: SendingLogin, mail: OutgoingMail) -> Boxed<'_, TestOutcome> {
        let user = login.account.as_ref().map_or("nobody", |(user, _)| user.as_str());
        self.note(format!(
            "send {} to {} by {user}@{}:{}",
            mail.from,
            mail.to.join(" "),
            login.host,
            login.port
        ));
        let right = login.account.is_none_or(|(_, credential)| credential.secret().reveal() == "right");
        let trouble = (!right).then(|| Trouble::new("login", "wrong_password", "Not accepted.", "Check it."));
        Box::pin(async move {
            TestOutcome {
                steps: steps(login.tls, "send", trouble.as_ref()),
                trouble,
                ..TestOutcome::default()
            }
        })
    }

    fn guess(&self, address: String, reach: Reach) -> Boxed<'_, Vec<Candidate>> {
        self.note(format!("guess {address} {}", reach.word()));
        Box::pin(sync_guess(address))
    }

    fn authority(&self) -> &dyn Authority {
        &sync::oauth::Network
    }

    fn scan_now(&self, mailbox: MailboxId) {
        self.note(format!("scan {mailbox}"));
    }

    fn state(&self, _: MailboxId) -> Option<RoundState> {
        Some(RoundState { phase: Phase::Scanning, progress: Some((1, 3)) })
    }

    fn reconcile(&self, _: MailboxId) {}
    fn reconciled(&self, _: MailboxId) -> Option<desk::mailbox::Reconciled> {
        None
    }
    fn settings_changed(&self, mailbox: MailboxId) {
        self.note(format!("changed {mailbox}"));
    }
}

/// What is found of a provider in the built-in table.
async fn sync_guess(address: String) -> Vec<Candidate> {
    let host = |host: &str| {
        Some(Endpoint { host: host.into(), port: 993, tls: Tls::Implicit, username: address.clone() })
    };
    vec![Candidate {
        source: GuessSource::Provider,
        name: "Google".into(),
        imap: host("imap.gmail.com"),
        pop3: None,
        smtp: None,
        preset: Some("google".into()),
        provider: None,
        note: Some("app_password".into()),
    }]
}

/// A server.
pub struct World {
    pub app: App,
    pub rounds: Arc<Told>,
    pub router: Router,
    _folder: Folder,
}

pub const PASSWORD: &str = "correct horse";

impl World {
    pub fn new(db: Db) -> World {
        World::with(db, Settings::default())
    }

    pub fn with(db: Db, settings: Settings) -> World {
        let folder = Folder::new().unwrap();
        let seal = Seal::open_or_create(&folder.path().join("key")).unwrap();
        let clock = Clock::fixed(Time(1_800_000_000_000_000));
        let rounds = Arc::new(Told::default());
        let app = App::new(Desk { db, clock, seal }, rounds.clone(), settings);
        World { router: server::router(app.clone()), app, rounds, _folder: folder }
    }

    /// Somebody new, not signed in.
    pub fn stranger(&self) -> Browser {
        Browser { router: self.router.clone(), cookie: None, csrf: String::new(), token: None }
    }

    /// The first administrator, Ann, signed in.
    pub async fn set_up(&self) -> Browser {
        let mut ann = self.stranger();
        let form =
            json!({"name": "Ann", "login": "Ann@acme.example", "password": PASSWORD, "language": "cs"});
        let answer = ann.post("/api/v1/setup", form).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        ann
    }

    /// A user whom `admin` adds with a built-in role, signed in.
    pub async fn user(&self, admin: &mut Browser, login: &str, role: &str) -> Browser {
        let roles = admin.get("/api/v1/roles").await.json();
        let role = roles.as_array().unwrap().iter().find(|r| r["name"] == role).unwrap()["id"].clone();
        let form = json!({"name": login, "login": login, "password": PASSWORD, "role_id": role});
        let answer = admin.post("/api/v1/users", form).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        let mut user = self.stranger();
        let answer = user.sign_in(login, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        user
    }

    /// The newest change of the feed: moves with every write that a person could notice.
    pub async fn last_change(&self) -> i64 {
        store::changes::last(&mut &self.app.desk.db).await.unwrap().0
    }
}

/// Somebody who keeps cookies as a browser does.
#[derive(Clone)]
pub struct Browser {
    router: Router,
    pub cookie: Option<String>,
    pub csrf: String,
    pub token: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Status and code of a problem; checks its shape on the way.
    pub fn problem(&self) -> (u16, String) {
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json", "{}", self.text());
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        assert!(problem["type"].is_string() && problem["title"].is_string() && problem["detail"].is_string());
        (self.status.as_u16(), problem["code"].as_str().unwrap().to_owned())
    }
}

impl Browser {
    pub async fn sign_in(&mut self, login: &str, password: &str) -> Answer {
        self.post("/api/v1/session", json!({"login": login, "password": password})).await
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, None, &[]).await
    }

    pub async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body), &[]).await
    }

    pub async fn patch(&mut self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body), &[]).await
    }

    pub async fn put(&mut self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body), &[]).await
    }

    pub async fn delete(&mut self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None, &[]).await
    }

    /// Sends a request with what a browser adds; keeps what it would keep.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let body = body.map_or(Bytes::new(), |body| Bytes::from(body.to_string()));
        let mut all = vec![("content-type", "application/json"), ("sec-fetch-site", "same-origin")];
        all.extend(headers);
        let answer = self.send_raw(method, path, body, &all).await;
        if let Some(cookie) = answer.headers.get(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
        }
        if let Ok(json) = serde_json::from_slice::<Value>(&answer.body)
            && let Some(csrf) = json["csrf_token"].as_str()
        {
            self.csrf = csrf.to_owned();
        }
        answer
    }

    /// Sends a request with these headers, the cookie and the tokens.
    pub async fn send_raw(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        headers: &[(&str, &str)],
    ) -> Answer {
        let response = self.router.clone().oneshot(self.request(method, path, body, headers)).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 24).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub fn request(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        headers: &[(&str, &str)],
    ) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, format!("other=1; {cookie}"));
        }
        if !self.csrf.is_empty() {
            request = request.header("x-csrf-token", &self.csrf);
        }
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        request.body(Body::from(body)).unwrap()
    }
}
