//! `user`: people who sign in.

use crate::{config::Config, open};
use anyhow::{Context, Result};
use desk::may::Actor;
use desk::people::{self, BUILT_IN_ROLES, Language, NewUser};
use std::path::PathBuf;

/// What to do with users.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Add a user.
    Add(Add),
}

/// The new user.
#[derive(clap::Args)]
pub struct Add {
    /// What they type to sign in.
    #[arg(long)]
    login: String,
    /// Their name as others see it; the login if none.
    #[arg(long)]
    name: Option<String>,
    /// A file whose first line is their password, or - for standard input.
    #[arg(long, value_name = "FILE")]
    password_file: PathBuf,
    /// They set up mailboxes, people and roles, and see everything.
    #[arg(long)]
    administrator: bool,
    /// Their role otherwise: Lead, Agent, "Own mail" or "No mail".
    #[arg(long, conflicts_with = "administrator")]
    role: Option<String>,
    /// Language of their interface: en, cs, sk or pl.
    #[arg(long, default_value = "en")]
    language: String,
    /// A mail address of theirs; may be given several times.
    #[arg(long, value_name = "ADDRESS")]
    address: Vec<String>,
    /// A team they are in, made if new; may be given several times.
    #[arg(long, value_name = "NAME")]
    team: Vec<String>,
}

/// Runs the command.
pub async fn run(config: &Config, command: Command) -> Result<()> {
    let Command::Add(add) = command;
    let desk = open::desk(config).await?;
    let language = Language::of(&add.language).context("--language must be en, cs, sk or pl")?;
    let mut new = NewUser {
        name: add.name.unwrap_or_else(|| add.login.clone()),
        login: add.login,
        password: super::password_of(&add.password_file)?,
        language,
        role: None,
        addresses: add.address,
        teams: Vec::new(),
    };
    let machine = Actor::machine();
    for team in &add.team {
        new.teams.push(people::team_named(&desk, &machine, team).await?);
    }
    let role = if add.administrator { Some(BUILT_IN_ROLES[0].0.to_owned()) } else { add.role };
    if let Some(role) = role {
        new.role = Some(people::role_named(&desk, &machine, &role).await?);
    }
    let user = people::add_user(&desk, &machine, new).await?;
    super::say(format_args!("{} ({}) is user {}", user.name, user.login, user.id));
    Ok(())
}
