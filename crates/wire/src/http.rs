//! One HTTP request and its answer (RFC 9112), with a limit on everything: for autoconfig files, OAuth tokens
//! and reports to other systems.
//!
//! hyper speaks the protocol over a connection of [`crate::dial`], so names are resolved, addresses checked
//! and certificates verified exactly as for mail servers. Redirects are the caller's to follow. Decided
//! against reqwest outside of tests: it resolves names and chooses certificates by itself.

use crate::dial;
use crate::error::ConnectError;
use crate::server::{Reach, Server, Timeouts, Tls, Trust};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use url::Url;

/// Who asks, as servers write it into their logs.
const AGENT: &str = "Lettercase";

/// How requests are made.
#[derive(Debug, Clone)]
pub struct Http {
    /// Addresses that may be dialled.
    pub reach: Reach,
    /// Certificates believed.
    pub trust: Trust,
    /// Whether `http://` may be used beyond this machine itself.
    pub allow_plain: bool,
    /// From the first packet to the last byte.
    pub patience: Duration,
    /// Bytes of the largest answer; a larger one is an error.
    pub most_bytes: usize,
}

impl Default for Http {
    fn default() -> Http {
        Http {
            reach: Reach::PublicOnly,
            trust: Trust::Platform,
            allow_plain: false,
            patience: Duration::from_secs(20),
            most_bytes: 256 << 10,
        }
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct HttpAnswer {
    /// The status, as 200.
    pub status: u16,
    /// Where the answer really is, of a redirect.
    pub location: Option<String>,
    /// Seconds to wait before asking again (RFC 9110 section 10.2.3); a date there is not read.
    pub retry_after_s: Option<u64>,
    /// The body, whole.
    pub body: Vec<u8>,
}

/// Why no answer came.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HttpError {
    /// The address is none that may be asked.
    #[error("{0}")]
    Url(String),
    /// No connection: the server has not heard the request.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The connection broke: the server may have heard the request.
    #[error("{host} did not answer the request: {reason}")]
    Broken {
        /// The server.
        host: String,
        /// What went wrong.
        reason: String,
    },
}

impl Http {
    /// GET.
    ///
    /// # Errors
    /// When no whole answer of a bearable size came in time, whatever its status.
    pub async fn get(&self, url: &str) -> Result<HttpAnswer, HttpError> {
        self.ask(url, Method::GET, String::new(), HeaderMap::new()).await
    }

    /// POST of a form (`application/x-www-form-urlencoded`).
    ///
    /// # Errors
    /// As [`Http::get`].
    pub async fn post_form(&self, url: &str, form: &[(&str, &str)]) -> Result<HttpAnswer, HttpError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.ask(url, Method::POST, body, headers).await
    }

    /// POST of JSON, with further header fields, whose names are in small letters.
    ///
    /// # Errors
    /// As [`Http::get`].
    pub async fn post_json(
        &self,
        url: &str,
        json: String,
        fields: &[(&'static str, String)],
    ) -> Result<HttpAnswer, HttpError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in fields {
            let value = HeaderValue::try_from(value)
                .map_err(|_| HttpError::Url(format!("the field {name} cannot be sent")))?;
            headers.insert(*name, value);
        }
        self.ask(url, Method::POST, json, headers).await
    }

    async fn ask(
        &self,
        url: &str,
        method: Method,
        body: String,
        mut headers: HeaderMap,
    ) -> Result<HttpAnswer, HttpError> {
        let (server, authority, path) = self.target(url)?;
        let host =
            HeaderValue::try_from(&authority).map_err(|_| HttpError::Url(format!("{url} is no address")))?;
        headers.insert(header::HOST, host);
        headers.insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().map_err(|_| HttpError::Url(format!("{url} is no address")))?;
        *request.headers_mut() = headers;
        let broken = |reason: String| HttpError::Broken { host: server.host.clone(), reason };
        match tokio::time::timeout(self.patience, self.exchange(&server, request)).await {
            Ok(answer) => answer,
            Err(_) => Err(broken(format!("it took longer than {} s", self.patience.as_secs()))),
        }
    }

    async fn exchange(
        &self,
        server: &Server,
        request: Request<Full<Bytes>>,
    ) -> Result<HttpAnswer, HttpError> {
        let stream = dial::dial(server).await?.into_stream();
        let broken = |reason: String| HttpError::Broken { host: server.host.clone(), reason };
        let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = shaken.map_err(|error| broken(error.to_string()))?;
        let conversation = async {
            let answer = sender.send_request(request).await.map_err(|error| broken(error.to_string()))?;
            let (head, body) = answer.into_parts();
            let whole = Limited::new(body, self.most_bytes).collect().await;
            let body = whole.map_err(|error| broken(error.to_string()))?.to_bytes().to_vec();
            Ok(answer_of(head.status, &head.headers, body))
        };
        let mut conversation = std::pin::pin!(conversation);
        let mut connection = std::pin::pin!(connection);
        // The connection does the reading and writing; how it ends is told to the conversation.
        tokio::select! {
            biased;
            answer = &mut conversation => answer,
            _ = &mut connection => conversation.await,
        }
    }

    /// The server to dial, the Host header and the path of an address.
    fn target(&self, url: &str) -> Result<(Server, String, String), HttpError> {
        let refused = |why: &str| HttpError::Url(format!("{} {why}", shown(url)));
        let parsed = Url::parse(url).map_err(|_| refused("is no address"))?;
        let tls = match parsed.scheme() {
            "https" => Tls::Implicit,
            "http" => Tls::None,
            _ => return Err(refused("is no https address")),
        };
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(refused("carries a user name"));
        }
        let host = parsed.host().ok_or_else(|| refused("names no server"))?;
        let port = parsed.port_or_known_default().ok_or_else(|| refused("names no port"))?;
        let bare = match &host {
            url::Host::Domain(name) => (*name).to_owned(),
            url::Host::Ipv4(address) => address.to_string(),
            url::Host::Ipv6(address) => address.to_string(),
        };
        let mut server = Server::new(bare, port, tls);
        server.reach = self.reach;
        server.trust = self.trust.clone();
        server.allow_plain = self.allow_plain;
        server.timeouts = Timeouts { connect: self.patience, reply: self.patience };
        let authority = parsed.port().map_or_else(|| host.to_string(), |port| format!("{host}:{port}"));
        let query = parsed.query().map_or_else(String::new, |query| format!("?{query}"));
        Ok((server, authority, format!("{}{query}", parsed.path())))
    }
}

/// An address without what may be secret in it.
fn shown(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

fn answer_of(status: StatusCode, headers: &HeaderMap, body: Vec<u8>) -> HttpAnswer {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    HttpAnswer {
        status: status.as_u16(),
        location: text(header::LOCATION).map(str::to_owned),
        retry_after_s: text(header::RETRY_AFTER).and_then(|text| text.trim().parse().ok()),
        body,
    }
}
