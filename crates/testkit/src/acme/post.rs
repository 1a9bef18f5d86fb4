//! Acme's way out: an SMTP server that takes what is sent and brings to Acme's own mailboxes what is for them. Nobody
//! else exists, so what is for others has arrived with that.

use super::PASSWORD;
use crate::dovecot::Dovecot;
use crate::lmtp;
use crate::sample::Mailbox;
use crate::scripted::{Received, SmtpManner, SmtpServer};
use anyhow::{Context, Result};
use serde_json::{Value, json};

const USER: &str = "acme";

/// The server, and how far its mail was passed on.
pub struct Post {
    server: SmtpServer,
    passed: usize,
}

impl Post {
    /// Starts it.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> Result<Post> {
        let account = (USER.to_owned(), PASSWORD.to_owned());
        let server = SmtpServer::start(SmtpManner { account, ..SmtpManner::default() }).await?;
        Ok(Post { server, passed: 0 })
    }

    /// What the API is told about it, as the outgoing server of a mailbox.
    pub(super) fn connection(&self) -> Value {
        let port = self.server.address.port();
        json!({"host": "127.0.0.1", "port": port, "tls": "none", "username": USER, "password": PASSWORD})
    }

    /// Passes on what came since the last time, and gives it back.
    ///
    /// # Errors
    /// When Dovecot does not take a mail.
    pub fn pass_on(&mut self, dovecot: &Dovecot) -> Result<Vec<Received>> {
        let new: Vec<Received> = self.server.received().into_iter().skip(self.passed).collect();
        for mail in &new {
            for to in mail.to.iter().filter(|to| Mailbox::ALL.iter().any(|one| one.address() == to.as_str()))
            {
                let port = dovecot.lmtp_port.context("dovecot-lmtpd is not installed")?;
                lmtp::deliver(port, &mail.from, to, &mail.message())?;
            }
        }
        self.passed += new.len();
        Ok(new)
    }
}
