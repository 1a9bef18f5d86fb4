//! What one must know to reach somebody's mail server: address, protection, trust, patience, limits.
//!
//! Plain values, built by whoever reads the configuration. Nothing here connects.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::transcript::{Direction, Log};

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// No protection. Refused unless the address is loopback or [`Server::allow_plain`] is set.
    None,
    /// Plain greeting, then STARTTLS before anything else (RFC 9051, section 6.2.1).
    /// A server that does not offer it is an error, never a reason to go on in clear.
    StartTls,
    /// TLS from the first byte (port 993, 995, 465).
    Implicit,
}

/// Whose certificates are believed. Verification cannot be switched off.
#[derive(Debug, Clone, Default)]
pub enum Trust {
    /// The roots of the operating system.
    #[default]
    Platform,
    /// The roots of the operating system and the certificates in this PEM text.
    PlatformAnd(Vec<u8>),
    /// Only the certificates in this PEM text.
    Only(Vec<u8>),
}

/// Which addresses may be dialled. Checked on the resolved address, so a name cannot smuggle one in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// Every address: the choice of an administrator.
    #[default]
    Anywhere,
    /// Only public addresses: no loopback, private, link-local, shared or documentation ranges.
    PublicOnly,
}

/// How long we wait.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For name resolution, for each TCP connect, and for the TLS handshake.
    pub connect: Duration,
    /// Longest silence while an answer is due. A connection that gives less than 64 bytes
    /// a second over five times this long is given up as well.
    pub reply: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(20), reply: Duration::from_secs(120) }
    }
}

/// How much of a server's talk we are ready to hold or hear.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one response outside of message bodies.
    pub response_bytes: usize,
    /// The same for `SEARCH` and `ESEARCH`, whose lines name every message of a folder:
    /// 16 MiB is about two million messages.
    pub search_bytes: usize,
    /// Bytes of untagged responses between two steps forward (a finished command or a whole message).
    pub untagged_bytes: u64,
    /// Bytes of one message that are kept; what comes after is read and thrown away.
    pub message_bytes: u64,
    /// Nesting of parentheses.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            response_bytes: 256 << 10,
            search_bytes: 16 << 20,
            untagged_bytes: 64 << 20,
            message_bytes: 50 << 20,
            depth: 100,
        }
    }
}

/// A mail server and how to reach it.
#[derive(Clone)]
pub struct Server {
    /// Name or address as the user wrote it; also the name the certificate must carry.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Protection of the connection.
    pub tls: Tls,
    /// Certificates believed.
    pub trust: Trust,
    /// The user explicitly chose to send the password in clear.
    pub allow_plain: bool,
    /// Addresses that may be dialled.
    pub reach: Reach,
    /// Patience.
    pub timeouts: Timeouts,
    /// Memory and size.
    pub limits: Limits,
    /// Hears every line sent and received, secrets masked.
    pub log: Option<Arc<dyn Log>>,
}

impl Server {
    /// A server with the platform's trust and the default patience and limits.
    pub fn new(host: impl Into<String>, port: u16, tls: Tls) -> Self {
        Self {
            host: host.into(),
            port,
            tls,
            trust: Trust::Platform,
            allow_plain: false,
            reach: Reach::Anywhere,
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            log: None,
        }
    }

    /// The same server with a listener for the protocol log.
    #[must_use]
    pub fn with_log(mut self, log: Arc<dyn Log>) -> Self {
        self.log = Some(log);
        self
    }

    /// Shows a line, its secrets masked, to who listens to the protocol log.
    pub(crate) fn tell(&self, direction: Direction, line: &str) {
        if let Some(log) = &self.log {
            log.line(direction, line);
        }
    }

    /// The same of what an engine wrote down: lines sent (`true`) and received, in order.
    pub(crate) fn tell_transcript(&self, lines: impl IntoIterator<Item = (bool, String)>) {
        for (sent, line) in lines {
            self.tell(if sent { Direction::Sent } else { Direction::Received }, &line);
        }
    }

    pub(crate) fn may_dial(&self, address: IpAddr) -> bool {
        self.reach == Reach::Anywhere || is_public(address)
    }

    pub(crate) fn may_talk_plain_to(&self, address: IpAddr) -> bool {
        self.allow_plain || address.is_loopback()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({}:{} {:?})", self.host, self.port, self.tls)
    }
}

/// Whether an address is on the public internet (IANA special-purpose registries, RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let protocol_assignments = a == 192 && b == 0 && v4.octets()[2] == 0;
            let benchmarking = a == 198 && (b & 0xfe) == 18;
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_documentation()
                || v4.is_multicast()
                || a == 0
                || a >= 240
                || shared
                || protocol_assignments
                || benchmarking)
        }
        IpAddr::V6(v6) => {
            // Only 2000::/3 is handed out; 6to4 and NAT64 hide an IPv4 address inside.
            let head = v6.segments();
            let global = head[0] & 0xe000 == 0x2000;
            let documentation = head[0] == 0x2001 && head[1] == 0xdb8;
            global && !documentation && head[0] != 0x2002
        }
    }
}

/// Who we are to the server.
#[derive(Clone)]
pub enum Credentials {
    /// A user name and a password.
    Password {
        /// Login name, often the address.
        user: String,
        /// The secret.
        password: String,
    },
    /// A user name and an OAuth 2.0 access token (XOAUTH2 or OAUTHBEARER, RFC 7628).
    Bearer {
        /// Login name, often the address.
        user: String,
        /// The access token, already refreshed.
        token: String,
    },
}

impl Credentials {
    /// A user name and a password.
    pub fn password(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self::Password { user: user.into(), password: password.into() }
    }

    /// The login name.
    pub fn user(&self) -> &str {
        match self {
            Self::Password { user, .. } | Self::Bearer { user, .. } => user,
        }
    }

    pub(crate) fn secret(&self) -> &str {
        match self {
            Self::Password { password, .. } => password,
            Self::Bearer { token, .. } => token,
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({:?}, ****)", self.user())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_only_refuses_every_inward_address() {
        let inward = [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "172.16.9.9",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
        ];
        for address in inward {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["93.184.215.14", "2606:4700::1111"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn credentials_do_not_print_their_secret() {
        let printed = format!("{:?}", Credentials::password("ann@firma.example", "hunter2"));
        assert!(printed.contains("ann@firma.example") && !printed.contains("hunter2"));
    }
}
