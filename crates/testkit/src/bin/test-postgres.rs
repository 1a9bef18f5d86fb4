//! `test-postgres run -- COMMAND…`: runs a command beside a throw-away PostgreSQL.
//!
//! The command finds the server's URL in `LETTERCASE_TEST_POSTGRES`. The exit code is the command's.

use anyhow::{Context, Result, bail};
use std::process::{Command, ExitCode};
use testkit::postgres::{Cluster, VARIABLE};

fn main() -> Result<ExitCode> {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    let [run, dashes, program, arguments @ ..] = words.as_slice() else { bail!(USAGE) };
    if run != "run" || dashes != "--" {
        bail!(USAGE);
    }
    let owner = std::process::id();
    let folder = std::env::temp_dir().join(format!("lettercase-test-postgres-{owner}"));
    let cluster = Cluster::start(&folder, owner)?;
    let status = Command::new(program).args(arguments).env(VARIABLE, cluster.url()).status();
    cluster.stop()?;
    let status = status.with_context(|| format!("starting {program:?}"))?;
    // A command ended by a signal has no code.
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

const USAGE: &str = "usage: test-postgres run -- COMMAND [ARGUMENT...]";
