//! The SMTP client against scripted servers: what is sent, what is said when it is not, and what nobody knows.

#![allow(clippy::unwrap_used)]

mod deliver;
mod doors;
mod sweep;

use testkit::scripted::{SmtpManner, SmtpServer};
use wire::smtp::{Envelope, Session};
use wire::{Credentials, Server, Timeouts, Tls};

pub(crate) fn server(port: u16, tls: Tls) -> Server {
    use std::time::Duration;
    let mut server = Server::new("127.0.0.1", port, tls);
    server.timeouts = Timeouts { connect: Duration::from_secs(5), reply: Duration::from_secs(2) };
    server
}

pub(crate) fn ann() -> Credentials {
    Credentials::password("ann", "secret")
}

pub(crate) fn envelope(to: &[&str]) -> Envelope {
    Envelope { from: "ann@acme.example".into(), to: to.iter().map(|to| (*to).to_owned()).collect() }
}

pub(crate) const MAIL: &[u8] = b"From: ann@acme.example\r\nSubject: Hello\r\n\r\nOne.\r\n.two\r\n";

/// A sink and a session that is signed in there.
pub(crate) async fn connected(manner: SmtpManner) -> (SmtpServer, Session) {
    let sink = SmtpServer::start(manner).await.unwrap();
    let session = Session::connect(&server(sink.address.port(), Tls::None), Some(&ann())).await.unwrap();
    (sink, session)
}
