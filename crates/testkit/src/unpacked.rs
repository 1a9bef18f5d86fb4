//! Where `.ci/servers` unpacked the servers that cannot be installed beside Dovecot, and how they are run.

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/servers");
const READY_WITHIN: Duration = Duration::from_secs(60);

/// The root of what was unpacked.
pub(crate) fn root() -> Result<PathBuf> {
    let complete = Path::new(FOLDER).join("complete").exists();
    ensure!(complete, "Cyrus and Courier are not here; unpack them: make deps, or .ci/servers");
    Ok(fs::canonicalize(FOLDER)?)
}

/// Where programs find the libraries that were unpacked with them.
pub(crate) fn library_path(root: &Path) -> Result<String> {
    let mut folders = vec![root.join("usr/lib"), root.join("usr/lib/courier-authlib")];
    for lib in ["usr/lib", "lib"] {
        for entry in fs::read_dir(root.join(lib)).into_iter().flatten() {
            let path = entry?.path();
            if path.to_string_lossy().ends_with("-linux-gnu") {
                folders.push(path);
            }
        }
    }
    Ok(folders.iter().map(|folder| folder.to_string_lossy()).collect::<Vec<_>>().join(":"))
}

/// Free ports of loopback.
pub(crate) fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut ports = [0; N];
    // All are held until all are chosen, or the same one would be given twice.
    let mut held = Vec::new();
    for port in &mut ports {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

/// A server and all its children: a process group of its own. Dropping it ends them.
#[derive(Debug)]
pub(crate) struct Family(Child);

impl Family {
    /// Starts a program whose errors go to a file.
    pub(crate) fn start(command: &mut Command, errors: &Path) -> Result<Family> {
        let errors = fs::File::create(errors)?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).process_group(0);
        let program = command.get_program().to_owned();
        Ok(Family(command.spawn().with_context(|| format!("cannot run {}", program.display()))?))
    }

    /// Waits until `ready` says so.
    pub(crate) fn await_ready(&mut self, ready: impl Fn() -> bool) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < READY_WITHIN {
            if let Some(status) = self.0.try_wait()? {
                bail!("it ended with {status}");
            }
            if ready() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(30));
        }
        bail!("it gave no greeting in time")
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status().ok();
        self.0.wait().ok();
    }
}
