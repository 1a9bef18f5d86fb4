//! What other people do to a mailbox behind our back: mail comes, goes, is flagged, is renumbered.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};

use super::{Dovecot, MAIL_UID, MailFormat};

impl Dovecot {
    /// Puts messages into a folder, in the order given, as unread. Line ends may be LF or CRLF; Dovecot sends CRLF.
    /// On Maildir the files are written directly; a running session notices them like any delivery.
    ///
    /// # Errors
    /// When files cannot be written, or `doveadm save` fails (Mdbox).
    pub fn fill<M: AsRef<[u8]>>(
        &self,
        user: &str,
        folder: &str,
        messages: impl IntoIterator<Item = M>,
    ) -> Result<()> {
        match self.mail_format {
            MailFormat::Maildir => self.fill_maildir(user, folder, messages.into_iter().map(|m| (None, m))),
            MailFormat::Mdbox => messages.into_iter().try_for_each(|m| self.save(user, folder, m.as_ref())),
        }
    }

    /// Puts messages into a folder, each with the time it arrived. The folder must be a Maildir.
    ///
    /// # Errors
    /// When files cannot be written.
    pub fn fill_dated<M: AsRef<[u8]>>(
        &self,
        user: &str,
        folder: &str,
        messages: impl IntoIterator<Item = (SystemTime, M)>,
    ) -> Result<()> {
        ensure!(self.mail_format == MailFormat::Maildir, "only a Maildir keeps a time that is given");
        self.fill_maildir(user, folder, messages.into_iter().map(|(at, m)| (Some(at), m)))
    }

    /// Puts one message into a folder.
    ///
    /// # Errors
    /// Like [`Dovecot::fill`].
    pub fn deliver(&self, user: &str, folder: &str, message: impl AsRef<[u8]>) -> Result<()> {
        self.fill(user, folder, [message])
    }

    /// The folder with a user's Maildir folder: `INBOX` or a name with `/` between levels.
    pub fn maildir(&self, user: &str, folder: &str) -> PathBuf {
        let inbox = self.dir.join("mail").join(user).join("Maildir");
        if folder.eq_ignore_ascii_case("INBOX") {
            inbox
        } else {
            inbox.join(format!(".{}", folder.replace('/', ".")))
        }
    }

    fn fill_maildir<M: AsRef<[u8]>>(
        &self,
        user: &str,
        folder: &str,
        messages: impl Iterator<Item = (Option<SystemTime>, M)>,
    ) -> Result<()> {
        // Names sort by number, because Dovecot gives UIDs to new files in the order of their names.
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let dir = self.maildir(user, folder);
        self.make_maildir(user, &dir)?;
        let seconds = std::time::UNIX_EPOCH.elapsed().context("the clock stands before 1970")?.as_secs();
        for (at, message) in messages {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let name = format!("{seconds}.M{number:09}P{}.test", std::process::id());
            // Written aside and moved in: a session that looks must never see half a file.
            let (aside, place) = (dir.join("tmp").join(&name), dir.join("new").join(&name));
            let mut file = File::create(&aside)?;
            file.write_all(message.as_ref())?;
            if let Some(at) = at {
                file.set_modified(at)?;
            }
            chown(&aside, Some(MAIL_UID), Some(MAIL_UID))?;
            fs::rename(&aside, &place)?;
        }
        Ok(())
    }

    fn make_maildir(&self, user: &str, dir: &Path) -> Result<()> {
        let home = self.dir.join("mail").join(user);
        for part in ["new", "cur", "tmp"] {
            fs::create_dir_all(dir.join(part))?;
            chown(dir.join(part), Some(MAIL_UID), Some(MAIL_UID))?;
        }
        for part in [&home, &home.join("Maildir"), dir] {
            chown(part, Some(MAIL_UID), Some(MAIL_UID))?;
        }
        if dir != home.join("Maildir") {
            fs::write(dir.join("maildirfolder"), "")?;
            chown(dir.join("maildirfolder"), Some(MAIL_UID), Some(MAIL_UID))?;
        }
        Ok(())
    }

    fn save(&self, user: &str, folder: &str, message: &[u8]) -> Result<()> {
        let mut child = Command::new("doveadm")
            .arg("-c")
            .arg(self.dir.join("dovecot.conf"))
            .args(["save", "-u", user, "-m", folder])
            .stdin(Stdio::piped())
            .spawn()
            .context("cannot run doveadm")?;
        child.stdin.take().context("doveadm has no input")?.write_all(message)?;
        ensure!(child.wait()?.success(), "doveadm save failed");
        Ok(())
    }

    /// Makes a folder.
    ///
    /// # Errors
    /// When `doveadm` fails.
    pub fn create_folder(&self, user: &str, folder: &str) -> Result<()> {
        self.doveadm(&["mailbox", "create", "-u", user, "-s", folder]).map(|_| ())
    }

    /// Removes messages as another program would. `query` is doveadm's, such as `UID 3:5` or `ALL`.
    ///
    /// # Errors
    /// When `doveadm` fails.
    pub fn expunge(&self, user: &str, folder: &str, query: &str) -> Result<()> {
        let arguments: Vec<_> =
            ["expunge", "-u", user, "mailbox", folder].into_iter().chain(query.split(' ')).collect();
        self.doveadm(&arguments).map(|_| ())
    }

    /// Sets flags as another program would, such as `\Seen`.
    ///
    /// # Errors
    /// When `doveadm` fails.
    pub fn add_flags(&self, user: &str, folder: &str, query: &str, flags: &str) -> Result<()> {
        let arguments = ["flags", "add", "-u", user, flags, "mailbox", folder];
        let arguments: Vec<_> = arguments.into_iter().chain(query.split(' ')).collect();
        self.doveadm(&arguments).map(|_| ())
    }

    /// Number of messages in a folder.
    ///
    /// # Errors
    /// When `doveadm` fails or the folder is not there.
    pub fn count(&self, user: &str, folder: &str) -> Result<u64> {
        let said = self.doveadm(&["-f", "tab", "mailbox", "status", "-u", user, "messages", folder])?;
        let last = said.lines().last().unwrap_or_default();
        let number = last.rsplit('\t').next().unwrap_or_default();
        number.parse().with_context(|| format!("doveadm said {said:?}"))
    }

    /// Gives a Maildir folder another UIDVALIDITY and its messages other UIDs, from 1, as after a server was
    /// rebuilt from its files. Open sessions are ended first.
    ///
    /// # Errors
    /// When the folder was never opened, or is not a Maildir.
    pub fn renumber(&self, user: &str, folder: &str) -> Result<u32> {
        ensure!(self.mail_format == MailFormat::Maildir, "only a Maildir can be renumbered");
        // Fails when nobody is signed in.
        self.doveadm(&["kick", user]).ok();
        let dir = self.maildir(user, folder);
        let list = dir.join("dovecot-uidlist");
        let text = fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
        let header = text.lines().next().unwrap_or_default();
        let field = |letter: char| header.split(' ').find_map(|word| word.strip_prefix(letter));
        let old: u32 = field('V')
            .and_then(|v| v.parse().ok())
            .with_context(|| format!("no UIDVALIDITY in {header:?}"))?;
        let new = old + 1;
        fs::write(&list, format!("3 V{new} N1 G{}\n", field('G').unwrap_or_default()))?;
        for entry in fs::read_dir(&dir)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with("dovecot.index") || name == "dovecot.list.index" {
                fs::remove_file(&path)?;
            }
        }
        Ok(new)
    }
}
