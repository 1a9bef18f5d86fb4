//! Starts a real Courier-IMAP on loopback over one mailbox, and stops it again.
//!
//! The poor server: it greets with PREAUTH (after an ALERT), has neither MOVE nor CONDSTORE nor LITERAL+, takes
//! all folders to be below `INBOX.`, and its IDLE looks only once a minute.
//!
//! Needs what `.ci/servers` unpacks. Its sign-in daemon has its paths built in and is not started: everybody who
//! connects is signed in.

use crate::unpacked::{self, Family};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// What it offers: all it has except IDLE, which only complains of a missing file monitor.
const CAPABILITIES: &str =
    "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA";
const ATTEMPTS: usize = 3;

/// A running Courier. Dropping it stops it and removes its folder.
#[derive(Debug)]
pub struct Courier {
    _family: Family,
    dir: PathBuf,
    /// IMAP without TLS, on 127.0.0.1.
    pub imap_port: u16,
}

impl Courier {
    /// Starts.
    ///
    /// # Panics
    /// If it does not start: with the reason and what it said.
    pub fn start() -> Courier {
        let mut last = None;
        // A free port can be taken by somebody else before Courier binds it.
        for _ in 0..ATTEMPTS {
            match Courier::attempt() {
                Ok(courier) => return courier,
                Err(error) => last = Some(error),
            }
        }
        panic!("Courier did not start: {:#}", last.expect("attempts were made"));
    }

    fn attempt() -> Result<Courier> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let root = unpacked::root()?;
        let libraries = unpacked::library_path(&root)?;
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("lc-courier-{}-{number}", std::process::id()));
        fs::remove_dir_all(&dir).ok();
        fs::create_dir_all(&dir)?;
        make_mailbox(&root, &libraries, &dir)?;
        let [port] = unpacked::free_ports::<1>()?;
        let mut command = Command::new(root.join("usr/sbin/couriertcpd"));
        command
            .args(["-address=127.0.0.1", "-nodnslookup", "-noidentlookup", &port.to_string()])
            .arg(root.join("usr/bin/imapd"))
            .arg(dir.join("mail"))
            .env("LD_LIBRARY_PATH", libraries)
            .env("HOME", &dir)
            .env("MAILDIRPATH", "mail")
            .env("AUTHENTICATED", "ann")
            .env("AUTHADDR", "ann")
            .env("IMAP_CAPABILITY", CAPABILITIES)
            .env("IMAP_ENHANCEDIDLE", "0")
            // With locks it asks the file monitor that is not there, which takes it a second each time.
            .env("IMAP_USELOCKS", "0")
            .env("IMAP_MAILBOX_SANITY_CHECK", "0")
            .current_dir(&dir);
        let mut family = Family::start(&mut command, &dir.join("errors"))?;
        let ready = || TcpStream::connect(("127.0.0.1", port)).is_ok();
        family
            .await_ready(ready)
            .with_context(|| fs::read_to_string(dir.join("errors")).unwrap_or_default())?;
        Ok(Courier { _family: family, dir, imap_port: port })
    }
}

impl Drop for Courier {
    fn drop(&mut self) {
        // The family may write for a moment more; what is left is a few files below the temporary folder.
        fs::remove_dir_all(&self.dir).ok();
    }
}

fn make_mailbox(root: &Path, libraries: &str, dir: &Path) -> Result<()> {
    let made = Command::new(root.join("usr/bin/maildirmake.courier"))
        .arg(dir.join("mail"))
        .env("LD_LIBRARY_PATH", libraries)
        .status()
        .context("cannot run maildirmake.courier")?;
    ensure!(made.success(), "maildirmake.courier failed");
    Ok(())
}
