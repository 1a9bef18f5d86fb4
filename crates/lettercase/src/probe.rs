//! Reading a suspicious letter in a process that may die of it.
//!
//! The parent writes letters (length as eight bytes, then the bytes) to the child's standard input;
//! the child answers one byte for each it survived. One on which the child dies or hangs is the one.

use desk::mailbox::Boxed;
use desk::receive::{Probe, rehearse};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Reading any letter takes less than this, or it is as bad as dying.
const AT_MOST: Duration = Duration::from_secs(20);
/// Letters of more bytes are not taken by a child; none is fetched.
const MOST_BYTES: u64 = 256 << 20;

/// The child's side: `lettercase probe`.
pub fn child() -> ExitCode {
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut length = [0; 8];
    while input.read_exact(&mut length).is_ok() {
        let mut letter = Vec::new();
        let length = u64::from_le_bytes(length).min(MOST_BYTES);
        if input.by_ref().take(length).read_to_end(&mut letter).is_err() {
            break;
        }
        rehearse(&letter);
        if output.write_all(b".").and_then(|()| output.flush()).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}

/// The parent's side.
pub struct Processes {
    program: PathBuf,
}

impl Processes {
    /// Probes with this very program.
    pub fn of_this_program() -> std::io::Result<Processes> {
        Ok(Processes { program: std::env::current_exe()? })
    }

    fn start(&self) -> std::io::Result<Child> {
        let mut command = Command::new(&self.program);
        command
            .arg("probe")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
    }
}

impl Probe for Processes {
    fn probe<'a>(&'a self, letters: Vec<&'a [u8]>) -> Boxed<'a, Vec<Option<String>>> {
        Box::pin(async move {
            let mut child = None;
            let mut found = Vec::with_capacity(letters.len());
            for letter in letters {
                found.push(self.one(&mut child, letter).await);
            }
            found
        })
    }
}

impl Processes {
    /// Why a letter ends a process. One that was killed from outside is tried once more.
    async fn one(&self, child: &mut Option<Child>, letter: &[u8]) -> Option<String> {
        let mut reason = None;
        for _ in 0..2 {
            let running = match child.take() {
                Some(running) => Ok(running),
                None => self.start(),
            };
            let mut running = match running {
                Ok(running) => running,
                Err(error) => {
                    tracing::warn!(%error, "no process to probe letters could be started; they are trusted");
                    return None;
                }
            };
            match timeout(AT_MOST, ask(&mut running, letter)).await {
                Ok(Ok(())) => {
                    *child = Some(running);
                    return None;
                }
                Ok(Err(_)) => reason = Some(words(running.wait().await.ok())),
                Err(_) => {
                    return Some(format!(
                        "reading this message takes longer than {} seconds",
                        AT_MOST.as_secs()
                    ));
                }
            }
        }
        reason
    }
}

async fn ask(child: &mut Child, letter: &[u8]) -> std::io::Result<()> {
    let gone = || std::io::Error::other("the child has no pipes");
    let input = child.stdin.as_mut().ok_or_else(gone)?;
    input.write_all(&(letter.len() as u64).to_le_bytes()).await?;
    input.write_all(letter).await?;
    input.flush().await?;
    let output = child.stdout.as_mut().ok_or_else(gone)?;
    output.read_exact(&mut [0]).await.map(drop)
}

fn words(status: Option<ExitStatus>) -> String {
    match status.and_then(|status| status.signal()) {
        Some(signal) => format!("reading this message ends the program (signal {signal})"),
        None => "reading this message ends the program".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(program: &str, letters: &[&[u8]]) -> Vec<Option<String>> {
        let processes = Processes { program: program.into() };
        tokio::runtime::Runtime::new().unwrap().block_on(processes.probe(letters.to_vec()))
    }

    #[test]
    fn a_child_that_dies_names_the_letter_it_died_of() {
        let script = std::env::temp_dir().join(format!("lettercase-probe-{}", std::process::id()));
        let dies_of_b = "#!/bin/sh\nwhile x=$(head -c 9 | tail -c 1); [ -n \"$x\" ]; do [ $x = b ] && kill -SEGV $$; printf .; done\n";
        std::fs::write(&script, dies_of_b).unwrap();
        std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let found = probe(script.to_str().unwrap(), &[b"a", b"b", b"c"]);
        std::fs::remove_file(&script).unwrap();
        assert_eq!(found, [None, Some("reading this message ends the program (signal 11)".to_owned()), None]);
        assert_eq!(probe("/bin/false", &[b"a"]), [Some("reading this message ends the program".to_owned())]);
    }

    #[test]
    fn without_a_program_letters_are_trusted() {
        assert_eq!(probe("/nonexistent/lettercase", &[b"a", b"b"]), [None, None]);
    }
}
