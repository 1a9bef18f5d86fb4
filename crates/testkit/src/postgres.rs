//! A throw-away PostgreSQL for tests: one cluster for a whole run, a new database per test.
//!
//! Where `LETTERCASE_TEST_POSTGRES` holds a server's URL (the program `test-postgres` sets it), its
//! cluster is used. Else the first test that needs one starts it: under nextest, where each test is a
//! process, for all tests of the run (found through a folder named after nextest's process), else for
//! this process. It ends with its owner, however that ends: a small watching process sees to it.
//!
//! Only programs that come with PostgreSQL are used, no driver. Settings are small; fsync stays on, as
//! in earnest.

mod cluster;

pub use cluster::Cluster;

use anyhow::{Context, Result, bail};
use std::fs::File;
use std::future::Future;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The variable with the URL of a running server, without a database's name.
pub const VARIABLE: &str = "LETTERCASE_TEST_POSTGRES";

/// `postgres://…` of the shared server, started if there is none.
pub fn server() -> Result<&'static str> {
    static SERVER: OnceLock<Result<String, String>> = OnceLock::new();
    let found = SERVER.get_or_init(|| match std::env::var(VARIABLE) {
        Ok(url) => Ok(url.trim_end_matches('/').to_owned()),
        Err(_) => shared().map_err(|error| format!("{error:#}")),
    });
    found.as_deref().map_err(|error| anyhow::anyhow!("{error}"))
}

/// The cluster of this nextest run, or of this process.
fn shared() -> Result<String> {
    let owner = match std::env::var_os("NEXTEST_RUN_ID") {
        Some(_) => std::os::unix::process::parent_id(),
        None => std::process::id(),
    };
    let folder = std::env::temp_dir().join(format!("lettercase-test-postgres-{owner}"));
    std::fs::create_dir_all(&folder)?;
    let lock = File::create(folder.join("lock"))?;
    lock.lock().context("waiting for the process that starts PostgreSQL")?;
    let noted = folder.join("url");
    if let Ok(url) = std::fs::read_to_string(&noted) {
        return Ok(url);
    }
    let cluster = Cluster::start(&folder, owner)?;
    std::fs::write(&noted, cluster.url())?;
    Ok(cluster.url())
}

/// The URL of a new, empty database.
pub fn database() -> Result<String> {
    create_database("template0")
}

/// The URL of a new copy of the database `template`. Whoever first asks creates that one with `fill`,
/// which is given its URL and must leave no connection open.
pub async fn database_like<F, R>(template: &str, fill: F) -> Result<String>
where
    F: FnOnce(String) -> R,
    R: Future<Output = Result<()>>,
{
    let known = format!("SELECT count(*) FROM pg_database WHERE datname = '{template}'");
    if psql(&known)?.trim() == "0" {
        // Renamed only when complete: half a template would fail every test after this one. Of two
        // processes that fill one at the same time, the second leaves its own unused.
        let url = database()?;
        fill(url.clone()).await?;
        let (_, name) = url.rsplit_once('/').context("a database's URL ends with its name")?;
        match patiently(&format!("ALTER DATABASE {name} RENAME TO {template}")) {
            Err(error) if !error.to_string().contains("already exists") => return Err(error),
            _ => {}
        }
    }
    create_database(template)
}

/// The URL of one of the server's databases.
pub fn url_of(name: &str) -> Result<String> {
    Ok(format!("{}/{name}", server()?))
}

fn create_database(template: &str) -> Result<String> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let since = std::time::UNIX_EPOCH.elapsed()?.as_micros();
    let name = format!("test_{}_{number}_{since}", std::process::id());
    patiently(&format!("CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'"))?;
    url_of(&name)
}

/// A template cannot be copied or renamed while a closed connection's process is still ending.
fn patiently(sql: &str) -> Result<()> {
    for _ in 0..100 {
        match psql(sql) {
            Ok(_) => return Ok(()),
            Err(error) if error.to_string().contains("is being accessed by other users") => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) => return Err(error),
        }
    }
    bail!("the template stayed in use: {sql}")
}

/// Runs one statement on the server's own database; gives its output without decoration.
pub fn psql(sql: &str) -> Result<String> {
    let url = format!("{}/postgres", server()?);
    let output = Command::new(cluster::program("psql")?)
        .args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql, &url])
        .output()?;
    if !output.status.success() {
        bail!("psql: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?)
}
