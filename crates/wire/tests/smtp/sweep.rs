//! A connection that is cut behind every line and at every byte of the last one: what we say happened, happened.

use crate::{MAIL, ann, connected, envelope, server};
use std::time::Duration;
use testkit::scripted::{End, SmtpManner, SmtpServer};
use wire::Tls;
use wire::smtp::{Ending, SendError, Session};

/// What a client of ours says about one message.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    NotConnected,
    NothingSent,
    Sent,
    Unknown,
}

async fn send(sink: &SmtpServer) -> Told {
    let server = server(sink.address.port(), Tls::None);
    let Ok(mut session) = Session::connect(&server, Some(&ann())).await else { return Told::NotConnected };
    match session.transmit(&envelope(&["ben@firma.example"]), MAIL).await {
        Err(SendError::Lost { .. }) => return Told::NothingSent,
        Err(other) => panic!("{other:?}"),
        Ok(_) => {}
    }
    match session.end().await {
        Ending::Accepted(_) => Told::Sent,
        Ending::Ambiguous(_) => Told::Unknown,
        Ending::Refused(reply) => panic!("{reply}"),
    }
}

#[tokio::test]
async fn a5_a_cut_at_every_byte_is_never_told_as_sent_nor_as_nothing_when_it_was_sent() {
    let sink = SmtpServer::start(SmtpManner::default()).await.unwrap();
    assert_eq!(send(&sink).await, Told::Sent);
    let ends = sink.boundaries();
    // The last reply of `send` is that to the dot.
    let (dot, last) = (ends[ends.len() - 2], ends[ends.len() - 1]);
    let mut told = Vec::new();
    for at in 0..last {
        let before = sink.received().len();
        sink.cut_next(at);
        let here = send(&sink).await;
        let arrived = sink.received().len() - before;
        let wanted = match here {
            Told::NotConnected | Told::NothingSent => arrived == 0,
            Told::Sent => arrived == 1,
            Told::Unknown => at >= dot,
        };
        assert!(wanted, "cut at {at} of {last}: {here:?}, {arrived} arrived");
        told.push(here);
    }
    assert_eq!(told.iter().filter(|here| **here == Told::Unknown).count() as u64, last - dot);
    assert!(told.contains(&Told::NotConnected) && told.contains(&Told::NothingSent));
}

#[tokio::test]
async fn a5_silence_and_a_closed_connection_after_the_dot_are_ambiguous_whether_it_was_taken_or_not() {
    for (end, arrived) in [(End::TakenInSilence, 1), (End::TakenThenClosed, 1), (End::LostThenClosed, 0)] {
        let (sink, mut session) = connected(SmtpManner { end, ..SmtpManner::default() }).await;
        session.set_end_patience(Duration::from_millis(300));
        session.transmit(&envelope(&["ben@firma.example"]), MAIL).await.unwrap();
        let ending = session.end().await;
        assert!(matches!(ending, Ending::Ambiguous(_)), "{ending:?}");
        assert_eq!(sink.received().len(), arrived);
    }
}

#[tokio::test]
async fn a5_a_session_dropped_before_the_dot_has_sent_nothing() {
    let (sink, mut session) = connected(SmtpManner::default()).await;
    session.transmit(&envelope(&["ben@firma.example"]), MAIL).await.unwrap();
    drop(session);
    // A second message on a new connection is the only one there is.
    assert_eq!(send(&sink).await, Told::Sent);
    assert_eq!(sink.received().len(), 1);
}
