//! Why a mail server could not be reached or used, in a form to branch on and in words for a person.
//!
//! The words name the stage that failed and what to do about it. What the other side said is shown
//! only as far as it is a mail server's answer; of anything else at most 80 printable characters,
//! so that a form for mailboxes cannot be used to read other services.

use std::fmt;

use crate::server::{Server, Tls};

/// How far a connection came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Finding the address of the name.
    Dns,
    /// Opening the connection.
    Tcp,
    /// Securing it.
    Tls,
    /// The server's first line and its list of capabilities.
    Greeting,
    /// Signing in.
    Login,
    /// Listing the folders.
    List,
    /// Opening a folder.
    Select,
    /// Naming the sender of a message.
    Mail,
    /// Naming its recipients.
    Rcpt,
    /// Handing the message over.
    Data,
}

impl Stage {
    /// The stage as a stable lower-case word for the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Greeting => "greeting",
            Self::Login => "login",
            Self::List => "list",
            Self::Select => "select",
            Self::Mail => "mail",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CertificateProblem {
    /// Its time is over.
    Expired,
    /// Its time has not begun, or our clock is wrong.
    NotYetValid,
    /// It is for another name.
    WrongName,
    /// Its issuer is not known here; self-signed ones land here.
    UnknownIssuer,
    /// It was withdrawn.
    Revoked,
    /// Anything else.
    Invalid,
}

impl CertificateProblem {
    fn name(self) -> &'static str {
        match self {
            Self::Expired => "certificate_expired",
            Self::NotYetValid => "certificate_not_yet_valid",
            Self::WrongName => "certificate_wrong_name",
            Self::UnknownIssuer => "certificate_unknown_issuer",
            Self::Revoked => "certificate_revoked",
            Self::Invalid => "certificate_invalid",
        }
    }
}

/// What went wrong, to branch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConnectErrorKind {
    /// The name has no address.
    UnknownHost,
    /// The address is not one we may dial ([`crate::Reach`]).
    AddressRefused,
    /// Nothing listens on that port.
    Refused,
    /// No way to the address.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// The server closed the connection in the middle.
    Closed,
    /// The port does not speak TLS from the first byte.
    NotTls,
    /// The server knows only versions of TLS that are no longer safe, or no common cipher.
    TlsTooOld,
    /// The certificate was not accepted.
    Certificate(CertificateProblem),
    /// STARTTLS was asked for and is not offered.
    StartTlsMissing,
    /// Sending the password without protection was refused, by us or by the server.
    PlainRefused,
    /// Something answers, but no mail server of this protocol.
    NotMailServer,
    /// User name or password (or token) not accepted.
    WrongPassword,
    /// No common way to sign in.
    LoginUnsupported,
    /// The server could not prove that it knows the password (SCRAM): it is not who it says it is.
    ServerUnproven,
    /// Another program holds the mailbox locked (POP3 allows one at a time).
    InUse,
    /// A POP3 server without lasting names for its messages (UIDL).
    NoUidl,
    /// The server says that it cannot do it now.
    Unavailable,
    /// The folder does not exist.
    MissingFolder,
    /// The server said good-bye.
    ServerBye,
    /// The server refused a command.
    CommandRefused,
    /// The server does not take mail from this sender.
    SenderRefused,
    /// The server takes mail for none of the recipients.
    RecipientRefused,
    /// The server does not take the message.
    MessageRefused,
    /// The server broke the protocol.
    Protocol,
}

impl ConnectErrorKind {
    /// The kind as a stable lower-case word for the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnknownHost => "unknown_host",
            Self::AddressRefused => "address_refused",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::NotTls => "not_tls",
            Self::TlsTooOld => "tls_too_old",
            Self::Certificate(problem) => problem.name(),
            Self::StartTlsMissing => "starttls_missing",
            Self::PlainRefused => "plain_refused",
            Self::NotMailServer => "not_mail_server",
            Self::WrongPassword => "wrong_password",
            Self::LoginUnsupported => "login_unsupported",
            Self::ServerUnproven => "server_unproven",
            Self::InUse => "in_use",
            Self::NoUidl => "pop3_no_uidl",
            Self::Unavailable => "unavailable",
            Self::MissingFolder => "missing_folder",
            Self::ServerBye => "server_bye",
            Self::CommandRefused => "command_refused",
            Self::SenderRefused => "sender_refused",
            Self::RecipientRefused => "recipient_refused",
            Self::MessageRefused => "message_refused",
            Self::Protocol => "protocol",
        }
    }

    /// Whether trying again later, with nothing changed, may help.
    pub fn is_temporary(self) -> bool {
        matches!(
            self,
            Self::Refused
                | Self::Unreachable
                | Self::Timeout
                | Self::Closed
                | Self::Unavailable
                | Self::InUse
                | Self::ServerBye
                | Self::UnknownHost
        )
    }
}

/// A connection that did not come about: where, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConnectError {
    /// How far it came.
    pub stage: Stage,
    /// What went wrong.
    pub kind: ConnectErrorKind,
    /// What happened, one sentence for a person.
    pub message: String,
    /// What to do, one sentence for a person.
    pub remedy: String,
    /// The server's name as it was asked for.
    pub host: String,
    /// And its port.
    pub port: u16,
    /// What the other side or the system said; may be empty. Part of `message` already.
    pub said: String,
}

impl ConnectError {
    /// Fills in the words for `kind`. `detail` is what the other side or the system said; may be empty.
    pub(crate) fn new(stage: Stage, kind: ConnectErrorKind, server: &Server, detail: &str) -> Self {
        let said = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
        Self {
            stage,
            kind,
            message: happened(kind, server) + &said + ".",
            remedy: remedy(kind, server),
            host: server.host.clone(),
            port: server.port,
            said: detail.to_owned(),
        }
    }

    /// Takes a secret out of what the other side said.
    pub(crate) fn mask(&mut self, secret: &str) {
        if secret.len() > 3 {
            self.message = self.message.replace(secret, "****");
            self.said = self.said.replace(secret, "****");
        }
    }
}

fn happened(kind: ConnectErrorKind, server: &Server) -> String {
    use ConnectErrorKind as K;
    let (host, port) = (&server.host, server.port);
    match kind {
        K::UnknownHost => format!("The name {host} was not found"),
        K::AddressRefused => format!("The address of {host} is not one that may be connected to"),
        K::Refused => format!("{host} does not accept connections on port {port}"),
        K::Unreachable => format!("There is no way to {host}"),
        K::Timeout => format!("{host} did not answer in time on port {port}"),
        K::Closed => format!("{host} closed the connection"),
        K::NotTls => format!("{host} does not speak TLS on port {port}"),
        K::TlsTooOld => format!("{host} offers only outdated encryption"),
        K::Certificate(problem) => {
            format!("The certificate of {host} {}", certificate_words(problem))
        }
        K::StartTlsMissing => format!("{host} does not offer STARTTLS on port {port}"),
        K::PlainRefused => {
            format!("The password was not sent to {host}: the connection is not encrypted")
        }
        K::NotMailServer => {
            format!("What answers at {host} port {port} is not a mail server of this kind")
        }
        K::WrongPassword => format!("{host} did not accept the user name or the password"),
        K::LoginUnsupported => format!("{host} offers no way to sign in that is known here"),
        K::ServerUnproven => format!("{host} could not prove that it knows the password"),
        K::InUse => format!("Another program is reading this mailbox at {host} right now"),
        K::NoUidl => format!("{host} gives its messages no lasting names (UIDL)"),
        K::Unavailable => format!("{host} is not available at the moment"),
        K::MissingFolder => "The folder does not exist on the server".into(),
        K::ServerBye => format!("{host} ended the connection"),
        K::CommandRefused => format!("{host} refused the request"),
        K::SenderRefused => format!("{host} takes no mail from this sender"),
        K::RecipientRefused => format!("{host} takes no mail for this recipient"),
        K::MessageRefused => format!("{host} did not take the message"),
        K::Protocol => format!("{host} gave an answer that cannot be understood"),
    }
}

fn certificate_words(problem: CertificateProblem) -> &'static str {
    match problem {
        CertificateProblem::Expired => "has expired",
        CertificateProblem::NotYetValid => "is not valid yet",
        CertificateProblem::WrongName => "is for another name",
        CertificateProblem::UnknownIssuer => "comes from an unknown issuer",
        CertificateProblem::Revoked => "was revoked",
        CertificateProblem::Invalid => "is not valid",
    }
}

fn remedy(kind: ConnectErrorKind, server: &Server) -> String {
    use ConnectErrorKind as K;
    let words = match kind {
        K::UnknownHost => "Check the spelling of the server name.",
        K::AddressRefused => {
            "Ask the administrator to connect this mailbox: inner addresses are open to administrators only."
        }
        K::Refused | K::Unreachable => {
            "Check the server name and the port, and whether a firewall is in between."
        }
        K::Timeout if server.tls == Tls::None => {
            "Check the port: ports 993, 995 and 465 need TLS to be chosen."
        }
        K::Timeout => "Check the port and whether a firewall is in between; then try again.",
        K::Closed | K::ServerBye | K::Unavailable => {
            "Try again in a few minutes; if it stays so, ask the provider."
        }
        K::NotTls => "Choose STARTTLS, or the port for TLS (993 for IMAP, 995 for POP3, 465 for SMTP).",
        K::TlsTooOld => "Ask the provider to offer TLS 1.2 or newer.",
        K::Certificate(problem) => certificate_remedy(problem),
        K::StartTlsMissing => "Choose TLS with the port for it (993 for IMAP, 995 for POP3, 465 for SMTP).",
        K::PlainRefused => {
            "Choose TLS or STARTTLS; without encryption anybody on the way could read the password."
        }
        K::NotMailServer => {
            "Check the port and the kind of server: IMAP is usually on port 993, POP3 on 995, SMTP on 465 or 587."
        }
        K::WrongPassword => {
            "Check user name and password; some providers want an app password, or IMAP to be switched on in their settings."
        }
        K::LoginUnsupported => {
            "Ask the provider which ways to sign in it offers; password and OAuth 2.0 are known here."
        }
        K::ServerUnproven => "Do not go on: this may not be the server it says it is. Check the server name.",
        K::InUse => {
            "Nothing is lost; it is tried again by itself. Only one program can read a POP3 mailbox at a time."
        }
        K::NoUidl => {
            "Receive by IMAP if the server offers it, or have messages deleted on the server right after they are fetched."
        }
        K::MissingFolder => "Choose another folder, or ask the provider which folders IMAP offers.",
        K::SenderRefused => {
            "Sign in as the owner of this address, or ask the provider to allow sending from it."
        }
        K::RecipientRefused => "Check the recipient's address; sign in if the server asks for it.",
        K::MessageRefused => "What the server said tells why; ask the provider if it does not.",
        K::CommandRefused | K::Protocol => "Ask the provider; the protocol log shows what was said.",
    };
    words.to_owned()
}

fn certificate_remedy(problem: CertificateProblem) -> &'static str {
    match problem {
        CertificateProblem::Expired => "Ask the provider to renew it.",
        CertificateProblem::NotYetValid => "Check the clock of this machine.",
        CertificateProblem::WrongName => {
            "Use the server name the provider gives, exactly as on the certificate."
        }
        CertificateProblem::UnknownIssuer => {
            "If it is your own server, add its certificate to the trusted ones; if not, do not go on."
        }
        CertificateProblem::Revoked | CertificateProblem::Invalid => "Ask the provider; do not go on.",
    }
}
