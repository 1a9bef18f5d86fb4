//! Starts and stops a PostgreSQL cluster in a folder.

use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Another program may take the free port between the question and the start.
const ATTEMPTS: usize = 3;
const STOP_WAIT: Duration = Duration::from_secs(60);

/// Small, so that several runs fit on one machine.
const SETTINGS: &str = "-c listen_addresses=127.0.0.1 -c shared_buffers=32MB -c max_connections=100 \
     -c max_wal_size=256MB -c jit=off -c timezone=UTC -c fsync=on";

/// Ends the server once the owner is gone, then removes the folder. `$1` owner, `$2` folder.
const WATCH: &str = r#"
while kill -0 "$1" 2>/dev/null && [ -d "$2/data" ]; do sleep 1; done
server=$(head -n 1 "$2/data/postmaster.pid" 2>/dev/null)
[ -n "$server" ] && kill -QUIT "$server" 2>/dev/null
tries=0
while [ -n "$server" ] && kill -0 "$server" 2>/dev/null && [ $tries -lt 20 ]; do
  sleep 1
  tries=$((tries + 1))
done
rm -rf "$2"
"#;

/// A running cluster. It is *not* stopped when dropped, because other processes may use it: it ends
/// with its owner, or by [`Cluster::stop`].
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    port: u16,
}

impl Cluster {
    /// Creates a cluster in `folder` (which is removed at the end) and starts it. It ends when the
    /// process `owner` ends.
    pub fn start(folder: &Path, owner: u32) -> Result<Cluster> {
        let user = User::for_server(folder)?;
        let data = folder.join("data");
        fs::create_dir_all(folder)?;
        chown(folder, Some(user.uid), Some(user.gid)).context("giving the folder to the server's user")?;
        if data.exists() {
            fs::remove_dir_all(&data)?;
        }
        let mut initdb = user.command("initdb", folder)?;
        initdb.args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-N", "-D"]);
        run(initdb.arg(&data), folder)?;
        watch(folder, owner)?;
        certify(&user, &data, folder)?;
        let start = || start_server(&user, folder);
        let port = (1..ATTEMPTS).find_map(|_| start().ok()).map_or_else(start, Ok)?;
        Ok(Cluster { folder: folder.to_owned(), port })
    }

    /// `postgres://…` without a database's name.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}", self.port)
    }

    /// Ends the server at once and waits until it is gone. Its data go with it: writing them down first (a fast
    /// shutdown) took longer than the wait on a busy disk.
    pub fn stop(self) -> Result<()> {
        let pid_file = self.folder.join("data/postmaster.pid");
        let noted = fs::read_to_string(&pid_file)?;
        let pid = noted.lines().next().context("postmaster.pid is empty")?;
        run(Command::new("kill").args(["-QUIT", pid]), &self.folder)?;
        let since = Instant::now();
        while pid_file.exists() {
            ensure!(since.elapsed() < STOP_WAIT, "PostgreSQL (process {pid}) does not end");
            std::thread::sleep(Duration::from_millis(50));
        }
        fs::remove_dir_all(&self.folder)?;
        Ok(())
    }
}

fn watch(folder: &Path, owner: u32) -> Result<()> {
    Command::new("sh")
        .args(["-c", WATCH, "watch", &owner.to_string()])
        .arg(folder)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    Ok(())
}

/// Gives the server a certificate for 127.0.0.1 that only it itself vouches for. Without the program
/// `openssl` the server goes without.
fn certify(user: &User, data: &Path, folder: &Path) -> Result<()> {
    const REQUEST: &str = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
         -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 \
         -addext basicConstraints=critical,CA:FALSE -keyout server.key -out server.crt";
    let Ok(mut openssl) = user.command("openssl", data) else {
        return Ok(());
    };
    run(openssl.args(REQUEST.split_whitespace()), folder)?;
    let mut settings = fs::OpenOptions::new().append(true).open(data.join("postgresql.conf"))?;
    writeln!(settings, "ssl = on\nssl_cert_file = '{}'", data.join("server.crt").display())?;
    Ok(())
}

/// Starts the server on a port that is free now; gives the port.
fn start_server(user: &User, folder: &Path) -> Result<u16> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let settings = format!("-p {port} -k {} {SETTINGS}", folder.display());
    let mut start = user.command("pg_ctl", folder)?;
    start.args(["-w", "-t", "60", "-o", &settings, "-l"]).arg(folder.join("log"));
    run(start.arg("-D").arg(folder.join("data")).arg("start"), folder)?;
    Ok(port)
}

/// Runs a program to its end. Its words go to a file: a pipe would be inherited by the server and
/// never end.
fn run(command: &mut Command, folder: &Path) -> Result<()> {
    let words = folder.join("programs.log");
    let file = fs::OpenOptions::new().create(true).append(true).open(&words)?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let status = command.status().with_context(|| format!("{:?}", command.get_program()))?;
    if !status.success() {
        let read = |file: PathBuf| fs::read_to_string(file).unwrap_or_default();
        let (words, log) = (read(words), read(folder.join("log")));
        bail!("{:?} ended with {status}\n{words}\n{log}", command.get_program());
    }
    Ok(())
}

/// Whom the server runs as: PostgreSQL refuses root.
struct User {
    uid: u32,
    gid: u32,
    root: bool,
}

impl User {
    fn for_server(folder: &Path) -> Result<User> {
        fs::create_dir_all(folder)?;
        let me = fs::metadata("/proc/self")?;
        if me.uid() != 0 {
            return Ok(User { uid: me.uid(), gid: me.gid(), root: false });
        }
        let users = fs::read_to_string("/etc/passwd")?;
        let find = |name: &str| {
            let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
            let mut fields = line.split(':').skip(2).map(str::parse);
            Some((fields.next()?.ok()?, fields.next()?.ok()?))
        };
        let found = find("postgres").or_else(|| find("nobody"));
        let (uid, gid) = found.context("no user `postgres` or `nobody` to run PostgreSQL as")?;
        Ok(User { uid, gid, root: true })
    }

    fn command(&self, name: &str, folder: &Path) -> Result<Command> {
        let mut command = Command::new(program(name)?);
        command.current_dir(folder).env_remove("PGDATA");
        if self.root {
            command.uid(self.uid).gid(self.gid);
        }
        Ok(command)
    }
}

/// The path of one of PostgreSQL's programs: the newest version where Debian puts them, else where
/// `PATH` says.
pub(super) fn program(name: &str) -> Result<PathBuf> {
    let version = |path: &PathBuf| -> Option<u32> { path.file_name()?.to_str()?.parse().ok() };
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = debian.map(|entry| entry.path()).filter(|path| version(path).is_some()).max_by_key(version);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = newest.map(|path| path.join("bin")).into_iter().chain(std::env::split_paths(&path));
    for folder in folders {
        let file = folder.join(name);
        if file.is_file() {
            return Ok(file);
        }
    }
    bail!("{name} is not installed; these tests need PostgreSQL (Debian package `postgresql`)")
}
