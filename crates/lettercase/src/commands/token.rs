//! `token`: what programs sign in with.

use crate::{config::Config, open};
use anyhow::{Context, Result};
use desk::sign_in;

/// What to do with tokens.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Make a token for a user and print it; it is shown this once.
    Add(Add),
}

/// The new token.
#[derive(clap::Args)]
pub struct Add {
    /// The user whose rights it has.
    #[arg(long)]
    login: String,
    /// What it is for.
    #[arg(long, default_value = "command line")]
    name: String,
}

/// Runs the command.
pub async fn run(config: &Config, command: Command) -> Result<()> {
    let Command::Add(add) = command;
    let desk = open::desk(config).await?;
    let user = store::people::user_by_login(&mut &desk.db, &add.login).await?;
    let (user, _) = user.with_context(|| format!("there is no user with the login {}", add.login))?;
    let actor = sign_in::actor(&desk.db, user.id).await?;
    let actor = actor.with_context(|| format!("{} is switched off", add.login))?;
    let (_, token) = sign_in::add_token(&desk, &actor, &add.name).await?;
    super::say(format_args!("{token}"));
    Ok(())
}
