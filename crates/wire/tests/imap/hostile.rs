//! Servers that lie, flood, drip or attack (reliability, T17-T19): a clear error, in time, in bounded memory.

use std::time::{Duration, Instant};

use testkit::scripted::{Fault, ImapServer, Mailbox, Manner, Play, Step};
use wire::imap::{FolderName, IdleEvent, ProtocolError, Session, SessionError, UidSet};
use wire::{ConnectError, ConnectErrorKind, Credentials, Server, Stage, Timeouts, Tls};

fn server(port: u16, tls: Tls) -> Server {
    let mut server = Server::new("127.0.0.1", port, tls);
    server.timeouts = Timeouts { connect: Duration::from_secs(5), reply: Duration::from_millis(400) };
    server
}

fn say(text: &str) -> Step {
    Step::Say(text.to_owned())
}

/// Greets, signs in and opens a folder of one message; then what follows.
fn opened_then(rest: Vec<Step>) -> Vec<Step> {
    let mut steps = vec![
        say("* OK ready\r\n"),
        Step::Hear("CAPABILITY"),
        say("* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n{tag} OK\r\n"),
        Step::Hear("AUTHENTICATE"),
        say("{tag} OK [CAPABILITY IMAP4rev1]\r\n"),
        Step::Hear("EXAMINE"),
        say("* 1 EXISTS\r\n* OK [UIDVALIDITY 1]\r\n{tag} OK\r\n"),
    ];
    steps.extend(rest);
    steps
}

/// What a fetch of message 1 ends with, when the server goes on like this.
async fn fetch_error(rest: Vec<Step>, mut adjust: impl FnMut(&mut Server)) -> SessionError {
    let mut steps = vec![Step::Hear("UID FETCH")];
    steps.extend(rest);
    let play = Play::start(opened_then(steps)).await.unwrap();
    let mut server = server(play.address.port(), Tls::None);
    adjust(&mut server);
    let mut session = Session::connect(&server, &Credentials::password("ann", "pw")).await.unwrap();
    session.select(&FolderName::inbox(), true).await.unwrap();
    let began = Instant::now();
    let error = session.fetch(&1.into()).next().await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    assert!(error.ends_session());
    assert_eq!(session.noop().await.unwrap_err().to_string(), session.ended().unwrap().to_string());
    error
}

async fn connect_error(steps: Vec<Step>, tls: Tls) -> ConnectError {
    let play = Play::start(steps).await.unwrap();
    match Session::connect(&server(play.address.port(), tls), &Credentials::password("ann", "pw-secret"))
        .await
    {
        Ok(_) => panic!("connected"),
        Err(error) => error,
    }
}

/// Resident memory of this process in bytes.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[tokio::test]
async fn a_literal_of_four_gigabytes_that_never_comes_names_the_message() {
    let error =
        fetch_error(vec![say("* 1 FETCH (UID 1 BODY[] {4294967295}\r\nabc"), Step::Hang], |_| {}).await;
    assert!(matches!(error, SessionError::Timeout { uid: Some(1), .. }), "{error:?}");
    let error = fetch_error(vec![say("* 1 FETCH (UID 1 BODY[] {4294967295}\r\nabc")], |_| {}).await;
    assert!(matches!(error, SessionError::Lost { uid: Some(1), .. }), "{error:?}");
    let error =
        fetch_error(vec![say("* 1 FETCH (UID 1 BODY[] {99999999999999999999}\r\nabc"), Step::Hang], |_| {})
            .await;
    assert!(matches!(error, SessionError::Protocol(ProtocolError::NotAResponse(_))), "{error:?}");
}

#[tokio::test]
async fn a_body_without_end_takes_no_memory_beyond_the_limit() {
    let before = memory();
    let flood = vec![say("* 1 FETCH (UID 1 BODY[] {150000000}\r\n"), Step::SayForever(vec![b'x'; 1 << 16])];
    let error = fetch_error(flood, |server| server.limits.message_bytes = 1 << 20).await;
    // What follows the literal is more of the same, and no response.
    assert!(matches!(error, SessionError::Protocol(_)), "{error:?}");
    assert!(memory() - before < 32 << 20, "{} bytes", memory() - before);
}

#[tokio::test]
async fn a_line_or_nesting_without_end_is_cut_off() {
    let before = memory();
    let error =
        fetch_error(vec![Step::Bytes(b"* OK ".to_vec()), Step::SayForever(vec![b'x'; 1 << 16])], |_| {})
            .await;
    assert!(matches!(error, SessionError::Protocol(ProtocolError::TooLong(_))), "{error:?}");
    let parentheses = [b"* 1 FETCH ".to_vec(), vec![b'('; 1_000_000], b"\r\n".to_vec()].concat();
    let error = fetch_error(vec![Step::Bytes(parentheses.clone())], |_| {}).await;
    assert!(matches!(error, SessionError::Protocol(ProtocolError::TooLong(_))), "{error:?}");
    let error =
        fetch_error(vec![Step::Bytes(parentheses)], |server| server.limits.response_bytes = 2 << 20).await;
    assert!(matches!(error, SessionError::Protocol(ProtocolError::TooDeep(_))), "{error:?}");
    assert!(memory() - before < 32 << 20, "{} bytes", memory() - before);
}

#[tokio::test]
async fn responses_without_end_are_cut_off() {
    let before = memory();
    let smaller = |server: &mut Server| server.limits.untagged_bytes = 2 << 20;
    for endless in [
        "* OK still here\r\n",
        "* 1 FETCH (FLAGS (\\Seen))\r\n",
        "* LIST () \"/\" x\r\n",
        "\r\n",
        "+ go\r\n",
        "* 7 EXISTS\r\n",
    ] {
        let error = fetch_error(vec![Step::SayForever(endless.repeat(1000).into_bytes())], smaller).await;
        assert!(matches!(error, SessionError::Protocol(ProtocolError::TooMuch(_))), "{endless}: {error:?}");
    }
    assert!(memory() - before < 32 << 20, "{} bytes", memory() - before);
}

#[tokio::test]
async fn t19_a_list_of_more_folders_than_anybody_has_is_an_error_and_not_half_believed() {
    let many: String = (0..200_000).map(|n| format!("* LIST () \"/\" f{n}\r\n")).collect();
    let play =
        Play::start(opened_then(vec![Step::Hear("LIST"), say(&many), say("{tag} OK\r\n")])).await.unwrap();
    let mut session =
        Session::connect(&server(play.address.port(), Tls::None), &Credentials::password("ann", "pw"))
            .await
            .unwrap();
    session.select(&FolderName::inbox(), true).await.unwrap();
    let error = session.list_with_status().await.unwrap_err();
    assert!(matches!(error, SessionError::Protocol(ProtocolError::TooManyFolders(_))), "{error:?}");
}

#[tokio::test]
async fn a_server_that_drips_is_given_up() {
    let drip = vec![
        say("* 1 FETCH (UID 1 BODY[] {100000}\r\n"),
        Step::Drip(b"x".to_vec(), Duration::from_millis(50)),
    ];
    let error = fetch_error(drip, |_| {}).await;
    assert!(matches!(error, SessionError::Timeout { uid: Some(1), .. }), "{error:?}");
}

#[tokio::test]
async fn c4_a_literal_of_the_wrong_length_ends_the_session_and_gives_no_half_message() {
    let bodies = ["Subject: a\r\n\r\nfirst\r\n", "Subject: b\r\n\r\nL3 OK\r\n* 9 EXISTS\r\n"];
    for literal_lie in [-30, -9, -2, -1, 1, 3, 40] {
        let manner = Manner { literal_lie, ..Manner::default() };
        let scripted =
            ImapServer::start(Mailbox::with_inbox(bodies), manner, vec![Fault::None]).await.unwrap();
        let at = server(scripted.address.port(), Tls::None);
        let mut session = Session::connect(&at, &Credentials::password("ann", "pw")).await.unwrap();
        session.select(&FolderName::inbox(), true).await.unwrap();
        let mut fetch = session.fetch(&UidSet::range(1, 2));
        let error = match fetch.next().await {
            Ok(message) => panic!("{literal_lie}: {message:?}"),
            Err(error) => error,
        };
        assert!(
            matches!(error, SessionError::Protocol(_) | SessionError::Timeout { .. }),
            "{literal_lie}: {error:?}"
        );
    }
}

#[tokio::test]
async fn c3_what_completed_before_a_no_or_a_bye_stays() {
    for (ends_with, refused) in
        [("NO [SERVERBUG] some messages could not be read", true), ("OK\r\n* BYE shutting down", false)]
    {
        let manner = Manner { fetch_ends_with: ends_with.into(), ..Manner::default() };
        let scripted = ImapServer::start(Mailbox::with_inbox(["one", "two"]), manner, vec![]).await.unwrap();
        let at = server(scripted.address.port(), Tls::None);
        let mut session = Session::connect(&at, &Credentials::password("ann", "pw")).await.unwrap();
        session.select(&FolderName::inbox(), true).await.unwrap();
        let mut fetch = session.fetch(&UidSet::range(1, 3));
        assert_eq!(fetch.next().await.unwrap().unwrap().body, b"one");
        assert_eq!(fetch.next().await.unwrap().unwrap().body, b"two");
        match fetch.next().await {
            Err(SessionError::Refused(_)) => assert!(refused),
            Ok(None) => {
                assert!(!refused && fetch.missing() == 3.into());
                assert!(matches!(session.noop().await, Err(SessionError::Bye(_))));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_search_that_names_more_than_there_is_is_asked_again() {
    let steps = opened_then(vec![
        Step::Hear("NOOP"),
        say("* CAPABILITY IMAP4rev1 ESEARCH\r\n{tag} OK\r\n"),
        Step::Hear("RETURN (ALL) UID 1:*"),
        say("* ESEARCH (TAG \"{tag}\") UID ALL 1:4294967295\r\n{tag} OK\r\n"),
        Step::Hear("UID SEARCH UID 1:*"),
        say("* SEARCH 7\r\n{tag} OK\r\n"),
        Step::Hear("UID SEARCH"),
        say("* ESEARCH (TAG \"{tag}\") UID ALL 1:x\r\n{tag} OK\r\n"),
    ]);
    let play = Play::start(steps).await.unwrap();
    let at = server(play.address.port(), Tls::None);
    let mut session = Session::connect(&at, &Credentials::password("ann", "pw")).await.unwrap();
    session.select(&FolderName::inbox(), true).await.unwrap();
    session.noop().await.unwrap();
    assert_eq!(session.uid_search_from(1).await.unwrap(), 7.into());
    let broken = session.uid_search_from(1).await.unwrap_err();
    assert_eq!(broken, SessionError::Protocol(ProtocolError::BrokenSearch));
}

#[tokio::test]
async fn a_million_uids_are_one_answer() {
    let uids: Vec<String> = (1..=1_000_000u32).map(|n| (n * 3).to_string()).collect();
    let found = format!("* SEARCH {}\r\n", uids.join(" "));
    let steps =
        opened_then(vec![Step::Hear("UID SEARCH"), Step::Bytes(found.into_bytes()), say("{tag} OK\r\n")]);
    let play = Play::start(steps).await.unwrap();
    let mut at = server(play.address.port(), Tls::None);
    at.timeouts.reply = Duration::from_secs(20);
    let mut session = Session::connect(&at, &Credentials::password("ann", "pw")).await.unwrap();
    session.select(&FolderName::inbox(), true).await.unwrap();
    assert_eq!(session.uid_search_from(1).await.unwrap().len(), 1_000_000);
}

#[tokio::test]
async fn nothing_said_before_tls_survives_and_no_secret_is_said_in_clear() {
    // T18: an answer slipped in behind the OK of STARTTLS.
    let injected = vec![
        say("* OK ready\r\n"),
        Step::Hear("STARTTLS"),
        say("{tag} OK begin\r\n* OK [ALERT] injected\r\n"),
        Step::Hang,
    ];
    let error = connect_error(injected, Tls::StartTls).await;
    assert_eq!((error.stage, error.kind), (Stage::Tls, ConnectErrorKind::Protocol), "{error:?}");
    // PREAUTH would skip STARTTLS.
    let skipped = vec![say("* PREAUTH welcome back\r\n"), Step::Hang];
    let error = connect_error(skipped, Tls::StartTls).await;
    assert_eq!((error.stage, error.kind), (Stage::Tls, ConnectErrorKind::StartTlsMissing), "{error:?}");
    for answer in ["{tag} BAD unknown command\r\n", "{tag} NO not today\r\n"] {
        let stripped = vec![say("* OK ready\r\n"), Step::Hear("STARTTLS"), say(answer), Step::Hang];
        let error = connect_error(stripped, Tls::StartTls).await;
        assert_eq!((error.stage, error.kind), (Stage::Tls, ConnectErrorKind::StartTlsMissing), "{error:?}");
    }
    // A server that forbids the password in clear is obeyed.
    let locked = vec![
        say("* OK ready\r\n"),
        Step::Hear("CAPABILITY"),
        say("* CAPABILITY IMAP4rev1 LOGINDISABLED STARTTLS\r\n{tag} OK\r\n"),
        Step::Hang,
    ];
    let error = connect_error(locked, Tls::None).await;
    assert_eq!((error.stage, error.kind), (Stage::Login, ConnectErrorKind::PlainRefused), "{error:?}");
}

#[tokio::test]
async fn what_is_no_imap_server_is_told_with_no_more_than_a_few_of_its_words() {
    let banner = format!("220 mail.firma.example ESMTP {}\r\n", "secret ".repeat(100));
    for text in
        [banner.as_str(), "SSH-2.0-OpenSSH_9.6\r\n", "+OK POP3 ready\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n"]
    {
        let error = connect_error(vec![say(text), Step::Hang], Tls::None).await;
        assert_eq!(
            (error.stage, error.kind),
            (Stage::Greeting, ConnectErrorKind::NotMailServer),
            "{error:?}"
        );
        assert!(error.message.len() < 200, "{}", error.message);
    }
    let error = connect_error(vec![Step::Hang], Tls::None).await;
    assert_eq!((error.stage, error.kind), (Stage::Greeting, ConnectErrorKind::Timeout), "{error:?}");
    let error = connect_error(vec![], Tls::None).await;
    assert_eq!((error.stage, error.kind), (Stage::Greeting, ConnectErrorKind::Closed), "{error:?}");
    let error = connect_error(vec![say("* BYE too many connections\r\n")], Tls::None).await;
    assert_eq!((error.stage, error.kind), (Stage::Greeting, ConnectErrorKind::ServerBye), "{error:?}");
    let error = connect_error(
        vec![
            say("* OK x\r\n"),
            Step::Hear("CAPABILITY"),
            say("* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n{tag} OK\r\n"),
            Step::Hear("AUTHENTICATE"),
            say("+\r\n"),
            Step::Hear(""),
            say("L2 NO pw-secret is wrong\r\n"),
        ],
        Tls::None,
    )
    .await;
    assert_eq!((error.stage, error.kind), (Stage::Login, ConnectErrorKind::WrongPassword), "{error:?}");
    assert!(!error.message.contains("pw-secret"), "{error:?}");
}

#[tokio::test]
async fn a_preauthenticated_server_is_not_signed_in_to() {
    let manner = Manner {
        greeting: "* PREAUTH hello ann".into(),
        capabilities: "IMAP4rev1".into(),
        ..Manner::default()
    };
    let scripted = ImapServer::start(Mailbox::with_inbox(["one"]), manner, vec![]).await.unwrap();
    let at = server(scripted.address.port(), Tls::None);
    let mut session = Session::connect(&at, &Credentials::password("ann", "pw")).await.unwrap();
    session.select(&FolderName::inbox(), true).await.unwrap();
    assert_eq!(session.uid_search_from(1).await.unwrap(), 1.into());
    assert!(matches!(session.idle(Duration::from_millis(1)).await, Err(SessionError::NotOffered("IDLE"))));
}

#[tokio::test]
async fn idle_hears_news_of_a_scripted_server() {
    let manner = Manner { news_after: Some(Duration::from_millis(50)), ..Manner::default() };
    let scripted = ImapServer::start(Mailbox::with_inbox(["one"]), manner, vec![]).await.unwrap();
    let at = server(scripted.address.port(), Tls::None);
    let mut session = Session::connect(&at, &Credentials::password("ann", "pw")).await.unwrap();
    session.select(&FolderName::inbox(), true).await.unwrap();
    session.uid_search_from(1).await.unwrap();
    assert_eq!(session.idle(Duration::from_secs(10)).await.unwrap(), IdleEvent::Changed);
    assert_eq!(session.uid_search_from(2).await.unwrap(), 2.into());
}

/// Signs in to a server that offers this and expects these lines, each answered as given.
async fn signs_in(offered: &str, credentials: &Credentials, talk: &[(&'static str, &str)]) {
    let mut steps = vec![Step::Say(format!("* OK [CAPABILITY IMAP4rev1 {offered}] ready\r\n"))];
    for (heard, said) in talk {
        steps.extend([Step::Hear(heard), say(said)]);
    }
    steps.extend([Step::Hear("NOOP"), say("{tag} OK\r\n"), Step::Hang]);
    let play = Play::start(steps).await.unwrap();
    let mut session = Session::connect(&server(play.address.port(), Tls::None), credentials).await.unwrap();
    session.noop().await.unwrap();
}

#[tokio::test]
async fn every_way_to_sign_in_says_what_its_rfc_wants() {
    const DONE: &str = "{tag} OK [CAPABILITY IMAP4rev1 X] in\r\n";
    const DONE_1: &str = "L1 OK [CAPABILITY IMAP4rev1 X] in\r\n";
    let ann = Credentials::password("ann", "pw\"d");
    signs_in("AUTH=PLAIN SASL-IR", &ann, &[("L1 AUTHENTICATE PLAIN AGFubgBwdyJk\r\n", DONE)]).await;
    signs_in("AUTH=PLAIN", &ann, &[("L1 AUTHENTICATE PLAIN\r\n", "+ \r\n"), ("AGFubgBwdyJk\r\n", DONE_1)])
        .await;
    signs_in("", &ann, &[("L1 LOGIN \"ann\" \"pw\\\"d\"\r\n", DONE)]).await;
    // Offered and not understood: the command is tried.
    let misled =
        [("L1 AUTHENTICATE PLAIN AGFubgBwdyJk\r\n", "{tag} BAD what\r\n"), ("L2 LOGIN \"ann\"", DONE)];
    signs_in("AUTH=PLAIN SASL-IR", &ann, &misled).await;
    let prompts = [
        ("L1 AUTHENTICATE LOGIN\r\n", "+ VXNlcm5hbWU6\r\n"),
        ("YW5u\r\n", "+ UGFzc3dvcmQ6\r\n"),
        ("cHciZA==\r\n", DONE_1),
    ];
    signs_in("LOGINDISABLED AUTH=LOGIN", &ann, &prompts).await;
    let token = Credentials::Bearer { user: "a,b@firma.example".into(), token: "tok".into() };
    let xoauth2 = "AUTHENTICATE XOAUTH2 dXNlcj1hLGJAZmlybWEuZXhhbXBsZQFhdXRoPUJlYXJlciB0b2sBAQ==\r\n";
    signs_in("AUTH=PLAIN AUTH=XOAUTH2 SASL-IR", &token, &[(xoauth2, DONE)]).await;
    let bearer = "AUTHENTICATE OAUTHBEARER bixhPWE9MkNiQGZpcm1hLmV4YW1wbGUsAWF1dGg9QmVhcmVyIHRvawEB\r\n";
    signs_in("AUTH=OAUTHBEARER SASL-IR", &token, &[(bearer, DONE)]).await;
}

#[tokio::test]
async fn a5_a_server_that_says_yes_without_proof_is_refused() {
    // What it asks for is right as far as it goes; then it lets in whoever comes.
    for last in ["L1 OK [CAPABILITY IMAP4rev1] in\r\n", "+ dj1BQUFB\r\n", "+ no base64\r\n"] {
        let steps = vec![
            say("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=SCRAM-SHA-256 SASL-IR] ready\r\n"),
            Step::Hear("L1 AUTHENTICATE SCRAM-SHA-256 "),
            say(last),
            Step::Hear("*"),
            say("L1 BAD cancelled\r\n"),
            Step::Hang,
        ];
        let play = Play::start(steps).await.unwrap();
        let at = server(play.address.port(), Tls::None);
        let error = match Session::connect(&at, &Credentials::password("ann", "pw-secret")).await {
            Ok(_) => panic!("signed in after {last:?}"),
            Err(error) => error,
        };
        let expected = match last.starts_with("L1") {
            true => ConnectErrorKind::ServerUnproven,
            false => ConnectErrorKind::Protocol,
        };
        assert_eq!((error.stage, error.kind), (Stage::Login, expected), "{error:?}");
    }
}

#[tokio::test]
async fn a5_mechanisms_that_are_offered_and_not_understood_are_passed_over() {
    let ann = Credentials::password("ann", "pw\"d");
    let misled = [
        ("L1 AUTHENTICATE SCRAM-SHA-256\r\n", "{tag} BAD what\r\n"),
        ("L2 AUTHENTICATE SCRAM-SHA-1\r\n", "{tag} BAD what\r\n"),
        ("L3 AUTHENTICATE PLAIN\r\n", "{tag} BAD what\r\n"),
        ("L4 LOGIN \"ann\"", "{tag} OK [CAPABILITY IMAP4rev1 X] in\r\n"),
    ];
    signs_in("AUTH=CRAM-MD5 AUTH=LOGIN AUTH=PLAIN AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256", &ann, &misled).await;
    // Refused, because the server may have the password in another form: itself is tried, and no second proof.
    let refused = [
        ("L1 AUTHENTICATE SCRAM-SHA-256\r\n", "{tag} NO [AUTHENTICATIONFAILED] no\r\n"),
        ("L2 AUTHENTICATE PLAIN\r\n", "+ \r\n"),
        ("AGFubgBwdyJk\r\n", "L2 OK [CAPABILITY IMAP4rev1 X] in\r\n"),
    ];
    signs_in("AUTH=PLAIN AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256", &ann, &refused).await;
}
