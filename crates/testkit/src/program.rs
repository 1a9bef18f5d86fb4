//! A running `lettercase serve`, ended with its value.

use crate::api::Api;
use anyhow::{Context, Result, bail, ensure};
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a start may take, migrations included.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long it may take to end by itself.
const ENDED_WITHIN: Duration = Duration::from_secs(15);

/// The program, serving. Dropping it ends it.
#[derive(Debug)]
pub struct Program {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    log: PathBuf,
}

impl Program {
    /// Starts it on a data folder and a port of this machine and waits until it answers. What it says goes
    /// to `log`.
    ///
    /// # Errors
    /// When it cannot be run, ends, or does not answer in time: with the end of its log.
    pub fn start(binary: &Path, data: &Path, port: u16, log: &Path) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let out = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = Command::new(binary);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LETTERCASE_")) {
            command.env_remove(name);
        }
        // In a group of its own, so that Ctrl+C reaches us alone and we end it when its turn has come.
        let child = command
            .args(["serve", "--data"])
            .arg(data)
            .args(["--listen", &address.to_string()])
            .env("LETTERCASE_LOG", "info")
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot run {}", binary.display()))?;
        let mut program = Self { child, address, log: log.to_owned() };
        program.await_health()?;
        Ok(program)
    }

    fn await_health(&mut self) -> Result<()> {
        let began = Instant::now();
        let mut api = Api::new(self.address);
        while began.elapsed() < READY_WITHIN {
            if let Some(status) = self.child.try_wait()? {
                bail!("lettercase ended with {status}; {}", self.last_words());
            }
            if api.get("/health").is_ok() {
                return Ok(());
            }
            sleep(Duration::from_millis(40));
        }
        bail!("lettercase does not answer at {}; {}", self.address, self.last_words())
    }

    /// Whether it has ended by itself, and how.
    ///
    /// # Errors
    /// When the system cannot say.
    pub fn ended(&mut self) -> Result<Option<String>> {
        let ended = self.child.try_wait()?;
        Ok(ended.map(|status| format!("lettercase ended with {status}; {}", self.last_words())))
    }

    fn last_words(&self) -> String {
        let said = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = said.lines().collect();
        let tail = lines[lines.len().saturating_sub(8)..].join("\n");
        format!("the end of its log {}:\n{tail}", self.log.display())
    }

    /// Process id, for measurements.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        end(&mut self.child, ENDED_WITHIN);
    }
}

/// Asks a process to end, waits, and ends it by force if it does not.
pub fn end(child: &mut Child, patience: Duration) {
    let gone = |child: &mut Child| child.try_wait().ok().flatten().is_some();
    if gone(child) {
        return;
    }
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().ok();
    let began = Instant::now();
    while began.elapsed() < patience {
        if gone(child) {
            return;
        }
        sleep(Duration::from_millis(10));
    }
    child.kill().ok();
    child.wait().ok();
}

/// The program beside the running one, or the one that `LETTERCASE_BIN` names.
///
/// # Errors
/// When it was not built.
pub fn binary() -> Result<PathBuf> {
    let path = match std::env::var_os("LETTERCASE_BIN") {
        Some(path) => PathBuf::from(path),
        None => std::env::current_exe()?.with_file_name("lettercase"),
    };
    ensure!(path.exists(), "{} is not there: build it first (cargo build -p lettercase)", path.display());
    Ok(path)
}

/// A port nobody listens on.
///
/// # Errors
/// When the system has none.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
