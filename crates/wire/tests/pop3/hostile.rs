//! Servers that break the rules.

use std::sync::Arc;
use std::time::Duration;

use testkit::scripted::{Play, Step};
use wire::pop3::{ProtocolError, Quit, Session, SessionError};
use wire::{ConnectError, ConnectErrorKind as Kind, Credentials, Server, Stage, Timeouts, Tls};

use crate::Lines;

fn say(text: &str) -> Step {
    Step::Say(text.into())
}

fn server(play: &Play, tls: Tls) -> Server {
    let mut server = Server::new("127.0.0.1", play.address.port(), tls);
    server.timeouts = Timeouts { connect: Duration::from_secs(5), reply: Duration::from_millis(400) };
    server
}

fn ann() -> Credentials {
    Credentials::password("ann", "pw-secret")
}

/// A server without CAPA that lets everybody in, and then does this.
async fn after_login(steps: Vec<Step>) -> Play {
    let mut all = vec![
        say("+OK ready\r\n"),
        Step::Hear("CAPA"),
        say("-ERR what\r\n"),
        Step::Hear("USER ann"),
        say("+OK\r\n"),
        Step::Hear("PASS pw-secret"),
        say("+OK in\r\n"),
    ];
    all.extend(steps);
    Play::start(all).await.unwrap()
}

async fn refused(steps: Vec<Step>) -> ConnectError {
    let play = Play::start(steps).await.unwrap();
    match Session::connect(&server(&play, Tls::None), &ann()).await {
        Ok(_) => panic!("connected"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn what_is_no_pop3_server_is_told_with_no_more_than_a_few_of_its_words() {
    let greetings = [
        "* OK [CAPABILITY IMAP4rev1] ready\r\n",
        "220 mx.firma.example ESMTP\r\n",
        "HTTP/1.1 400 Bad\r\n\r\n",
    ];
    for greeting in greetings {
        let error = refused(vec![say(greeting), Step::Hang]).await;
        assert_eq!((error.stage, error.kind), (Stage::Greeting, Kind::NotMailServer), "{error:?}");
        assert!(error.message.len() < 300);
    }
    let silent = refused(vec![Step::Hang]).await;
    assert_eq!((silent.stage, silent.kind), (Stage::Greeting, Kind::Timeout));
    let closed = refused(vec![]).await;
    assert_eq!((closed.stage, closed.kind), (Stage::Greeting, Kind::Closed));
    let unwilling = refused(vec![say("-ERR [SYS/TEMP] come back\r\n"), Step::Hang]).await;
    assert_eq!((unwilling.stage, unwilling.kind), (Stage::Greeting, Kind::Unavailable));
}

#[tokio::test]
async fn lines_without_end_are_cut_off() {
    let error = refused(vec![Step::SayForever(b"+OK ".to_vec())]).await;
    assert_eq!((error.stage, error.kind), (Stage::Greeting, Kind::Protocol), "{error:?}");
    let error = refused(vec![
        say("+OK\r\n"),
        Step::Hear("CAPA"),
        say("+OK\r\n"),
        Step::SayForever(b"X-MORE\r\n".to_vec()),
    ])
    .await;
    assert_eq!((error.stage, error.kind), (Stage::Greeting, Kind::Protocol), "{error:?}");
    let play =
        after_login(vec![Step::Hear("UIDL"), say("+OK\r\n"), Step::SayForever(b"1 abc\r\n".to_vec())]).await;
    let mut session = Session::connect(&server(&play, Tls::None), &ann()).await.unwrap();
    let error = session.uidl().await.unwrap_err();
    assert_eq!(error, SessionError::Protocol(ProtocolError::TooLong(16 << 20)));
    assert_eq!(session.ended(), Some(&error));
}

#[tokio::test]
async fn a_message_without_end_takes_no_memory_beyond_the_limit_and_is_given_up() {
    let line = b"and so on and so on\r\n".to_vec();
    let play = after_login(vec![Step::Hear("RETR 1"), say("+OK\r\n"), Step::SayForever(line)]).await;
    let mut server = server(&play, Tls::None);
    server.limits.message_bytes = 100_000;
    let mut session = Session::connect(&server, &ann()).await.unwrap();
    let error = session.retrieve([1]).next().await.unwrap_err();
    assert_eq!(error, SessionError::Protocol(ProtocolError::Endless(2_000_000)));
}

#[tokio::test]
async fn a_server_that_drips_or_falls_silent_in_a_message_is_given_up_and_the_message_is_named() {
    let drip = Step::Drip(b"x\r\n".to_vec(), Duration::from_millis(100));
    let play = after_login(vec![Step::Hear("RETR 7"), say("+OK\r\n"), drip]).await;
    let mut session = Session::connect(&server(&play, Tls::None), &ann()).await.unwrap();
    let error = session.retrieve([7]).next().await.unwrap_err();
    assert!(matches!(error, SessionError::Timeout { number: Some(7), .. }), "{error:?}");
    let play = after_login(vec![Step::Hear("RETR 7"), say("+OK\r\nhalf\r\n.\r"), Step::Hang]).await;
    let mut session = Session::connect(&server(&play, Tls::None), &ann()).await.unwrap();
    let error = session.retrieve([7]).next().await.unwrap_err();
    assert!(matches!(error, SessionError::Timeout { number: Some(7), .. }), "{error:?}");
}

#[tokio::test]
async fn a_list_of_half_a_million_ids_is_one_answer_and_one_with_a_line_that_is_none_is_no_list() {
    let mut list = String::from("+OK\r\n");
    for number in 1..=500_000 {
        list += &format!("{number} {number:016x}\r\n");
    }
    list += ".\r\n";
    let steps = vec![
        Step::Hear("UIDL"),
        Step::Bytes(list.into_bytes()),
        Step::Hear("UIDL"),
        say("+OK\r\n1 a\r\nwhat\r\n.\r\n"),
        Step::Hang,
    ];
    let play = after_login(steps).await;
    let mut session = Session::connect(&server(&play, Tls::None), &ann()).await.unwrap();
    let ids = session.uidl().await.unwrap();
    assert_eq!((ids.len(), ids[499_999].0), (500_000, 500_000));
    let error = session.uidl().await.unwrap_err();
    assert_eq!(error, SessionError::Protocol(ProtocolError::Unexpected("UIDL")));
}

#[tokio::test]
async fn p3_p4_the_answer_to_quit_is_told_as_it_is() {
    let ends = [("+OK bye\r\n", "updated"), ("-ERR [SYS/PERM] some left\r\n", "refused"), ("", "lost")];
    for (answer, expected) in ends {
        let play =
            after_login(vec![Step::Hear("DELE 1"), say("+OK\r\n"), Step::Hear("QUIT"), say(answer)]).await;
        let mut session = Session::connect(&server(&play, Tls::None), &ann()).await.unwrap();
        assert!(session.delete(&[1]).await.unwrap().is_empty());
        let told = match session.quit().await {
            Quit::Updated => "updated",
            Quit::Refused(refusal) => {
                assert_eq!((refusal.code.as_deref(), refusal.text.as_str()), (Some("SYS/PERM"), "some left"));
                "refused"
            }
            Quit::Lost(_) => "lost",
        };
        assert_eq!(told, expected);
    }
}

#[tokio::test]
async fn p8_why_nobody_is_let_in_is_told_from_a_wrong_password() {
    let answers = [
        ("-ERR [IN-USE] locked\r\n", Kind::InUse),
        ("-ERR mailbox is already locked by another session\r\n", Kind::InUse),
        ("-ERR [LOGIN-DELAY] minimum time between logins\r\n", Kind::Unavailable),
        ("-ERR [SYS/TEMP] disk\r\n", Kind::Unavailable),
        ("-ERR [SYS/PERM] your account is closed\r\n", Kind::CommandRefused),
        ("-ERR [AUTH] no\r\n", Kind::WrongPassword),
        ("-ERR pw-secret is wrong\r\n", Kind::WrongPassword),
    ];
    for (answer, kind) in answers {
        let steps = vec![
            say("+OK\r\n"),
            Step::Hear("CAPA"),
            say("-ERR\r\n"),
            Step::Hear("USER"),
            say("+OK\r\n"),
            Step::Hear("PASS"),
            say(answer),
            Step::Hang,
        ];
        let error = refused(steps).await;
        assert_eq!((error.stage, error.kind), (Stage::Login, kind), "{answer}: {error:?}");
        assert!(!error.message.contains("pw-secret"), "{error:?}");
    }
}

#[tokio::test]
async fn t18_nothing_said_before_tls_survives_and_no_secret_is_said_in_clear() {
    // Offered by somebody in between: another answer behind the one to STLS.
    let steps = vec![say("+OK <1.2@x>\r\n"), Step::Hear("STLS"), say("+OK go\r\n+OK in\r\n"), Step::Hang];
    let play = Play::start(steps).await.unwrap();
    let log = Arc::new(Lines::default());
    let at = server(&play, Tls::StartTls).with_log(log.clone());
    let error = Session::connect(&at, &ann()).await.err().unwrap();
    assert_eq!((error.stage, error.kind), (Stage::Tls, Kind::Protocol), "{error:?}");
    // Or STLS taken away.
    let play =
        Play::start(vec![say("+OK <1.2@x>\r\n"), Step::Hear("STLS"), say("-ERR what\r\n"), Step::Hang])
            .await
            .unwrap();
    let at = server(&play, Tls::StartTls).with_log(log.clone());
    let error = Session::connect(&at, &ann()).await.err().unwrap();
    assert_eq!((error.stage, error.kind), (Stage::Tls, Kind::StartTlsMissing), "{error:?}");
    let said = log.text();
    assert!(["USER", "PASS", "APOP", "AUTH"].iter().all(|word| !said.contains(word)), "{said}");
}

/// Signs in to a server that offers this and expects these lines, each answered as given.
async fn signs_in(greeting: &str, capa: &str, credentials: &Credentials, talk: &[(&'static str, &str)]) {
    let mut steps = vec![say(greeting), Step::Hear("CAPA"), say(capa)];
    for (heard, said) in talk {
        steps.extend([Step::Hear(heard), say(said)]);
    }
    if capa.starts_with('+') {
        steps.extend([Step::Hear("CAPA"), say("-ERR\r\n")]);
    }
    steps.extend([Step::Hear("NOOP"), say("+OK\r\n"), Step::Hang]);
    let play = Play::start(steps).await.unwrap();
    let mut session = Session::connect(&server(&play, Tls::None), credentials).await.unwrap();
    session.noop().await.unwrap();
}

#[tokio::test]
async fn a5_every_way_to_sign_in_says_what_its_rfc_wants() {
    let ann = Credentials::password("ann", "pw");
    let (none, ready) = ("-ERR\r\n", "+OK\r\n");
    signs_in(ready, none, &ann, &[("USER ann\r\n", "+OK\r\n"), ("PASS pw\r\n", "+OK\r\n")]).await;
    let tim = Credentials::password("mrose", "tanstaaf");
    let timed = "+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n";
    let apop = "APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n";
    signs_in(timed, none, &tim, &[(apop, "+OK\r\n")]).await;
    // The server may not have the password as APOP needs it.
    let refused = [(apop, "-ERR no\r\n"), ("USER mrose\r\n", "+OK\r\n"), ("PASS tanstaaf\r\n", "+OK\r\n")];
    signs_in(timed, none, &tim, &refused).await;
    let sasl = "+OK\r\nSASL PLAIN LOGIN\r\nUSER\r\n.\r\n";
    signs_in(ready, sasl, &ann, &[("AUTH PLAIN\r\n", "+ \r\n"), ("AGFubgBwdw==\r\n", "+OK\r\n")]).await;
    // Offered and not understood.
    let misled =
        [("AUTH PLAIN\r\n", "-ERR what\r\n"), ("USER ann\r\n", "+OK\r\n"), ("PASS pw\r\n", "+OK\r\n")];
    signs_in(ready, sasl, &ann, &misled).await;
    let prompts = [
        ("USER ann", "-ERR [AUTH] use AUTH\r\n"),
        ("AUTH LOGIN\r\n", "+ VXNlcm5hbWU6\r\n"),
        ("YW5u\r\n", "+ UGFzc3dvcmQ6\r\n"),
        ("cHc=\r\n", "+OK\r\n"),
    ];
    signs_in(ready, "+OK\r\nSASL LOGIN\r\n.\r\n", &ann, &prompts).await;
    let token = Credentials::Bearer { user: "ann@firma.example".into(), token: "tok".into() };
    let xoauth2 = "dXNlcj1hbm5AZmlybWEuZXhhbXBsZQFhdXRoPUJlYXJlciB0b2sBAQ==\r\n";
    let shown = [("AUTH XOAUTH2\r\n", "+ \r\n"), (xoauth2, "+OK\r\n")];
    signs_in(ready, "+OK\r\nSASL PLAIN XOAUTH2\r\n.\r\n", &token, &shown).await;
}

#[tokio::test]
async fn a5_a_password_that_was_heard_and_refused_is_not_said_again() {
    let steps = vec![
        say("+OK\r\n"),
        Step::Hear("CAPA"),
        say("+OK\r\nSASL PLAIN LOGIN\r\n.\r\n"),
        Step::Hear("AUTH PLAIN"),
        say("+ \r\n"),
        Step::Hear("=="),
        say("-ERR [AUTH] wrong\r\n"),
        Step::Hang,
    ];
    let play = Play::start(steps).await.unwrap();
    let log = Arc::new(Lines::default());
    let error = Session::connect(
        &server(&play, Tls::None).with_log(log.clone()),
        &Credentials::password("ann", "pw"),
    )
    .await;
    assert_eq!(error.err().map(|error| error.kind), Some(Kind::WrongPassword));
    assert!(!log.text().contains("USER"), "{}", log.text());
}

#[tokio::test]
async fn a5_a_server_that_says_yes_without_proof_is_refused() {
    let steps = vec![
        say("+OK\r\n"),
        Step::Hear("CAPA"),
        say("+OK\r\nSASL SCRAM-SHA-256 PLAIN\r\n.\r\n"),
        Step::Hear("AUTH SCRAM-SHA-256"),
        say("+ \r\n"),
        Step::Hear("bi"),
        say("+OK come in\r\n"),
        Step::Hang,
    ];
    let error = refused(steps).await;
    assert_eq!((error.stage, error.kind), (Stage::Login, Kind::ServerUnproven), "{error:?}");
}

#[tokio::test]
async fn t17_no_name_or_password_begins_another_command() {
    for (user, password) in [("ann\r\nDELE 1", "pw"), ("ann", "pw\r\nDELE 1"), ("ann\0", "pw")] {
        let steps = vec![
            say("+OK\r\n"),
            Step::Hear("CAPA"),
            say("-ERR\r\n"),
            Step::Hear("USER"),
            say("+OK\r\n"),
            Step::Hang,
        ];
        let play = Play::start(steps).await.unwrap();
        let log = Arc::new(Lines::default());
        let at = server(&play, Tls::None).with_log(log.clone());
        let error = Session::connect(&at, &Credentials::password(user, password)).await.err().unwrap();
        assert_eq!(error.stage, Stage::Login, "{error:?}");
        assert!(!log.text().contains("DELE"), "{}", log.text());
    }
}
