//! Trying outgoing settings: signs in and hands one mail over.

use crate::source::{credentials, reach, tls};
use crate::test::Lines;
use crate::trouble;
use desk::mailbox::{TestOutcome, Trouble, steps};
use desk::sending::{OutgoingMail, SendingLogin};
use std::sync::Arc;
use std::time::Duration;
use wire::smtp::{Ending, Envelope, Session};
use wire::{ConnectError, Server, Stage};

/// A test ends after this long, whatever the server does.
const AT_MOST: Duration = Duration::from_secs(60);
/// Servers check a mail before they take it; a test does not wait longer.
const FOR_THE_ANSWER: Duration = Duration::from_secs(45);

/// The server of an outgoing login.
pub(crate) fn server_of(login: &SendingLogin) -> Server {
    let mut server = Server::new(&login.host, login.port, tls(login.tls));
    server.reach = reach(login.reach);
    server
}

/// Tries a login with a real mail. Saves nothing.
pub async fn test(login: SendingLogin, mail: OutgoingMail) -> TestOutcome {
    let log = Arc::new(Lines::default());
    let server = server_of(&login).with_log(log.clone());
    let trouble = match tokio::time::timeout(AT_MOST, send(&server, &login, mail)).await {
        Ok(Ok(())) => None,
        Ok(Err(trouble)) => Some(trouble),
        Err(_) => Some(unanswered(&login, "timeout", "the server did not finish answering within a minute")),
    };
    let steps = steps(login.tls, "send", trouble.as_ref());
    TestOutcome { steps, log: log.take(), trouble, ..TestOutcome::default() }
}

async fn send(server: &Server, login: &SendingLogin, mail: OutgoingMail) -> Result<(), Trouble> {
    let account = login.account.as_ref().map(|(user, credential)| credentials(user, credential));
    let connected = Session::connect(server, account.as_ref()).await;
    let mut session = connected.map_err(|error| trouble::of_connection(&error))?;
    session.set_end_patience(FOR_THE_ANSWER);
    let envelope = Envelope { from: mail.from, to: mail.to };
    let said = session.transmit(&envelope, &mail.raw).await;
    said.map_err(|error| at_sending(&error.told(server)))?;
    match session.end().await {
        Ending::Accepted(_) => {
            session.quit().await;
            Ok(())
        }
        Ending::Refused(reply) => {
            Err(at_sending(&wire::smtp::SendError::Refused { stage: Stage::Data, reply }.told(server)))
        }
        Ending::Ambiguous(why) => Err(unanswered(login, "send_unanswered", &why)),
    }
}

/// All of handing over is one step to whoever looks.
fn at_sending(error: &ConnectError) -> Trouble {
    Trouble { stage: "send".into(), ..trouble::of_connection(error) }
}

fn unanswered(login: &SendingLogin, code: &str, why: &str) -> Trouble {
    let message = format!("{} did not say whether it took the mail ({why}).", login.host);
    let remedy = "Look whether the test mail arrived; if it did, sending works and the server is slow.";
    Trouble::new("send", code, message, remedy)
        .with("host", &login.host)
        .with("port", login.port)
        .with("said", why)
}
