//! Messages that go out, and those that are refused.

use crate::{MAIL, connected, envelope};
use std::collections::BTreeMap;
use testkit::scripted::{End, SmtpManner};
use wire::Stage;
use wire::smtp::{Ending, Envelope, SendError, Unsendable};

#[tokio::test]
async fn a5_a_message_is_sent_and_arrives_as_it_is() {
    let (sink, mut session) = connected(SmtpManner::default()).await;
    let sent =
        session.transmit(&envelope(&["ben@firma.example", "carla@firma.example"]), MAIL).await.unwrap();
    assert!(sent.refused.is_empty());
    assert!(sink.received().is_empty(), "nothing is sent before the dot");
    assert!(matches!(session.end().await, Ending::Accepted(_)));
    let text = "Subject: again\r\n\r\nžluťoučký\r\n".as_bytes();
    session.transmit(&envelope(&["ben@firma.example"]), text).await.unwrap();
    assert!(matches!(session.end().await, Ending::Accepted(_)));
    session.quit().await;
    let received = sink.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].message(), MAIL);
    assert_eq!(received[0].to, ["ben@firma.example", "carla@firma.example"]);
    assert_eq!((received[0].from.as_str(), received[0].user.as_deref()), ("ann@acme.example", Some("ann")));
    assert_eq!(received[0].parameters, format!("SIZE={}", MAIL.len()));
    assert_eq!(received[1].parameters, format!("SIZE={} BODY=8BITMIME", text.len()));
    assert_eq!(sink.heard().last().unwrap(), "QUIT");
}

#[tokio::test]
async fn a5_each_recipient_has_an_answer_of_its_own() {
    let replies =
        [("ben@firma.example", "550 5.1.1 no such user"), ("carla@firma.example", "451 4.2.1 greylisted")];
    let replies: BTreeMap<_, _> = replies.map(|(at, reply)| (at.to_owned(), reply.to_owned())).into();
    let (sink, mut session) = connected(SmtpManner { replies, ..SmtpManner::default() }).await;
    let all = envelope(&["ben@firma.example", "dana@firma.example", "carla@firma.example"]);
    let sent = session.transmit(&all, MAIL).await.unwrap();
    let refused: Vec<_> = sent
        .refused
        .iter()
        .map(|one| (one.address.as_str(), one.reply.code, one.reply.is_temporary()))
        .collect();
    assert_eq!(refused, [("ben@firma.example", 550, false), ("carla@firma.example", 451, true)]);
    assert!(matches!(session.end().await, Ending::Accepted(_)));
    assert_eq!(sink.received()[0].to, ["dana@firma.example"]);

    let none = session.transmit(&envelope(&["ben@firma.example"]), MAIL).await.unwrap_err();
    let SendError::NoRecipient(refused) = none else { panic!("{none:?}") };
    assert_eq!(refused[0].reply.to_string(), "550 5.1.1 no such user");
    // The session goes on with the next message.
    session.transmit(&envelope(&["dana@firma.example"]), MAIL).await.unwrap();
    assert!(matches!(session.end().await, Ending::Accepted(_)));
    assert_eq!(sink.received().len(), 2);
}

#[tokio::test]
async fn a5_a_refused_sender_or_message_is_told_with_the_servers_words() {
    let replies = [("ann@acme.example".to_owned(), "553 5.7.1 not yours".to_owned())].into();
    let (sink, mut session) = connected(SmtpManner { replies, ..SmtpManner::default() }).await;
    match session.transmit(&envelope(&["ben@firma.example"]), MAIL).await.unwrap_err() {
        SendError::Refused { stage: Stage::Mail, reply } => {
            assert_eq!(reply.to_string(), "553 5.7.1 not yours")
        }
        other => panic!("{other:?}"),
    }
    assert!(sink.received().is_empty());
    let end = End::Refuse("554 5.7.1 smells of spam".into());
    let (sink, mut session) = connected(SmtpManner { end, ..SmtpManner::default() }).await;
    session.transmit(&envelope(&["ben@firma.example"]), MAIL).await.unwrap();
    match session.end().await {
        Ending::Refused(reply) => assert_eq!(reply.to_string(), "554 5.7.1 smells of spam"),
        other => panic!("{other:?}"),
    }
    assert!(sink.received().is_empty());
}

#[tokio::test]
async fn t16_a_message_cannot_end_early_and_hide_another_one() {
    let (sink, mut session) = connected(SmtpManner::default()).await;
    for evil in [
        "Subject: a\n.\nMAIL FROM:<eve@b.example>\nRCPT TO:<x@b.example>\nDATA\nx\n.\n",
        "Subject: a\r\n\r\nx\n.\r\nMAIL FROM:<eve@b.example>\r\n",
        "Subject: a\r\n\r\nx\r.\r\nRSET\r\n",
        "Subject: a\r\n\r\n.\r\n..\r\nQUIT\r\n",
    ] {
        session.transmit(&envelope(&["ben@firma.example"]), evil.as_bytes()).await.unwrap();
        assert!(matches!(session.end().await, Ending::Accepted(_)));
    }
    let received = sink.received();
    assert_eq!(received.len(), 4);
    for one in &received {
        let text = String::from_utf8(one.wire.clone()).unwrap();
        assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "{text:?}");
        assert_eq!(one.from, "ann@acme.example");
    }
    assert!(!sink.heard().iter().any(|line| line.contains("eve@b.example")));
}

#[tokio::test]
async fn t15_addresses_that_carry_commands_never_reach_the_wire() {
    let (sink, mut session) = connected(SmtpManner::default()).await;
    let said = sink.heard().len();
    for evil in [
        "ben@firma.example\r\nRCPT TO:<eve@b.example>",
        "a\r\nQUIT\r\n@x",
        "ben@firma.example> NOTIFY=NEVER",
        "x\n@y",
    ] {
        let error = session.transmit(&envelope(&["dana@firma.example", evil]), MAIL).await.unwrap_err();
        assert!(matches!(error, SendError::Unsendable(Unsendable::Address(_))), "{error:?}");
        let from = Envelope { from: evil.into(), to: vec!["dana@firma.example".into()] };
        assert!(matches!(session.transmit(&from, MAIL).await, Err(SendError::Unsendable(_))));
    }
    assert_eq!(sink.heard().len(), said);
}

#[tokio::test]
async fn a5_what_the_server_cannot_take_is_refused_before_it_is_said() {
    let offers = vec!["SIZE 60".to_owned(), "AUTH PLAIN".to_owned()];
    let (sink, mut session) = connected(SmtpManner { offers, ..SmtpManner::default() }).await;
    let to = envelope(&["ben@firma.example"]);
    let mut refusal = async |message: &[u8], to: &Envelope| match session.transmit(to, message).await {
        Err(SendError::Unsendable(why)) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(refusal(&[b'x'; 61], &to).await, Unsendable::TooLarge(61, 60));
    assert_eq!(refusal("\r\nž".as_bytes(), &to).await, Unsendable::EightBit);
    assert_eq!(refusal("Subject: ž\r\n\r\n".as_bytes(), &to).await, Unsendable::Utf8);
    assert_eq!(refusal(b"a\0", &to).await, Unsendable::Nul);
    assert_eq!(refusal(b"a", &envelope(&["žofie@firma.example"])).await, Unsendable::Utf8);
    assert_eq!(refusal(b"a", &envelope(&[])).await, Unsendable::NoRecipient);
    assert!(sink.received().is_empty());
}
