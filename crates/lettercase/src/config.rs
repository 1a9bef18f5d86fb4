//! Configuration: the command line, over the environment (`LETTERCASE_*`), over `lettercase.toml`.
//!
//! A key nobody knows is an error that names it: a misspelt setting that is silently ignored is found
//! out when it is too late.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::path::PathBuf;

/// Where the data is; the same for all commands.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Place {
    /// Folder of the data: database, key file. [default: ./lettercase-data] [env: LETTERCASE_DATA]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// postgres://USER:PASSWORD@HOST/NAME instead of SQLite in the data folder. [env: LETTERCASE_DATABASE]
    #[arg(long, global = true, value_name = "URL")]
    pub database: Option<String>,
    /// Configuration file. [default: DIR/lettercase.toml where it is there] [env: LETTERCASE_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Everything that can be configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Folder of the data.
    pub data: PathBuf,
    /// URL of a PostgreSQL database; SQLite in `data` if none.
    pub database: Option<String>,
    /// Address to listen on.
    pub listen: String,
    /// The browser reaches us by https (a proxy in front ends TLS): cookies are marked so.
    pub https: bool,
    /// Where browsers reach us, as `https://mail.acme.example`: providers send them back there.
    pub url: Option<String>,
    /// What is logged, as `info` or `info,store=debug`.
    pub log: String,
    /// Log lines as JSON.
    pub log_json: bool,
    /// Connections to one mail server at most.
    pub connections_per_server: usize,
}

/// The file; every key may be missing, no other may be there.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    data: Option<PathBuf>,
    database: Option<String>,
    listen: Option<String>,
    https: Option<bool>,
    url: Option<String>,
    log: Option<String>,
    log_json: Option<bool>,
    connections_per_server: Option<usize>,
}

/// Reads the configuration from everywhere it may come from.
pub fn read(place: Place) -> Result<Config> {
    combine(place, std::env::vars().filter(|(name, _)| name.starts_with("LETTERCASE_")))
}

fn combine(place: Place, env: impl Iterator<Item = (String, String)>) -> Result<Config> {
    let (env, config) = from_env(env)?;
    let data = place.data.clone().or(env.data.clone());
    let file = from_file(place.config.or(config), data.as_ref())?;
    let data = data.or(file.data).unwrap_or_else(|| PathBuf::from("lettercase-data"));
    Ok(Config {
        data,
        database: place.database.or(env.database).or(file.database),
        listen: env.listen.or(file.listen).unwrap_or_else(|| "127.0.0.1:8420".into()),
        https: env.https.or(file.https).unwrap_or(false),
        url: env.url.or(file.url).map(|url| url.trim_end_matches('/').to_owned()),
        log: env.log.or(file.log).unwrap_or_else(|| "info".into()),
        log_json: env.log_json.or(file.log_json).unwrap_or(false),
        connections_per_server: env.connections_per_server.or(file.connections_per_server).unwrap_or(10),
    })
}

fn from_env(env: impl Iterator<Item = (String, String)>) -> Result<(Keys, Option<PathBuf>)> {
    let (mut keys, mut config) = (Keys::default(), None);
    for (name, value) in env {
        match name.as_str() {
            "LETTERCASE_CONFIG" => config = Some(value.into()),
            "LETTERCASE_DATA" => keys.data = Some(value.into()),
            "LETTERCASE_DATABASE" => keys.database = Some(value),
            "LETTERCASE_LISTEN" => keys.listen = Some(value),
            "LETTERCASE_HTTPS" => keys.https = Some(truth(&name, &value)?),
            "LETTERCASE_URL" => keys.url = Some(value),
            "LETTERCASE_LOG" => keys.log = Some(value),
            "LETTERCASE_LOG_JSON" => keys.log_json = Some(truth(&name, &value)?),
            "LETTERCASE_CONNECTIONS_PER_SERVER" => {
                let number =
                    value.parse().with_context(|| format!("{name} is {value:?}; it must be a number"))?;
                keys.connections_per_server = Some(number);
            }
            // What our own tests, demo and bench tell each other.
            name if ["TEST_", "E2E_", "DEMO_", "BENCH_"]
                .iter()
                .any(|own| name["LETTERCASE_".len()..].starts_with(own)) => {}
            "LETTERCASE_BIN" | "LETTERCASE_CORPORA" => {}
            // Where tests end the program (`store::point`); in a release they are nothing, and refused.
            "LETTERCASE_FAIL_POINT" | "LETTERCASE_POINT_LOG" if cfg!(debug_assertions) => {}
            _ => bail!(
                "the environment sets {name}, which is no setting of Lettercase: remove it or correct its name"
            ),
        }
    }
    Ok((keys, config))
}

fn truth(name: &str, value: &str) -> Result<bool> {
    match value {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => bail!("{name} is {value:?}; it must be true or false"),
    }
}

fn from_file(named: Option<PathBuf>, data: Option<&PathBuf>) -> Result<Keys> {
    let beside = data.cloned().unwrap_or_else(|| PathBuf::from("lettercase-data")).join("lettercase.toml");
    let path = match named {
        Some(path) => path,
        None if beside.exists() => beside,
        None => return Ok(Keys::default()),
    };
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("the configuration {} cannot be read", path.display()))?;
    toml::from_str(&text).with_context(|| format!("the configuration {} is wrong", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
        pairs
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect::<Vec<_>>()
            .into_iter()
    }

    #[test]
    fn command_line_beats_environment_beats_default() {
        let place = Place { data: Some("/a".into()), ..Place::default() };
        let config =
            combine(place, env(&[("LETTERCASE_DATA", "/b"), ("LETTERCASE_LISTEN", "[::1]:9")])).unwrap();
        assert_eq!((config.data, config.listen.as_str(), config.https), ("/a".into(), "[::1]:9", false));
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        let wrong = combine(Place::default(), env(&[("LETTERCASE_DATABSE", "x")])).unwrap_err();
        assert!(wrong.to_string().contains("LETTERCASE_DATABSE"), "{wrong}");
        let wrong = toml::from_str::<Keys>("databse = 'x'").unwrap_err();
        assert!(wrong.to_string().contains("databse"), "{wrong}");
        let wrong = combine(Place::default(), env(&[("LETTERCASE_HTTPS", "yes")])).unwrap_err();
        assert!(wrong.to_string().contains("true or false"), "{wrong}");
    }
}
