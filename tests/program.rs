//! The program as its operator has it: a data folder, a database, commands.

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};
use store::sql::Db;
use testkit::dovecot::Dovecot;
use testkit::folder::Folder;

/// One installation.
pub struct Program {
    data: Folder,
    database: Option<String>,
}

/// A running `lettercase serve`; killed when dropped.
pub struct Serving {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Program {
    pub fn on_sqlite() -> Program {
        Program { data: Folder::new().unwrap(), database: None }
    }

    pub fn on_postgres() -> Program {
        Program { data: Folder::new().unwrap(), database: Some(testkit::postgres::database().unwrap()) }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lettercase"));
        command.env("LETTERCASE_DATA", self.data.path()).args(arguments).stdin(Stdio::null());
        if let Some(url) = &self.database {
            command.env("LETTERCASE_DATABASE", url);
        }
        command
    }

    /// Runs a command, whatever becomes of it.
    pub fn try_run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command that must succeed, and gives what it prints.
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = self.try_run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "lettercase {arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(arguments)).unwrap()
    }

    /// Writes a file into the data folder and gives its path.
    pub fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.data.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Connects a group mailbox that makes cases.
    pub fn connect(&self, dovecot: &Dovecot, user: &str, address: &str, more: &[&str]) {
        self.connect_at(dovecot.imap_port, &dovecot.password, user, address, more);
    }

    /// The same, of a server at a port of this machine.
    pub fn connect_at(&self, port: u16, password: &str, user: &str, address: &str, more: &[&str]) {
        let password = self.file("password", password.as_bytes());
        let url = format!("imap://{user}@127.0.0.1:{port}");
        let mut arguments =
            vec!["mailbox", "add", "--group", "--address", address, "--imap", &url, "--tls", "none"];
        arguments.extend(["--password-file", &password, "--folder", "INBOX", "--active"]);
        if !more.contains(&"--process") {
            arguments.extend(["--process", "Helpdesk", "--team", "Support"]);
        }
        arguments.extend(more);
        self.run(&arguments);
    }

    pub fn serve(&self) -> Serving {
        self.serve_with(&[])
    }

    /// Serves with more in the environment.
    pub fn serve_with(&self, environment: &[(&str, &str)]) -> Serving {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.envs(environment.iter().copied());
        self.spawn(command)
    }

    /// Serves while a system call fails as ordered, such as `fsync:error=EIO:when=3`.
    pub fn serve_under_strace(&self, order: &str) -> Serving {
        let serve = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        let name = order.split(':').next().unwrap();
        let mut command = Command::new("strace");
        // With -D the program is our child, and the tracer goes when it goes.
        command.args([
            "-D",
            "-f",
            "-qq",
            "-e",
            &format!("trace={name}"),
            "-e",
            &format!("inject={order}"),
            "-o",
        ]);
        command.arg(self.data.path().join("strace")).arg(serve.get_program()).args(serve.get_args());
        command.envs(serve.get_envs().filter_map(|(name, value)| Some((name, value?)))).stdin(Stdio::null());
        self.spawn(command)
    }

    /// Which calls were made under strace, and which of them it made fail.
    pub fn strace_log(&self) -> String {
        std::fs::read_to_string(self.data.path().join("strace")).unwrap_or_default()
    }

    fn spawn(&self, mut command: Command) -> Serving {
        let log =
            std::fs::File::options().create(true).append(true).open(self.data.path().join("log")).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Serving { child, out }
    }

    /// What `serve` logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join("log")).unwrap_or_default()
    }

    /// Waits until nothing is left to be fetched or filed and `total` messages were seen.
    pub fn wait_for(&self, total: i64) {
        let began = Instant::now();
        loop {
            let ledger = self.json(&["ledger", "--json"]);
            let sum = |key: &str| {
                ledger.as_array().unwrap().iter().map(|row| row[key].as_i64().unwrap()).sum::<i64>()
            };
            if sum("seen") >= total && sum("difference") == 0 && sum("waiting") == 0 {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(180), "not done in time: {ledger}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// The database itself, to look what really is there.
    pub fn look<T>(&self, sql: &str, read: impl Fn(&store::sql::Row) -> T) -> Vec<T> {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let db = match &self.database {
                Some(url) => Db::open_postgres(url, Default::default()).await.unwrap(),
                None => Db::open_sqlite(&self.data.path().join("lettercase.db"), Default::default())
                    .await
                    .unwrap(),
            };
            let rows = db.query(sql, store::params![]).await.unwrap();
            let found = rows.iter().map(read).collect();
            db.close().await;
            found
        })
    }

    pub fn count(&self, sql: &str) -> i64 {
        self.look(sql, |row| row.get::<i64>(0).unwrap())[0]
    }
}

impl Serving {
    /// The address it says it listens on.
    pub fn url(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line.trim().rsplit(' ').next().unwrap().to_owned()
    }

    /// Waits until it has ended by itself, and says how; `None` if it does not.
    pub fn ended(&mut self, within: Duration) -> Option<ExitStatus> {
        let began = Instant::now();
        loop {
            let ended = self.child.try_wait().unwrap();
            if ended.is_some() || began.elapsed() >= within {
                return ended;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; it must end in order.
    pub fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg(&pid).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            // Nothing can be done about a process that cannot be killed.
            let _ = self.child.kill().and_then(|()| self.child.wait());
        }
    }
}

/// Each function becomes two tests, one on each database.
#[macro_export]
macro_rules! on_both_programs {
    ($($(#[$meta:meta])* fn $name:ident($program:ident) $body:block)*) => { $(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            fn body($program: &$crate::program::Program) $body
            #[test]
            fn sqlite() {
                body(&$crate::program::Program::on_sqlite());
            }
            #[test]
            fn postgres() {
                body(&$crate::program::Program::on_postgres());
            }
        }
    )* };
}
