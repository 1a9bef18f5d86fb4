//! Providers whose servers are known, by the domains of their addresses and by who receives the mail of their customers.
//!
//! Each row says where it was read and when. Only what a provider states itself is here; a provider that is
//! missing is found by its configuration file, its SRV records or by usual names. IMAP is on 993, POP3 on 995,
//! sending on 465 in TLS, except where a row says otherwise.

use super::{Address, Candidate, Note, Source};
use crate::server::Tls;

pub(super) struct Provider {
    name: &'static str,
    /// Domains of its addresses.
    domains: &'static [&'static str],
    /// Ends of the names that receive mail for domains of its customers.
    mx: &'static [&'static str],
    imap: &'static str,
    /// Empty: no POP3, or not known.
    pop3: &'static str,
    smtp: &'static str,
    submission: Submission,
    oauth: Option<&'static str>,
    note: Option<Note>,
}

/// How its sending server is protected.
#[derive(Clone, Copy)]
enum Submission {
    /// Port 465.
    Implicit,
    /// Port 587.
    StartTls,
}

const PLAIN: Provider = Provider {
    name: "",
    domains: &[],
    mx: &[],
    imap: "",
    pop3: "",
    smtp: "",
    submission: Submission::Implicit,
    oauth: None,
    note: None,
};

impl Provider {
    /// Its servers, with the whole address as login name: all of these providers want it so.
    pub(super) fn candidate(&self, address: &Address) -> Candidate {
        let server = |host: &str, port, tls| (!host.is_empty()).then(|| address.endpoint(host, port, tls));
        let (port, tls) = match self.submission {
            Submission::Implicit => (465, Tls::Implicit),
            Submission::StartTls => (587, Tls::StartTls),
        };
        Candidate {
            source: Source::Provider,
            name: self.name.to_owned(),
            imap: server(self.imap, 993, Tls::Implicit),
            pop3: server(self.pop3, 995, Tls::Implicit),
            smtp: server(self.smtp, port, tls),
            oauth: self.oauth,
            note: self.note,
        }
    }
}

/// By the domain of an address.
pub(super) fn of_domain(domain: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().find(|provider| provider.domains.contains(&domain))
}

/// By a name that receives the domain's mail.
pub(super) fn of_mx(host: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().find(|provider| provider.mx.iter().any(|end| super::is_within(host, end)))
}

const PROVIDERS: &[Provider] = &[
    Provider {
        // support.google.com/mail/answer/7126229, developers.google.com/gmail/imap/imap-smtp (2026): passwords
        // only as app passwords, Workspace not even those by default.
        name: "Google",
        domains: &["gmail.com", "googlemail.com"],
        mx: &["google.com", "googlemail.com"],
        imap: "imap.gmail.com",
        pop3: "pop.gmail.com",
        smtp: "smtp.gmail.com",
        oauth: Some("google"),
        note: Some(Note::AppPassword),
        ..PLAIN
    },
    Provider {
        // support.microsoft.com "POP, IMAP, and SMTP settings for Outlook.com" (2024-09: no passwords any more).
        name: "Outlook.com",
        domains: &[
            "outlook.com",
            "outlook.cz",
            "outlook.sk",
            "outlook.de",
            "outlook.at",
            "hotmail.com",
            "hotmail.de",
            "live.com",
            "msn.com",
        ],
        mx: &["olc.protection.outlook.com"],
        imap: "outlook.office365.com",
        pop3: "outlook.office365.com",
        smtp: "smtp-mail.outlook.com",
        submission: Submission::StartTls,
        oauth: Some("microsoft"),
        note: Some(Note::OAuthOnly),
    },
    Provider {
        // learn.microsoft.com "POP3 and IMAP4 in Exchange Online", "Deprecation of Basic authentication" (2022-10).
        name: "Microsoft 365",
        domains: &[],
        mx: &["mail.protection.outlook.com", "mx.microsoft"],
        imap: "outlook.office365.com",
        pop3: "outlook.office365.com",
        smtp: "smtp.office365.com",
        submission: Submission::StartTls,
        oauth: Some("microsoft"),
        note: Some(Note::OAuthOnly),
    },
    Provider {
        // o-seznam.cz/napoveda/email "Poštovní programy a aplikace" (2026); Email Profi serves customers' domains.
        name: "Seznam.cz",
        domains: &["seznam.cz", "email.cz", "post.cz", "spoluzaci.cz"],
        mx: &["seznam.cz"],
        imap: "imap.seznam.cz",
        pop3: "pop3.seznam.cz",
        smtp: "smtp.seznam.cz",
        note: Some(Note::SwitchOn),
        ..PLAIN
    },
    Provider {
        // napoveda.centrum.cz (2026): since 2024 with an app password.
        name: "Centrum.cz",
        domains: &["centrum.cz"],
        imap: "imap.centrum.cz",
        pop3: "pop3.centrum.cz",
        smtp: "smtp.centrum.cz",
        note: Some(Note::AppPassword),
        ..PLAIN
    },
    Provider {
        // podpora.forpsi.com/kb/a3073 (names with a certificate), support.forpsi.com/KB/a3147 (ports).
        name: "Forpsi",
        mx: &["forpsi.com"],
        imap: "imap.forpsi.com",
        pop3: "pop3.forpsi.com",
        smtp: "smtp.forpsi.com",
        ..PLAIN
    },
    Provider {
        // www.websupport.sk/support "Poštové protokoly" (2026).
        name: "Websupport",
        mx: &["websupport.sk"],
        imap: "imap.websupport.sk",
        pop3: "pop3.websupport.sk",
        smtp: "smtp.websupport.sk",
        ..PLAIN
    },
    Provider {
        // faq.active24.eu "E-mail troubleshooting" (2026), on Websupport's servers.
        name: "Active 24",
        mx: &["websupport.cz", "active24.com", "active24.cz"],
        imap: "imap.websupport.cz",
        smtp: "smtp.websupport.cz",
        ..PLAIN
    },
    Provider {
        // pomoc.wp.pl/jak-skonfigurowac-program-pocztowy (2026).
        name: "WP Poczta",
        domains: &["wp.pl"],
        mx: &["mx.wp.pl"],
        imap: "imap.wp.pl",
        pop3: "pop3.wp.pl",
        smtp: "smtp.wp.pl",
        note: Some(Note::SwitchOn),
        ..PLAIN
    },
    Provider {
        // pomoc.o2.pl, Thunderbird's database for o2.pl (2025): one name for all.
        name: "o2 Poczta",
        domains: &["o2.pl", "tlen.pl", "go2.pl"],
        imap: "poczta.o2.pl",
        pop3: "poczta.o2.pl",
        smtp: "poczta.o2.pl",
        note: Some(Note::SwitchOn),
        ..PLAIN
    },
    Provider {
        // pomoc.poczta.interia.pl "Parametry do konfiguracji programów pocztowych" (2026).
        name: "Interia Poczta",
        domains: &["interia.pl", "interia.eu", "poczta.fm"],
        imap: "poczta.interia.pl",
        pop3: "poczta.interia.pl",
        smtp: "poczta.interia.pl",
        note: Some(Note::SwitchOn),
        ..PLAIN
    },
    Provider {
        // support.apple.com/102525 (2026).
        name: "iCloud",
        domains: &["icloud.com", "me.com", "mac.com"],
        mx: &["mail.icloud.com"],
        imap: "imap.mail.me.com",
        smtp: "smtp.mail.me.com",
        submission: Submission::StartTls,
        note: Some(Note::AppPassword),
        ..PLAIN
    },
    Provider {
        // help.yahoo.com/kb/SLN4075 (2026).
        name: "Yahoo",
        domains: &["yahoo.com", "yahoo.de", "yahoo.co.uk", "yahoo.fr", "ymail.com", "rocketmail.com"],
        mx: &["yahoodns.net"],
        imap: "imap.mail.yahoo.com",
        pop3: "pop.mail.yahoo.com",
        smtp: "smtp.mail.yahoo.com",
        note: Some(Note::AppPassword),
        ..PLAIN
    },
    Provider {
        // hilfe.gmx.net/pop-imap (2026).
        name: "GMX",
        domains: &["gmx.net", "gmx.de", "gmx.at", "gmx.ch"],
        imap: "imap.gmx.net",
        pop3: "pop.gmx.net",
        smtp: "mail.gmx.net",
        note: Some(Note::SwitchOn),
        ..PLAIN
    },
    Provider {
        // hilfe.web.de/pop-imap (2026).
        name: "WEB.DE",
        domains: &["web.de"],
        imap: "imap.web.de",
        pop3: "pop3.web.de",
        smtp: "smtp.web.de",
        submission: Submission::StartTls,
        note: Some(Note::SwitchOn),
        ..PLAIN
    },
    Provider {
        // www.zoho.com/mail/help/imap-access.html (2026): the European data centre has names of its own.
        name: "Zoho Mail",
        domains: &["zohomail.eu"],
        mx: &["zoho.eu"],
        imap: "imap.zoho.eu",
        pop3: "pop.zoho.eu",
        smtp: "smtp.zoho.eu",
        note: Some(Note::SwitchOn),
        ..PLAIN
    },
    Provider {
        // As above.
        name: "Zoho Mail",
        domains: &["zohomail.com", "zoho.com"],
        mx: &["zoho.com"],
        imap: "imap.zoho.com",
        pop3: "pop.zoho.com",
        smtp: "smtp.zoho.com",
        note: Some(Note::SwitchOn),
        ..PLAIN
    },
    Provider {
        // www.fastmail.help/hc/en-us/articles/1500000278342 (2026).
        name: "Fastmail",
        domains: &["fastmail.com", "fastmail.fm"],
        mx: &["messagingengine.com"],
        imap: "imap.fastmail.com",
        pop3: "pop.fastmail.com",
        smtp: "smtp.fastmail.com",
        note: Some(Note::AppPassword),
        ..PLAIN
    },
    Provider {
        // kb.mailbox.org "E-Mail-Programme einrichten" (2026).
        name: "mailbox.org",
        domains: &["mailbox.org"],
        mx: &["mailbox.org"],
        imap: "imap.mailbox.org",
        pop3: "pop3.mailbox.org",
        smtp: "smtp.mailbox.org",
        ..PLAIN
    },
];
