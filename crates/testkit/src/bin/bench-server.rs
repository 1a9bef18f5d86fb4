//! `bench-server DIR`: a Dovecot for `make bench`, with its mail below DIR, until standard input closes.
//!
//! Says one line of JSON when it listens: `{"dir","port","password","pid"}`. The measuring program puts
//! Maildir folders to `DIR/mail/USER/Maildir`, owned by the user id that owns `DIR/mail`.

use anyhow::{Context, Result};
use serde_json::json;
use testkit::dovecot::{Dovecot, Options};

fn main() -> Result<()> {
    let dir = std::env::args_os().nth(1).context("usage: bench-server DIR")?;
    let options = Options { base_dir: Some(dir.into()), ..Options::default() };
    let dovecot = Dovecot::try_start(&options)?;
    let pid = dovecot.pid();
    println!(
        "{}",
        json!({"dir": dovecot.dir, "port": dovecot.imap_port, "password": dovecot.password, "pid": pid})
    );
    // Whatever ends the input ends the server.
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).ok();
    dovecot.stop();
    Ok(())
}
