//! A certificate authority of one server, made with the `openssl` program.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Makes `cert.pem` and `key.pem` for localhost in `dir`, unless they are there, and gives the authority's PEM.
pub(crate) fn make(dir: &Path, expired: bool) -> Result<Vec<u8>> {
    let ca = dir.join("ca.pem");
    if !(ca.exists() && dir.join("cert.pem").exists()) {
        fs::write(
            dir.join("san"),
            "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\n",
        )?;
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        let authority = [
            "req",
            "-x509",
            "-days",
            "3650",
            "-subj",
            "/CN=Lettercase test authority",
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
        ];
        openssl(dir, &[&authority[..], &key[..]].concat())?;
        let request = ["req", "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "request"];
        openssl(dir, &[&request[..], &key[..]].concat())?;
        let days = if expired { "-1" } else { "3650" };
        let sign = ["x509", "-req", "-days", days, "-in", "request", "-CA", "ca.pem", "-CAkey", "ca.key"];
        openssl(dir, &[&sign[..], &["-CAcreateserial", "-extfile", "san", "-out", "cert.pem"]].concat())?;
    }
    fs::read(&ca).with_context(|| format!("cannot read {}", ca.display()))
}

fn openssl(dir: &Path, arguments: &[&str]) -> Result<()> {
    let output = Command::new("openssl").current_dir(dir).args(arguments).stdin(Stdio::null()).output();
    let output = output.context("cannot run openssl; install it: apt-get install -y openssl")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "openssl {}: {said}", arguments.join(" "));
    Ok(())
}
