//! Reads a whole folder and throws it away: how fast the wire is.
//!
//! `read_folder HOST PORT USER PASSWORD FOLDER [ca.pem]`; with a CA file in TLS, without in clear (loopback only).

use std::time::Instant;

use wire::imap::{FolderName, Session};
use wire::{Credentials, Server, Tls, Trust};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [host, port, user, password, folder, ca @ ..] = arguments.as_slice() else {
        return Err("read_folder HOST PORT USER PASSWORD FOLDER [ca.pem]".into());
    };
    let tls = if ca.is_empty() { Tls::None } else { Tls::Implicit };
    let mut server = Server::new(host, port.parse()?, tls);
    if let [ca, ..] = ca {
        server.trust = Trust::Only(std::fs::read(ca)?);
    }
    let mut session = Session::connect(&server, &Credentials::password(user, password)).await?;
    session.select(&FolderName::encode(folder), true).await?;
    let began = Instant::now();
    let uids = session.uid_search_from(1).await?;
    let searched = began.elapsed();
    let (mut bytes, mut mismatches) = (0, 0);
    let began = Instant::now();
    let mut fetch = session.fetch(&uids);
    while let Some(mail) = fetch.next().await? {
        bytes += mail.body.len() as u64;
        mismatches += u64::from(mail.size_mismatch);
    }
    let (messages, missing) = (fetch.delivered(), fetch.missing().len());
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{messages} messages ({missing} missing, {mismatches} of another size), {:.1} MB in {seconds:.3} s: {:.0} messages/s, {:.1} MB/s; search {searched:?}",
        bytes as f64 / 1e6,
        messages as f64 / seconds,
        bytes as f64 / 1e6 / seconds,
    );
    Ok(session.logout().await?)
}
