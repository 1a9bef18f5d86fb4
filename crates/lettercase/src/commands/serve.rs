//! `serve`: the rounds and the doors, until somebody says stop.

use crate::config::Config;
use crate::open;
use crate::probe::Processes;
use anyhow::{Context, Result, bail};
use desk::receive::Receive;
use server::{App, Settings};
use std::fs::File;
use std::io::{IsTerminal, Read, Write};
use std::path::Path;
use std::sync::Arc;
use sync::supervisor::{Limits, Supervisor};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

/// How to serve.
#[derive(clap::Args)]
pub struct Args {
    /// Address to listen on; port 0 takes a free one. [default: 127.0.0.1:8420] [env: LETTERCASE_LISTEN]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
}

/// Runs until SIGINT or SIGTERM; then ends what is at hand and closes the database.
pub async fn run(config: Config, args: Args) -> Result<()> {
    start_log(&config)?;
    let desk = open::desk(&config).await?;
    let (_only, name) = only_one(&config.data)?;
    let address = args.listen.unwrap_or(config.listen);
    let listener = TcpListener::bind(&address).await;
    let listener = listener.with_context(|| format!("cannot listen on {address} (setting `listen`)"))?;
    let receive = Receive::new(desk.clone()).with_probe(Arc::new(Processes::of_this_program()?));
    let limits = Limits { connections_per_server: config.connections_per_server };
    let supervisor = Supervisor::named(receive, limits, name);
    let settings = Settings { secure: config.https, url: config.url.clone() };
    let app = App::new(desk.clone(), Arc::new(supervisor.clone()), settings);
    // For people and for programs that wait for it.
    super::say(format_args!("Lettercase listens on http://{}", listener.local_addr()?));

    let (stop, stopped) = watch::channel(false);
    let until = |mut stopped: watch::Receiver<bool>| async move {
        // The sender lives as long as this function; if it is gone, stopping is right too.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let rounds = tokio::spawn({
        let (supervisor, until) = (supervisor.clone(), until(stopped.clone()));
        async move { supervisor.run(until).await }
    });
    let doors = tokio::spawn(server::serve(app, listener, until(stopped)));
    told_to_stop().await?;
    tracing::info!("stopping");
    stop.send_replace(true);
    rounds.await?;
    doors.await??;
    desk.db.close().await;
    Ok(())
}

async fn told_to_stop() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Two servers on one SQLite file would make each other's rounds; a lock on a file beside it tells. The file
/// holds the name under which this folder's server has its mailboxes: after a crash it has them back at once.
fn only_one(folder: &Path) -> Result<(File, String)> {
    let path = folder.join("serving");
    let mut file = File::options().create(true).append(true).read(true).open(&path)?;
    match file.try_lock() {
        Ok(()) => {
            let mut name = String::new();
            file.read_to_string(&mut name)?;
            if name.is_empty() {
                name = desk::random::bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
                file.write_all(name.as_bytes())?;
            }
            Ok((file, name))
        }
        Err(std::fs::TryLockError::WouldBlock) => {
            bail!("another `lettercase serve` runs on the data folder {}", folder.display())
        }
        Err(std::fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("{} cannot be locked", path.display()))
        }
    }
}

fn start_log(config: &Config) -> Result<()> {
    let filter = EnvFilter::try_new(&config.log).with_context(|| {
        format!("the setting `log` is {:?}; it must be like info or info,store=debug", config.log)
    })?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match config.log_json {
        true => log.json().init(),
        false => log.init(),
    }
    Ok(())
}
