//! Names that one node holds at a time: advisory locks of connections of their own.
//!
//! The server gives a lock back when its connection ends, also by kill -9. A connection from the pool for
//! writing would keep others from writing for as long as a mail server takes.

use super::connect::Server;
use super::statement::error;
use crate::sql::Error;
use std::time::Duration;
use tokio_postgres::Client;

/// A name that is held. The connection ends with its client.
pub struct Held {
    _client: Client,
}

/// Waits until nobody else holds the name.
pub(super) async fn hold(server: &Server, name: i64, wait: Duration) -> Result<Held, Error> {
    let connected = server.config.connect(server.tls.clone()).await;
    let (client, connection) = connected.map_err(|failure| error(&failure, "connect"))?;
    tokio::spawn(async move {
        if let Err(failure) = connection.await {
            tracing::warn!(error = %failure, "a connection that held a name was lost");
        }
    });
    let sql = "SELECT pg_advisory_lock($1)";
    match tokio::time::timeout(wait, client.execute(sql, &[&name])).await {
        Ok(locked) => locked.map_err(|failure| error(&failure, sql))?,
        Err(_) => return Err(Error::Busy("another node holds it".into())),
    };
    Ok(Held { _client: client })
}
