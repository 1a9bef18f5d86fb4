//! Mail of the system on its way out: through the group mailbox that is the default, once, or visibly not.

use crate::post_room::{PostRoom, Server, folder};
use desk::mailbox::{self, MailboxChange, OutgoingChoice};
use desk::may::Actor;
use desk::outgoing;
use desk::seal::Secret;
use model::{AfterFiling, MailboxId, OutboxId, Tls};
use std::time::Duration;
use store::outbox::OutboxState::{self, Ambiguous, Failed, InData, Queued, Sent};
use testkit::scripted::{End, SmtpManner, SmtpServer};

/// An installation whose system mail goes out through the group mailbox `helpdesk@acme.example`.
struct Office {
    room: PostRoom,
    sink: SmtpServer,
    mailbox: MailboxId,
}

async fn office(room: PostRoom) -> Office {
    let sink = SmtpServer::start(SmtpManner { sign_in_first: true, ..SmtpManner::default() }).await.unwrap();
    let server = Server { host: "127.0.0.1", port: 1, user: "ann", password: "unused" };
    let mailbox = room.connect(server, vec![folder("INBOX", AfterFiling::Leave)]).await;
    let desk = room.desk();
    room.run(&format!(
        "UPDATE mailboxes SET address = 'helpdesk@acme.example', active = FALSE WHERE id = {mailbox}"
    ))
    .await;
    let outgoing = OutgoingChoice {
        host: "127.0.0.1".into(),
        port: sink.address.port(),
        tls: Tls::None,
        username: String::new(),
        password: Some(Secret::new("secret")),
    };
    let change = MailboxChange { outgoing: Some(Some(outgoing)), ..MailboxChange::default() };
    mailbox::change(desk, &Actor::machine(), mailbox, change).await.unwrap();
    let wanted = outgoing::Outgoing {
        address: "helpdesk@acme.example".into(),
        host: String::new(),
        port: 0,
        tls: Tls::Implicit,
        username: String::new(),
        has_password: false,
    };
    outgoing::set(desk, &Actor::machine(), wanted, None).await.unwrap();
    Office { room, sink, mailbox }
}

impl Office {
    async fn queue(&self, to: &str, subject: &str) -> OutboxId {
        let desk = self.room.desk();
        let mut tx = desk.db.begin().await.unwrap();
        let queued = desk::sending::queue_system_mail(desk, &mut tx, to, subject, "Text\n").await.unwrap();
        tx.commit().await.unwrap();
        queued.unwrap()
    }

    async fn send(&self) {
        sync::outbox::send_due(self.room.desk()).await.unwrap();
    }

    async fn recipient(&self, id: OutboxId) -> store::outbox::Recipient {
        store::outbox::recipients(&mut &self.room.desk().db, id).await.unwrap().remove(0)
    }

    async fn state(&self, id: OutboxId) -> OutboxState {
        self.recipient(id).await.state
    }

    /// The next try is due.
    async fn time_passes(&self) {
        self.room.run("UPDATE outbox_recipients SET next_at = 0").await;
    }
}

async fn on_each(story: impl AsyncFn(Office)) {
    story(office(PostRoom::new().await).await).await;
    story(office(PostRoom::on_postgres().await).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a17_system_mail_goes_out_through_the_default_group_mailbox() {
    on_each(async |office| {
        let id = office.queue("ann@firma.example", "Žádost").await;
        let message = store::outbox::message(&mut &office.room.desk().db, id).await.unwrap().unwrap();
        assert_eq!(message.mailbox, Some(office.mailbox));
        office.send().await;
        assert_eq!(office.state(id).await, Sent);
        let received = office.sink.received();
        assert_eq!(received.len(), 1);
        assert_eq!(
            (received[0].from.as_str(), received[0].user.as_deref()),
            ("helpdesk@acme.example", Some("ann"))
        );
        assert_eq!(received[0].to, ["ann@firma.example"]);
        let text = String::from_utf8(received[0].message()).unwrap();
        assert!(text.contains("From: \"Lettercase\" <helpdesk@acme.example>\r\n"), "{text}");
        assert!(
            text.contains(&format!("Message-ID: <{}>\r\n", message.mid))
                && text.contains("Auto-Submitted: auto-generated")
        );
        office.send().await;
        assert_eq!(office.sink.received().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a17_serving_sends_what_waits_by_itself() {
    let office = office(PostRoom::new().await).await;
    let _serving = office.room.serve();
    let id = office.queue("ann@firma.example", "Hello").await;
    let began = std::time::Instant::now();
    while office.state(id).await != Sent {
        assert!(began.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(office.sink.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a17_a_kill_between_the_dot_and_its_answer_is_ambiguous_and_nothing_is_sent_twice() {
    on_each(async |office| {
        office.sink.change(|manner| manner.end = End::TakenInSilence);
        let id = office.queue("ann@firma.example", "Once").await;
        // Dies while it waits for the answer.
        tokio::select! {
            () = office.send() => panic!("no answer comes"),
            () = async {
                while office.sink.received().is_empty() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            } => {}
        }
        assert_eq!(office.state(id).await, InData, "it was written down before the dot was said");
        office.sink.change(|manner| manner.end = End::Accept);
        office.send().await;
        assert_eq!(office.sink.received().len(), 1);
        sync::outbox::settle_interrupted(office.room.desk()).await.unwrap();
        assert_eq!(office.state(id).await, Ambiguous);
        office.time_passes().await;
        office.send().await;
        assert_eq!((office.state(id).await, office.sink.received().len()), (Ambiguous, 1));
        // Somebody has seen that it did not arrive.
        desk::sending::again(office.room.desk(), &Actor::machine(), id).await.unwrap();
        office.send().await;
        assert_eq!((office.state(id).await, office.sink.received().len()), (Sent, 2));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a17_no_answer_to_the_dot_is_ambiguous_and_a_break_before_it_comes_again() {
    on_each(async |office| {
        for end in [End::TakenThenClosed, End::LostThenClosed] {
            office.sink.change(|manner| manner.end = end.clone());
            let id = office.queue("ann@firma.example", "Maybe").await;
            office.send().await;
            assert_eq!(office.state(id).await, Ambiguous);
            office.time_passes().await;
            office.send().await;
            assert_eq!(office.state(id).await, Ambiguous);
        }
        assert_eq!(office.sink.received().len(), 1);
        // Cut in the middle of signing in: nothing was sent, so it is sent again.
        office.sink.change(|manner| manner.end = End::Accept);
        let id = office.queue("ann@firma.example", "Again").await;
        office.sink.cut_next(60);
        office.send().await;
        let put_off = office.recipient(id).await;
        assert_eq!((put_off.state, put_off.attempts), (Queued, 1));
        assert!(put_off.next_at > office.room.desk().clock.now());
        office.send().await;
        assert_eq!(office.state(id).await, Queued, "not before its time");
        office.time_passes().await;
        office.send().await;
        assert_eq!((office.state(id).await, office.sink.received().len()), (Sent, 2));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a17_refusals_are_final_or_come_again_and_end_after_five_days() {
    on_each(async |office| {
        office.sink.change(|manner| {
            manner.replies.insert("ben@firma.example".into(), "550 5.1.1 no such user".into());
            manner.replies.insert("carla@firma.example".into(), "451 4.7.1 greylisted".into());
        });
        let never = office.queue("ben@firma.example", "x").await;
        let later = office.queue("carla@firma.example", "x").await;
        office.send().await;
        let refused = office.recipient(never).await;
        assert_eq!((refused.state, refused.reply.as_deref()), (Failed, Some("550 5.1.1 no such user")));
        assert_eq!(office.state(later).await, Queued);
        office.room.run("UPDATE outbox SET created_at = 0").await;
        office.time_passes().await;
        office.send().await;
        let given_up = office.recipient(later).await;
        assert_eq!(given_up.state, Failed);
        assert_eq!(given_up.reply.unwrap(), "given up after five days: 451 4.7.1 greylisted");
        let (total, rows) = desk::sending::page(office.room.desk(), &Actor::machine(), 0, 10).await.unwrap();
        assert_eq!((total, rows[0].0.id), (2, later));
        assert!(office.sink.received().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a17_what_somebody_is_told_in_the_interface_also_comes_by_mail_in_their_language() {
    on_each(async |office| {
        let desk = office.room.desk();
        let mut tx = desk.db.begin().await.unwrap();
        let role = store::people::Role {
            id: model::RoleId(0),
            name: "r".into(),
            administrator: false,
            mail: model::Level::No,
            records: model::Level::No,
            own_mailboxes: true,
            group_mail: model::GroupMail::No,
        };
        let role = store::people::add_role(&mut tx, &role).await.unwrap();
        let new = store::people::NewUser {
            login: "zofie",
            name: "Žofie",
            password_hash: "-",
            role,
            language: "cs",
            at: desk.clock.now(),
        };
        let user = store::people::add_user(&mut tx, new).await.unwrap();
        store::people::set_addresses(&mut tx, user, &["zofie@acme.example".to_owned()]).await.unwrap();
        let mailbox = store::mailboxes::mailbox(&mut tx, office.mailbox).await.unwrap().unwrap();
        let notice = desk::notification::Notice::new("grant_expired").about_mailbox(&mailbox);
        desk::notification::tell(desk, &mut tx, user, &notice).await.unwrap();
        tx.commit().await.unwrap();
        office.send().await;
        let received = office.sink.received();
        assert_eq!(received.len(), 1);
        assert_eq!(received[0].to, ["zofie@acme.example"]);
        let (_, letter) = mail::open(&received[0].message());
        assert!(
            letter.subject.starts_with("Přihlášení schránky helpdesk@acme.example"),
            "{}",
            letter.subject
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d3_a_server_that_wants_a_sender_gets_the_mailboxs() {
    on_each(async |office| {
        let desk = office.room.desk();
        for (refused, from) in [(false, ""), (true, "helpdesk@acme.example")] {
            office.sink.change(|manner| {
                manner.replies.clear();
                if refused {
                    manner.replies.insert(String::new(), "550 5.7.1 a sender is needed".into());
                }
            });
            let mut tx = desk.db.begin().await.unwrap();
            let message = store::outbox::Message {
                id: OutboxId(0),
                mailbox: Some(office.mailbox),
                envelope_from: String::new(),
                mid: "1@acme.example".into(),
                created_at: desk.clock.now(),
            };
            let raw = b"From: helpdesk@acme.example\r\n\r\nx\r\n".to_vec();
            let id =
                store::outbox::add(&mut tx, &message, raw, &["ann@firma.example".to_owned()]).await.unwrap();
            tx.commit().await.unwrap();
            office.send().await;
            assert_eq!(office.state(id).await, Sent);
            assert_eq!(office.sink.received().last().unwrap().from, from);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a17_one_mailbox_that_cannot_send_does_not_keep_the_others() {
    on_each(async |office| {
        let id = office.queue("ann@firma.example", "Goes").await;
        let desk = office.room.desk();
        let mut tx = desk.db.begin().await.unwrap();
        let message = store::outbox::Message {
            id: OutboxId(0),
            mailbox: None,
            envelope_from: "x@acme.example".into(),
            mid: "2@acme.example".into(),
            created_at: desk.clock.now(),
        };
        let to = ["ben@firma.example".to_owned()];
        let stuck =
            store::outbox::add(&mut tx, &message, b"From: x\r\n\r\nx\r\n".to_vec(), &to).await.unwrap();
        tx.commit().await.unwrap();
        office.send().await;
        assert_eq!((office.state(id).await, office.state(stuck).await), (Sent, Queued));
        assert!(office.recipient(stuck).await.reply.is_some(), "it says why");
    })
    .await;
}
