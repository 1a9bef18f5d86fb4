//! `import`: history from files (A23): true dates, no cases, no replies, no notifications.

use crate::{config::Config, open};
use anyhow::{Context, Result};
use desk::import::{Batch, Import, Imported};
use desk::receive::Receive;
use mail::mbox::{Entry, Mbox};
use model::Time;
use std::fs;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// What to import.
#[derive(clap::Args)]
pub struct Args {
    /// An mbox file, a Maildir folder, an EML file, or a folder of EML files.
    path: PathBuf,
    /// The mailbox it belongs to; without it, one called "Import" that is never fetched.
    #[arg(long, value_name = "ADDRESS")]
    mailbox: Option<String>,
}

/// Larger messages are left out and named.
const MOST_BYTES: usize = 50 << 20;

/// Runs the command. Doing it again adds nothing.
pub async fn run(config: &Config, args: Args) -> Result<()> {
    let desk = open::desk(config).await?;
    let receive = Receive::new(desk.clone());
    let import = Import::begin(&receive, args.mailbox.as_deref()).await?;
    let bar = super::bar("import");
    let mut reading =
        Reading { import, batch: Batch::default(), done: Imported::default(), bar, too_large: 0 };
    reading.path(&args.path).await?;
    reading.flush().await?;
    reading.bar.finish_and_clear();
    let Imported { filed, known, quarantined } = reading.done;
    super::say(format_args!(
        "{filed} imported, {known} were there already, {quarantined} quarantined, {} too large",
        reading.too_large
    ));
    desk.db.close().await;
    Ok(())
}

struct Reading {
    import: Import,
    batch: Batch,
    done: Imported,
    bar: indicatif::ProgressBar,
    too_large: u64,
}

impl Reading {
    async fn path(&mut self, path: &Path) -> Result<()> {
        let about = fs::metadata(path).with_context(|| format!("{} cannot be read", path.display()))?;
        match about.is_dir() {
            true => self.folder(path).await,
            false if is_mbox(path)? => self.mbox(path).await,
            false => self.file(path).await,
        }
    }

    /// A Maildir (its `cur` and `new`), or any folder of files with one message each.
    async fn folder(&mut self, path: &Path) -> Result<()> {
        let parts = ["cur", "new"].map(|part| path.join(part));
        let is_maildir = parts.iter().all(|part| part.is_dir());
        let folders: Vec<PathBuf> = if is_maildir { parts.into() } else { vec![path.to_owned()] };
        for folder in folders {
            let mut files: Vec<PathBuf> = fs::read_dir(&folder)?
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<Result<_, _>>()?;
            files.sort();
            self.bar.inc_length(files.len() as u64);
            for file in files.into_iter().filter(|file| file.is_file() && !is_hidden(file)) {
                self.file(&file).await?;
            }
        }
        Ok(())
    }

    async fn file(&mut self, path: &Path) -> Result<()> {
        let about = fs::metadata(path)?;
        if about.len() > MOST_BYTES as u64 {
            return self.refuse(&path.display().to_string(), about.len());
        }
        let raw = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        self.message(raw, modified_at(&about)).await
    }

    async fn mbox(&mut self, path: &Path) -> Result<()> {
        let file = fs::File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let at = modified_at(&file.metadata()?);
        for entry in Mbox::new(BufReader::new(file), MOST_BYTES) {
            match entry.with_context(|| format!("{} cannot be read", path.display()))? {
                Entry::Message(raw) => self.message(raw, at).await?,
                Entry::TooLarge(size) => self.refuse(&path.display().to_string(), size)?,
            }
        }
        Ok(())
    }

    fn refuse(&mut self, what: &str, size: u64) -> Result<()> {
        self.too_large += 1;
        eprintln!("{what}: a message of {size} bytes is larger than {MOST_BYTES} and was left out");
        Ok(())
    }

    async fn message(&mut self, raw: Vec<u8>, at: Time) -> Result<()> {
        self.bar.inc(1);
        if self.batch.push(raw, at) {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        let batch = std::mem::take(&mut self.batch);
        self.done += self.import.file(batch).await?;
        Ok(())
    }
}

/// Files that begin with a dot are somebody's notes about the folder.
fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// When a file was last changed: the date of a message that has none.
fn modified_at(about: &fs::Metadata) -> Time {
    let since = about.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    Time(i64::try_from(since.as_micros()).unwrap_or(0))
}

fn is_mbox(path: &Path) -> Result<bool> {
    let mut start = [0; 5];
    let mut file = fs::File::open(path)?;
    Ok(file.read(&mut start)? == 5 && &start == b"From ")
}
