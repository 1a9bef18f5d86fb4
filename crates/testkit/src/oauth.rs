//! An OAuth provider on loopback: authorization code with PKCE, device flow, refresh with rotation, and faults.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How the next requests for tokens are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manner {
    /// As they should be.
    Sound,
    /// With this status, body and nothing else; nothing is done.
    Says(u16, String),
    /// The request is done, and the connection is closed without an answer.
    DoneThenClosed,
    /// The request is done, and the answer never comes.
    DoneInSilence,
}

/// What the provider knows.
#[derive(Debug)]
struct Knows {
    manner: Manner,
    /// Forms of token requests, in order.
    asked: Vec<HashMap<String, String>>,
    /// Codes with the challenge they were asked for with.
    codes: HashMap<String, String>,
    /// The refresh token that is good now.
    refresh: Option<String>,
    /// Whether a refresh token that was used stays good.
    keeps_old: bool,
    /// Whether each renewal gives a new refresh token.
    rotates: bool,
    /// The access token that is good now.
    access: Option<String>,
    /// Whether the person at the device has agreed.
    device_agreed: bool,
    expires_in_s: u64,
    count: u64,
}

/// The provider. Dropping it closes its port.
#[derive(Debug)]
pub struct OAuthServer {
    /// Where it listens.
    pub address: SocketAddr,
    knows: Arc<Mutex<Knows>>,
    task: JoinHandle<()>,
}

/// The client's name there.
pub const CLIENT_ID: &str = "lettercase-test";
/// The client's secret.
pub const CLIENT_SECRET: &str = "client-secret-of-the-test";

impl OAuthServer {
    /// Starts. Refresh tokens are rotated, and an old one is refused.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> io::Result<OAuthServer> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let knows = Arc::new(Mutex::new(Knows {
            manner: Manner::Sound,
            asked: Vec::new(),
            codes: HashMap::new(),
            refresh: None,
            keeps_old: false,
            rotates: true,
            access: None,
            device_agreed: false,
            expires_in_s: 3600,
            count: 0,
        }));
        let task = tokio::spawn({
            let knows = Arc::clone(&knows);
            async move {
                let mut connections = tokio::task::JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    let knows = Arc::clone(&knows);
                    connections.spawn(async move {
                        // The client going away is the test's business.
                        serve(stream, &knows).await.ok();
                    });
                }
            }
        });
        Ok(OAuthServer { address, knows, task })
    }

    /// The address of one of its doors: `authorize`, `token`, `device`.
    pub fn url(&self, door: &str) -> String {
        format!("http://{}/{door}", self.address)
    }

    /// Behaves so from now on.
    pub fn behave(&self, manner: Manner) {
        lock(&self.knows).manner = manner;
    }

    /// Takes back everything it has granted.
    pub fn revoke(&self) {
        let mut knows = lock(&self.knows);
        (knows.refresh, knows.access) = (None, None);
    }

    /// Whether a refresh token that was used before stays good.
    pub fn keep_old_refresh_tokens(&self, keeps: bool) {
        lock(&self.knows).keeps_old = keeps;
    }

    /// Whether each renewal gives a new refresh token.
    pub fn rotate(&self, rotates: bool) {
        lock(&self.knows).rotates = rotates;
    }

    /// The person at the device agrees.
    pub fn agree_on_device(&self) {
        lock(&self.knows).device_agreed = true;
    }

    /// The access token that is good now.
    pub fn access_token(&self) -> Option<String> {
        lock(&self.knows).access.clone()
    }

    /// The refresh token that is good now.
    pub fn refresh_token(&self) -> Option<String> {
        lock(&self.knows).refresh.clone()
    }

    /// The forms of all requests for tokens, in order.
    pub fn asked(&self) -> Vec<HashMap<String, String>> {
        lock(&self.knows).asked.clone()
    }

    /// What a person does in the browser: opens the address, agrees, and is sent back. The address they are sent to.
    ///
    /// # Panics
    /// When the address is not one that a client of this provider would make.
    pub fn agree_in_browser(&self, url: &str) -> String {
        let (at, query) = url.split_once('?').expect("an address with a question");
        assert_eq!(at, self.url("authorize"));
        let asked = form(query);
        assert_eq!((asked["response_type"].as_str(), asked["client_id"].as_str()), ("code", CLIENT_ID));
        assert_eq!(asked["code_challenge_method"], "S256");
        let code = self.next("code");
        lock(&self.knows).codes.insert(code.clone(), asked["code_challenge"].clone());
        format!("{}?code={code}&state={}&scope=mail", asked["redirect_uri"], asked["state"])
    }

    /// Grants something without asking anybody: access and refresh token.
    pub fn grant(&self) -> (String, String) {
        let mut knows = lock(&self.knows);
        let (access, refresh) = (numbered(&mut knows, "access"), numbered(&mut knows, "refresh"));
        (knows.access, knows.refresh) = (Some(access.clone()), Some(refresh.clone()));
        (access, refresh)
    }

    fn next(&self, kind: &str) -> String {
        numbered(&mut lock(&self.knows), kind)
    }
}

impl Drop for OAuthServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn numbered(knows: &mut Knows, kind: &str) -> String {
    knows.count += 1;
    format!("{kind}-token-{}", knows.count)
}

async fn serve(stream: TcpStream, knows: &Mutex<Knows>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        if stream.read_line(&mut header).await? <= 2 {
            break;
        }
        if let Some(size) = header.to_ascii_lowercase().strip_prefix("content-length:") {
            length = size.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let asked = form(&String::from_utf8_lossy(&body));
    let (status, body, manner) = {
        let mut knows = lock(knows);
        let manner = knows.manner.clone();
        let (status, body) = match (&manner, path.as_str()) {
            (Manner::Says(status, body), _) => (*status, body.clone()),
            (_, "/token") => {
                knows.asked.push(asked.clone());
                tokens(&mut knows, &asked)
            }
            (_, "/device") => (200, device(&mut knows)),
            _ => (404, String::new()),
        };
        (status, body, manner)
    };
    match manner {
        Manner::DoneThenClosed => return Ok(()),
        Manner::DoneInSilence => {
            let mut rest = Vec::new();
            let silence = stream.read_to_end(&mut rest);
            return tokio::time::timeout(Duration::from_secs(60), silence).await.unwrap_or(Ok(0)).map(drop);
        }
        Manner::Sound | Manner::Says(..) => {}
    }
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nRetry-After: 1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await?;
    stream.flush().await
}

fn device(knows: &mut Knows) -> String {
    let code = numbered(knows, "device");
    let answer = json!({
        "device_code": code, "user_code": "BDSD-HQKR", "verification_uri": "https://login.example/device",
        "interval": 5, "expires_in": 900,
    });
    answer.to_string()
}

fn tokens(knows: &mut Knows, asked: &HashMap<String, String>) -> (u16, String) {
    let field = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    let refused = |word: &str| (400, json!({"error": word, "error_description": "no"}).to_string());
    if (field("client_id"), field("client_secret")) != (CLIENT_ID, CLIENT_SECRET) {
        return refused("invalid_client");
    }
    match field("grant_type") {
        "authorization_code" => {
            let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier")));
            if knows.codes.remove(field("code")).as_deref() != Some(challenge.as_str()) {
                return refused("invalid_grant");
            }
        }
        "urn:ietf:params:oauth:grant-type:device_code" if !knows.device_agreed => {
            return refused("authorization_pending");
        }
        "urn:ietf:params:oauth:grant-type:device_code" => {}
        "refresh_token" => {
            let good = knows.refresh.as_deref() == Some(field("refresh_token"));
            if knows.refresh.is_none() || !(good || knows.keeps_old) {
                return refused("invalid_grant");
            }
        }
        _ => return refused("unsupported_grant_type"),
    }
    let access = numbered(knows, "access");
    knows.access = Some(access.clone());
    let mut answer =
        json!({"access_token": access, "token_type": "Bearer", "expires_in": knows.expires_in_s});
    if knows.rotates || knows.refresh.is_none() {
        let refresh = numbered(knows, "refresh");
        knows.refresh = Some(refresh.clone());
        answer["refresh_token"] = json!(refresh);
    }
    (200, answer.to_string())
}

/// `a=1&b=x%20y` as fields.
fn form(text: &str) -> HashMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (plain(name), plain(value))).collect()
}

fn plain(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
                u8::from_str_radix(&String::from_utf8_lossy(&digits), 16).unwrap_or(b'?')
            }
            byte => byte,
        });
    }
    String::from_utf8_lossy(&out).into_owned()
}
