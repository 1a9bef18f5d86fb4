//! Starts a real Cyrus (IMAP and POP3) on loopback, with its own folder and ports, and stops it again.
//!
//! The second opinion: MOVE, CONDSTORE, QRESYNC and OBJECTID of another make, unquoted folder names, passwords
//! that are looked up (so also SCRAM and CRAM-MD5), a store that takes no message with a bare LF.
//!
//! Needs what `.ci/servers` unpacks, and root: Cyrus does not serve as root and is started as nobody, who is
//! allowed to read, since the folder it was unpacked to may be closed to others.

use crate::by_hand::Hand;
use crate::unpacked::{self, Family};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// The users; a user's mailbox comes into being at the first sign-in.
pub const USERS: [&str; 3] = ["ann", "ben", "carla"];
/// Their password.
pub const PASSWORD: &str = "test";
const ATTEMPTS: usize = 3;

/// A running Cyrus. Dropping it stops it and removes its folder.
#[derive(Debug)]
pub struct Cyrus {
    _family: Family,
    dir: PathBuf,
    /// IMAP without TLS, on 127.0.0.1.
    pub imap_port: u16,
    /// POP3 without TLS, on 127.0.0.1.
    pub pop3_port: u16,
}

impl Cyrus {
    /// Starts.
    ///
    /// # Panics
    /// If it does not start: with the reason and what it said.
    pub fn start() -> Cyrus {
        let mut last = None;
        // A free port can be taken by somebody else before Cyrus binds it.
        for _ in 0..ATTEMPTS {
            match Cyrus::attempt() {
                Ok(cyrus) => return cyrus,
                Err(error) => last = Some(error),
            }
        }
        panic!("Cyrus did not start: {:#}", last.expect("attempts were made"));
    }

    fn attempt() -> Result<Cyrus> {
        let root = unpacked::root()?;
        let libraries = unpacked::library_path(&root)?;
        let dir = folder()?;
        let ports = unpacked::free_ports::<2>()?;
        add_users(&root, &libraries, &dir)?;
        configure(&root, &dir, ports)?;
        let owned = Command::new("chown").args(["-R", "nobody:nogroup"]).arg(&dir).status()?;
        ensure!(owned.success(), "Cyrus needs root here");
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"])
            .args(["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"])
            .args(["env", "CYRUS_USER=nobody", &format!("LD_LIBRARY_PATH={libraries}")])
            .arg(root.join("usr/lib/cyrus/bin/master"))
            .args(["-D", "-C", "imapd.conf", "-M", "cyrus.conf", "-p", "pid"])
            .current_dir(&dir);
        let mut family = Family::start(&mut command, &dir.join("errors"))?;
        let ready = || Hand::sign_in(ports[0], USERS[0], PASSWORD).is_ok();
        family
            .await_ready(ready)
            .with_context(|| fs::read_to_string(dir.join("errors")).unwrap_or_default())?;
        Ok(Cyrus { _family: family, dir, imap_port: ports[0], pop3_port: ports[1] })
    }
}

impl Drop for Cyrus {
    fn drop(&mut self) {
        // The family may write for a moment more; what is left is a few files below the temporary folder.
        fs::remove_dir_all(&self.dir).ok();
    }
}

fn folder() -> Result<PathBuf> {
    static STARTED: AtomicU32 = AtomicU32::new(0);
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    let dir = std::env::temp_dir().join(format!("lc-cyrus-{}-{number}", std::process::id()));
    fs::remove_dir_all(&dir).ok();
    for part in ["lib/socket", "spool", "sock", "proc", "lock"] {
        fs::create_dir_all(dir.join(part))?;
    }
    Ok(dir)
}

fn add_users(root: &Path, libraries: &str, dir: &Path) -> Result<()> {
    for user in USERS {
        let mut child = Command::new(root.join("usr/sbin/saslpasswd2"))
            .args(["-c", "-p", "-u", "localhost", "-f"])
            .arg(dir.join("users"))
            .arg(user)
            .env("LD_LIBRARY_PATH", libraries)
            .stdin(Stdio::piped())
            .spawn()
            .context("cannot run saslpasswd2")?;
        child.stdin.take().context("saslpasswd2 has no input")?.write_all(PASSWORD.as_bytes())?;
        ensure!(child.wait()?.success(), "saslpasswd2 failed");
    }
    Ok(())
}

fn configure(root: &Path, dir: &Path, [imap, pop3]: [u16; 2]) -> Result<()> {
    let (bin, here) = (root.join("usr/lib/cyrus/bin"), dir.display());
    let bin = bin.display();
    let configuration = format!(
        "servername: localhost
configdirectory: {here}/lib
partition-default: {here}/spool
defaultpartition: default
proc_path: {here}/proc
mboxname_lockpath: {here}/lock
lmtpsocket: {here}/sock/lmtp
idlesocket: {here}/sock/idle
notifysocket: {here}/sock/notify
admins: cyrus
cyrus_user: nobody
cyrus_group: nogroup
unixhierarchysep: yes
altnamespace: yes
allowplaintext: yes
failedloginpause: 0
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {here}/users
sasl_mech_list: PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5
autocreate_quota: 0
autocreate_post: 1
autocreate_inbox_folders: Drafts | Sent | Trash
"
    );
    let services = format!(
        "START {{
 recover cmd=\"{bin}/ctl_cyrusdb -C {here}/imapd.conf -r\"
}}
SERVICES {{
 imap cmd=\"{bin}/imapd -U 30 -C {here}/imapd.conf\" listen=\"127.0.0.1:{imap}\" prefork=0 maxchild=50
 pop3 cmd=\"{bin}/pop3d -U 30 -C {here}/imapd.conf\" listen=\"127.0.0.1:{pop3}\" prefork=0 maxchild=50
}}
DAEMON {{
 idled cmd=\"{bin}/idled -C {here}/imapd.conf\"
}}
EVENTS {{
}}
"
    );
    fs::write(dir.join("imapd.conf"), configuration)?;
    fs::write(dir.join("cyrus.conf"), services)?;
    Ok(())
}
