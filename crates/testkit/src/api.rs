//! A small client of Lettercase's own API, for programs that set up a demo or a test.
//!
//! HTTP/1.1 over loopback, one connection a request, JSON in and out. Not a general client: no TLS, no
//! redirects, and an answer above [`MOST_BYTES`] is an error.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const MOST_BYTES: u64 = 32 << 20;
const PATIENCE: Duration = Duration::from_secs(30);

/// Somebody at the API's door; signed in once the server has said so.
#[derive(Clone, Debug)]
pub struct Api {
    address: SocketAddr,
    cookie: Option<String>,
    csrf: Option<String>,
}

impl Api {
    /// Nobody yet, at a server on this machine.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, cookie: None, csrf: None }
    }

    /// The address to open in a browser.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Asks for `/api/v1` + `path`.
    ///
    /// # Errors
    /// No answer, or one that is not 2xx: with what the server said.
    pub fn get(&mut self, path: &str) -> Result<Value> {
        self.call("GET", path, None)
    }

    /// Sends to `/api/v1` + `path`. A session that the answer opens is kept.
    ///
    /// # Errors
    /// Like [`Api::get`].
    pub fn post(&mut self, path: &str, body: &Value) -> Result<Value> {
        self.call("POST", path, Some(body))
    }

    /// Puts to `/api/v1` + `path`.
    ///
    /// # Errors
    /// Like [`Api::get`].
    pub fn put(&mut self, path: &str, body: &Value) -> Result<Value> {
        self.call("PUT", path, Some(body))
    }

    /// Sends a change to `/api/v1` + `path`.
    ///
    /// # Errors
    /// Like [`Api::get`].
    pub fn patch(&mut self, path: &str, body: &Value) -> Result<Value> {
        self.call("PATCH", path, Some(body))
    }

    fn call(&mut self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut request = format!(
            "{method} /api/v1{path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n",
            self.address,
            body.len()
        );
        if !body.is_empty() {
            request += "Content-Type: application/json\r\n";
        }
        if let Some(cookie) = &self.cookie {
            request += &format!("Cookie: {cookie}\r\n");
        }
        if let Some(csrf) = &self.csrf {
            request += &format!("X-CSRF-Token: {csrf}\r\n");
        }
        let answer =
            self.exchange(&format!("{request}\r\n{body}")).with_context(|| format!("{method} {path}"))?;
        self.understand(&answer).with_context(|| format!("{method} {path}"))
    }

    fn exchange(&self, request: &str) -> Result<Vec<u8>> {
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.take(MOST_BYTES).read_to_end(&mut answer)?;
        Ok(answer)
    }

    fn understand(&mut self, answer: &[u8]) -> Result<Value> {
        let split = answer.windows(4).position(|four| four == b"\r\n\r\n").context("no HTTP answer")?;
        let head = String::from_utf8_lossy(&answer[..split]).into_owned();
        let status: u16 =
            head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("no status in the answer")?;
        let header = |name: &str| {
            head.lines().find_map(|line| {
                let (before, value) = line.split_once(':')?;
                before.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
        };
        let body = match header("transfer-encoding").as_deref() {
            Some("chunked") => joined(&answer[split + 4..])?,
            _ => answer[split + 4..].to_vec(),
        };
        if !(200..300).contains(&status) {
            bail!("{status}: {}", String::from_utf8_lossy(&body));
        }
        let value = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body)? };
        if let Some(cookie) = header("set-cookie") {
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        if let Some(csrf) = value["csrf_token"].as_str() {
            self.csrf = Some(csrf.to_owned());
        }
        Ok(value)
    }
}

/// The pieces of a chunked body (RFC 9112 section 7.1) as one.
fn joined(mut rest: &[u8]) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n").context("a chunk without its size")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end])?.trim(), 16)?;
        if size == 0 {
            return Ok(body);
        }
        ensure!(rest.len() >= end + 2 + size + 2, "the answer was cut");
        body.extend(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 2 + size + 2..];
    }
}
