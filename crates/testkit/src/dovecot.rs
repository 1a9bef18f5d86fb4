//! Starts a real Dovecot on loopback, with its own folder, ports and certificate, and stops it again.
//!
//! Any user name signs in with [`Dovecot::password`]; a user's mailbox comes into being on first use.
//! Messages are best put in by [`Dovecot::fill`], which writes Maildir files (thousands a second) where
//! `doveadm save` starts a process for each.
//!
//! Needs Debian's `dovecot-imapd` (and `dovecot-pop3d`, `dovecot-lmtpd` for those doors) and root, because
//! Dovecot's own users own parts of its run folder.

pub(crate) mod certificate;
mod mailbox;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

const BINARY: &str = "/usr/sbin/dovecot";
const LIBEXEC: &str = "/usr/lib/dovecot";
/// Owner of the mail files. Needs no entry in /etc/passwd.
const MAIL_UID: u32 = 10_001;
const READY_WITHIN: Duration = Duration::from_secs(60);
const ATTEMPTS: usize = 3;

/// How mail is kept on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MailFormat {
    /// One file a message.
    #[default]
    Maildir,
    /// Dovecot's own format with many messages in a file.
    Mdbox,
}

/// What can be chosen.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where everything lives. None: a new folder below the system's temporary one, removed at the end.
    pub base_dir: Option<PathBuf>,
    /// Port for IMAP with STARTTLS; 0 takes a free one. The same for the next three.
    pub imap_port: u16,
    /// Port for IMAP in TLS.
    pub imaps_port: u16,
    /// Port for POP3 with STLS.
    pub pop3_port: u16,
    /// Port for LMTP.
    pub lmtp_port: u16,
    /// How mail is kept.
    pub mail_format: MailFormat,
    /// The password of every user.
    pub password: String,
    /// The certificate's time is over.
    pub expired_certificate: bool,
    /// Capabilities not to be offered, such as `MOVE` or `UIDPLUS`.
    pub without: Vec<String>,
    /// Lines added to the end of the configuration.
    pub extra_config: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            base_dir: None,
            imap_port: 0,
            imaps_port: 0,
            pop3_port: 0,
            lmtp_port: 0,
            mail_format: MailFormat::Maildir,
            password: "test".into(),
            expired_certificate: false,
            without: Vec::new(),
            extra_config: String::new(),
        }
    }
}

/// A running Dovecot. Dropping it stops it.
#[derive(Debug)]
pub struct Dovecot {
    child: Child,
    /// Where everything lives: `dovecot.conf`, `log`, `mail/<user>/`.
    pub dir: PathBuf,
    remove_dir: bool,
    /// Always loopback: 127.0.0.1. The certificate is good for `localhost` and this address, and not for
    /// 127.0.0.2, which also listens.
    pub host: String,
    /// IMAP with STARTTLS.
    pub imap_port: u16,
    /// IMAP in TLS.
    pub imaps_port: u16,
    /// POP3 with STLS, if installed.
    pub pop3_port: Option<u16>,
    /// LMTP, if installed.
    pub lmtp_port: Option<u16>,
    /// The password of every user.
    pub password: String,
    /// The authority that signed the server's certificate, as PEM.
    pub ca_pem: Vec<u8>,
    mail_format: MailFormat,
}

impl Dovecot {
    /// Starts with the defaults.
    ///
    /// # Panics
    /// If it does not start: with the reason, what to install, and where to look.
    pub fn start() -> Self {
        Self::start_with(&Options::default())
    }

    /// Starts with options. Panics like [`Dovecot::start`].
    pub fn start_with(options: &Options) -> Self {
        match Self::try_start(options) {
            Ok(dovecot) => dovecot,
            Err(error) => panic!("Dovecot did not start: {error:#}"),
        }
    }

    /// Starts with options.
    ///
    /// # Errors
    /// Dovecot missing, not root, or not ready in time; the text names the configuration and the log.
    pub fn try_start(options: &Options) -> Result<Self> {
        ensure!(
            Path::new(BINARY).exists() && Path::new(LIBEXEC).join("imap").exists(),
            "{BINARY} is not here; install it: apt-get install -y dovecot-imapd dovecot-pop3d dovecot-lmtpd openssl"
        );
        let mut last = None;
        // A free port can be taken by somebody else before Dovecot binds it.
        for _ in 0..ATTEMPTS {
            match Self::attempt(options) {
                Ok(dovecot) => return Ok(dovecot),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("no attempt was made")))
    }

    fn attempt(options: &Options) -> Result<Self> {
        let (dir, remove_dir) = base_dir(options)?;
        let ca_pem = certificate::make(&dir.join("tls"), options.expired_certificate)?;
        let ports = Ports::choose(options)?;
        let config = dir.join("dovecot.conf");
        fs::write(&config, configuration(&dir, &ports, options)?)?;
        let child = Command::new(BINARY)
            .arg("-F")
            .arg("-c")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(dir.join("stderr"))?)
            .spawn()
            .with_context(|| format!("cannot run {BINARY}"))?;
        let mut dovecot = Self {
            child,
            remove_dir: false,
            host: "127.0.0.1".into(),
            imap_port: ports.imap,
            imaps_port: ports.imaps,
            pop3_port: ports.pop3,
            lmtp_port: ports.lmtp,
            password: options.password.clone(),
            ca_pem,
            mail_format: options.mail_format,
            dir,
        };
        dovecot.await_greeting()?;
        dovecot.remove_dir = remove_dir;
        Ok(dovecot)
    }

    fn await_greeting(&mut self) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < READY_WITHIN {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}; {}", self.where_to_look());
            }
            if greets(self.imap_port) {
                return Ok(());
            }
            sleep(Duration::from_millis(30));
        }
        bail!("it gives no greeting on port {}; {}", self.imap_port, self.where_to_look())
    }

    fn where_to_look(&self) -> String {
        let read = |name: &str| fs::read_to_string(self.dir.join(name)).unwrap_or_default();
        let said = read("stderr") + &read("log");
        let tail: Vec<_> = said.lines().rev().take(8).collect();
        let tail: Vec<_> = tail.into_iter().rev().collect();
        format!("configuration and log are in {}; it said:\n{}", self.dir.display(), tail.join("\n"))
    }

    /// Runs `doveadm` with this server's configuration and gives what it prints.
    ///
    /// # Errors
    /// With what it printed, if it fails.
    pub fn doveadm(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new("doveadm")
            .arg("-c")
            .arg(self.dir.join("dovecot.conf"))
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .context("cannot run doveadm")?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "doveadm {}: {said}", arguments.join(" "));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Process id of the master process, for measurements.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it and waits until it is gone. The folder stays, so that another one can go on with the same mail.
    pub fn stop(mut self) -> PathBuf {
        self.remove_dir = false;
        self.end();
        self.dir.clone()
    }

    fn end(&mut self) {
        if self.child.try_wait().ok().flatten().is_some() {
            return;
        }
        let mut family = children(self.child.id());
        if !self.remove_dir {
            // A terminated server leaves the mail in order, which takes it a second.
            signal("-TERM", &[self.child.id()]);
            let began = Instant::now();
            while began.elapsed() < Duration::from_secs(5) {
                if self.child.try_wait().ok().flatten().is_some() {
                    // Open sessions stay for another ten seconds.
                    family.retain(|pid| is_dovecot(*pid));
                    signal("-KILL", &family);
                    return;
                }
                sleep(Duration::from_millis(10));
            }
        }
        family.push(self.child.id());
        signal("-KILL", &family);
        self.child.wait().ok();
    }
}

/// Whether the process still is one of ours (by `instance_name`): its number may have been given to another one.
fn is_dovecot(pid: u32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.starts_with(b"dovecot-lettercase-"))
}

fn signal(name: &str, pids: &[u32]) {
    if pids.is_empty() {
        return;
    }
    let pids = pids.iter().map(u32::to_string);
    // A child may have ended by itself.
    Command::new("kill").arg(name).args(pids).stderr(Stdio::null()).status().ok();
}

fn children(pid: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        self.end();
        if self.remove_dir && !std::thread::panicking() {
            fs::remove_dir_all(&self.dir).ok();
        } else if std::thread::panicking() {
            eprintln!("Dovecot: {}", self.where_to_look());
        }
    }
}

fn base_dir(options: &Options) -> Result<(PathBuf, bool)> {
    static STARTED: AtomicU32 = AtomicU32::new(0);
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    let (dir, remove) = match &options.base_dir {
        Some(dir) => (dir.clone(), false),
        None => (std::env::temp_dir().join(format!("lc-dovecot-{}-{number}", std::process::id())), true),
    };
    for part in ["", "run", "state", "mail", "tls"] {
        fs::create_dir_all(dir.join(part)).with_context(|| format!("cannot make {}", dir.display()))?;
    }
    std::os::unix::fs::chown(dir.join("mail"), Some(MAIL_UID), Some(MAIL_UID))
        .context("Dovecot needs root here")?;
    // Unix sockets have a path of at most 107 bytes, and Dovecot's longest one adds 25.
    ensure!(dir.as_os_str().len() < 80, "{} is too long a path for Dovecot's sockets", dir.display());
    Ok((dir, remove))
}

struct Ports {
    imap: u16,
    imaps: u16,
    pop3: Option<u16>,
    lmtp: Option<u16>,
}

impl Ports {
    fn choose(options: &Options) -> Result<Self> {
        // All are held until all are chosen, or the same one would be given twice.
        let mut held = Vec::new();
        let mut port = |wanted: u16| -> Result<u16> {
            if wanted != 0 {
                return Ok(wanted);
            }
            let listener = TcpListener::bind(("127.0.0.1", 0))?;
            let port = listener.local_addr()?.port();
            held.push(listener);
            Ok(port)
        };
        let installed = |part: &str| Path::new(LIBEXEC).join(part).exists();
        Ok(Self {
            imap: port(options.imap_port)?,
            imaps: port(options.imaps_port)?,
            pop3: if installed("pop3") { Some(port(options.pop3_port)?) } else { None },
            lmtp: if installed("lmtp") { Some(port(options.lmtp_port)?) } else { None },
        })
    }
}

fn greets(port: u16) -> bool {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) else {
        return false;
    };
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).is_ok() && line.starts_with("* OK")
}

fn configuration(dir: &Path, ports: &Ports, options: &Options) -> Result<String> {
    let root = dir.to_str().context("the folder's name is not UTF-8")?;
    let protocols: Vec<_> = [("imap", true), ("pop3", ports.pop3.is_some()), ("lmtp", ports.lmtp.is_some())]
        .into_iter()
        .filter_map(|(name, on)| on.then_some(name))
        .collect();
    let mail_location = match options.mail_format {
        MailFormat::Maildir => "maildir:~/Maildir",
        MailFormat::Mdbox => "mdbox:~/mdbox",
    };
    let folders: String = [("Drafts", "Drafts"), ("Sent", "Sent"), ("Trash", "Trash"), ("Junk", "Junk")]
        .map(|(name, special)| {
            format!("  mailbox {name} {{\n    special_use = \\{special}\n    auto = create\n  }}\n")
        })
        .concat();
    let pop3 = ports.pop3.map(|port| {
        format!("service pop3-login {{\n  inet_listener pop3 {{\n    port = {port}\n  }}\n  inet_listener pop3s {{\n    port = 0\n  }}\n}}\n")
    });
    let lmtp = ports
        .lmtp
        .map(|port| format!("service lmtp {{\n  inet_listener lmtp {{\n    port = {port}\n  }}\n}}\n"));
    Ok(format!(
        "base_dir = {root}/run
state_dir = {root}/state
instance_name = lettercase-{imap}
log_path = {root}/log
protocols = {protocols}
listen = 127.0.0.1, 127.0.0.2
ssl = yes
ssl_cert = <{root}/tls/cert.pem
ssl_key = <{root}/tls/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
first_valid_uid = 1
mail_fsync = never
mail_max_userip_connections = 1000
mail_location = {mail_location}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={MAIL_UID} gid={MAIL_UID} home={root}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
{folders}}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service imap {{
  process_limit = 2048
}}
{capability}{pop3}{lmtp}{extra}
",
        imap = ports.imap,
        imaps = ports.imaps,
        protocols = protocols.join(" "),
        password = options.password,
        capability = capability(&options.without),
        pop3 = pop3.unwrap_or_default(),
        lmtp = lmtp.unwrap_or_default(),
        extra = options.extra_config,
    ))
}

/// Dovecot takes a whole list or additions, no subtractions.
fn capability(without: &[String]) -> String {
    if without.is_empty() {
        return String::new();
    }
    let all = "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE SORT MULTIAPPEND UNSELECT CHILDREN NAMESPACE UIDPLUS \
               LIST-EXTENDED CONDSTORE QRESYNC ESEARCH ESORT SEARCHRES WITHIN LIST-STATUS BINARY MOVE SPECIAL-USE LITERAL+";
    let left: Vec<_> =
        all.split_whitespace().filter(|c| !without.iter().any(|w| w.eq_ignore_ascii_case(c))).collect();
    format!("protocol imap {{\n  imap_capability = {}\n}}\n", left.join(" "))
}
