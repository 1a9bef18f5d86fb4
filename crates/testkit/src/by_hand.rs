//! A few words of IMAP by hand: how tests put mail into a server, and see what is there, whatever its make.
//!
//! Knows only well-behaved servers and blocks; what is tested is never this client.

use anyhow::{Context, Result, bail, ensure};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// A connection that is signed in.
#[derive(Debug)]
pub struct Hand {
    stream: BufReader<TcpStream>,
    tag: u32,
}

impl Hand {
    /// Signs in at a port of loopback, if the server asks for it.
    ///
    /// # Errors
    /// What the server said, if it refuses.
    pub fn sign_in(port: u16, user: &str, password: &str) -> Result<Hand> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let mut hand = Hand { stream: BufReader::new(stream), tag: 0 };
        let greeting = hand.line()?;
        // Courier says an ALERT first.
        if !greeting.starts_with("* PREAUTH") && !hand.command("NOOP")?.concat().contains("* PREAUTH") {
            hand.command(&format!("LOGIN {user} \"{password}\""))?;
        }
        Ok(hand)
    }

    /// Gives a command and returns the lines that came before its OK. A literal in them is one line.
    ///
    /// # Errors
    /// What the server said, if that is not OK.
    pub fn command(&mut self, command: &str) -> Result<Vec<String>> {
        let tag = self.say(command)?;
        self.answer(&tag, command)
    }

    fn say(&mut self, command: &str) -> Result<String> {
        self.tag += 1;
        let tag = format!("h{}", self.tag);
        self.stream.get_mut().write_all(format!("{tag} {command}\r\n").as_bytes())?;
        Ok(tag)
    }

    fn answer(&mut self, tag: &str, command: &str) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        loop {
            let line = self.line()?;
            match line.strip_prefix(tag) {
                Some(end) if end.starts_with(" OK") => return Ok(lines),
                Some(end) => bail!("{command}:{end}"),
                None => lines.push(line),
            }
            let literal = lines.last().and_then(|line| line.trim_end().strip_suffix('}'));
            let size = literal.and_then(|line| line.rsplit('{').next()?.parse().ok());
            if let Some(size) = size {
                let mut bytes = vec![0; size];
                self.stream.read_exact(&mut bytes)?;
                lines.push(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut bytes = Vec::new();
        self.stream.read_until(b'\n', &mut bytes)?;
        ensure!(bytes.ends_with(b"\n"), "the server closed the connection");
        Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
    }

    /// Puts a message into a folder. The name is as it goes over the wire.
    ///
    /// # Errors
    /// What the server said, if it does not want it.
    pub fn append(&mut self, folder: &str, message: impl AsRef<[u8]>) -> Result<()> {
        let message = message.as_ref();
        let tag = self.say(&format!("APPEND \"{folder}\" {{{}}}", message.len()))?;
        let go = self.line()?;
        ensure!(go.starts_with('+'), "APPEND: {go}");
        self.stream.get_mut().write_all(message)?;
        self.stream.get_mut().write_all(b"\r\n")?;
        self.answer(&tag, "APPEND").map(drop)
    }

    /// How many messages a folder has.
    ///
    /// # Errors
    /// When it is not there.
    pub fn count(&mut self, folder: &str) -> Result<u64> {
        // Not EXAMINE: Courier adds nothing to a folder that is open for reading only.
        let lines = self.command(&format!("SELECT \"{folder}\""))?;
        let exists = lines.iter().find_map(|line| line.strip_prefix("* ")?.strip_suffix(" EXISTS"));
        exists.context("no EXISTS")?.parse().context("EXISTS is no number")
    }

    /// Gives the messages of a folder other UIDs under another UIDVALIDITY: it is renamed, made again, and
    /// gets its messages back. Not for INBOX, which servers rename as they like.
    ///
    /// # Errors
    /// What the server said, if it refuses one of these.
    pub fn renumber(&mut self, folder: &str) -> Result<()> {
        let aside = format!("{folder}-aside");
        // Elsewhere, since the folder that is open cannot be renamed everywhere.
        self.command("EXAMINE INBOX")?;
        self.command(&format!("RENAME \"{folder}\" \"{aside}\""))?;
        self.command(&format!("CREATE \"{folder}\""))?;
        self.command(&format!("SELECT \"{aside}\""))?;
        self.command(&format!("UID COPY 1:* \"{folder}\""))?;
        self.command("EXAMINE INBOX")?;
        self.command(&format!("DELETE \"{aside}\"")).map(drop)
    }
}
