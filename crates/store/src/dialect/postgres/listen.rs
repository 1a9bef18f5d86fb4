//! Hears of the commits of all nodes, on a connection of its own.

use super::connect::Server;
use futures_util::{StreamExt, stream};
use std::pin::pin;
use std::time::Duration;
use tokio::sync::watch;
use tokio_postgres::AsyncMessage;

/// What a transaction that others want to hear of ends with. The server delivers the notification
/// only if the commit succeeds.
pub(super) const NOTIFY_AND_COMMIT: &str = "NOTIFY lettercase; COMMIT";

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Listens until the task is aborted; a lost connection is made again, ever more patiently.
pub(super) async fn listen(server: Server, signal: watch::Sender<u64>) {
    let mut pause = FIRST_PAUSE;
    loop {
        if let Err(error) = hear(&server, &signal, &mut pause).await {
            tracing::warn!(%error, pause_s = pause.as_secs_f32(), "not hearing of changes by other nodes");
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn hear(
    server: &Server,
    signal: &watch::Sender<u64>,
    pause: &mut Duration,
) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = server.config.connect(server.tls.clone()).await?;
    let mut messages = pin!(stream::poll_fn(move |context| connection.poll_message(context)));
    let mut listening = pin!(client.batch_execute("LISTEN lettercase"));
    let mut ready = false;
    loop {
        tokio::select! {
            result = &mut listening, if !ready => {
                result?;
                (ready, *pause) = (true, FIRST_PAUSE);
                // Whatever happened while nobody listened.
                signal.send_modify(|number| *number += 1);
            }
            message = messages.next() => match message {
                Some(Ok(AsyncMessage::Notification(_))) => signal.send_modify(|number| *number += 1),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            }
        }
    }
}
