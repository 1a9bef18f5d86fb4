//! Delivers a mail as a mail server does, by LMTP (RFC 2033).

use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// Hands a mail with CRLF line ends to the server on this machine, for one recipient.
///
/// # Errors
/// When the server is not there or refuses: with what it said.
pub fn deliver(port: u16, sender: &str, recipient: &str, mail: &[u8]) -> Result<()> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).context("no LMTP server")?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    expect(&mut reader, "220")?;
    let mut say = |line: &str, answer: &str| -> Result<()> {
        writer.write_all(format!("{line}\r\n").as_bytes())?;
        expect(&mut reader, answer).with_context(|| line.to_owned())
    };
    say("LHLO mx.acme.example", "250")?;
    say(&format!("MAIL FROM:<{sender}>"), "250")?;
    say(&format!("RCPT TO:<{recipient}>"), "250")?;
    say("DATA", "354")?;
    let mut stream = reader.get_ref().try_clone()?;
    stream.write_all(&stuffed(mail))?;
    stream.write_all(b".\r\n")?;
    expect(&mut reader, "250").context("after the mail")?;
    stream.write_all(b"QUIT\r\n")?;
    Ok(())
}

/// The last line of an answer, which must begin with `code`.
fn expect(reader: &mut impl BufRead, code: &str) -> Result<()> {
    loop {
        let mut line = String::new();
        ensure!(reader.read_line(&mut line)? > 0, "the server hung up");
        ensure!(line.starts_with(code), "the server said {}", line.trim_end());
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(());
        }
    }
}

/// Lines that begin with a dot get a second one (RFC 5321 section 4.5.2).
fn stuffed(mail: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(mail.len() + 16);
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend(line);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{deliver, stuffed};
    use crate::dovecot::Dovecot;

    #[test]
    fn dots_at_line_starts_are_doubled() {
        assert_eq!(stuffed(b".a\r\nb.\r\n..\r\n"), b"..a\r\nb.\r\n...\r\n");
    }

    #[test]
    fn a_mail_is_delivered_to_a_real_dovecot() {
        let dovecot = Dovecot::start();
        let Some(port) = dovecot.lmtp_port else { panic!("install dovecot-lmtpd") };
        let mail = b"From: ann@firma.example\r\nSubject: x\r\n\r\n.\r\nlast\r\n";
        deliver(port, "ann@firma.example", "ben@acme.example", mail).unwrap();
        assert_eq!(dovecot.count("ben@acme.example", "INBOX").unwrap(), 1);
        let kept = dovecot.doveadm(&["fetch", "-u", "ben@acme.example", "text", "mailbox", "INBOX"]).unwrap();
        assert!(kept.contains("Delivered-To: ben@acme.example"), "{kept}");
        assert!(kept.lines().any(|line| line == "."), "{kept}");
    }
}
