//! Rules with everything real: mail that lies on a server, rounds, what is sent and reported, what is moved.

use crate::others::server;
use crate::post_room::{PostRoom, Server, folder};
use crate::webhooks::receiver;
use desk::label::{self, Hue};
use desk::mailbox::{self, MailboxChange, OutgoingChoice};
use desk::may::Actor;
use desk::rule::{self, Draft, Place};
use desk::seal::Secret;
use desk::template;
use hmac::{Hmac, KeyInit, Mac};
use model::AfterFiling::{Leave, Move};
use model::{Action, Assignment, Condition, MailboxId, Matching, RuleField, RuleTest, Side, Tls, UserId};
use sha2::Sha256;
use std::time::{Duration, Instant};
use store::templates::Text;
use testkit::dovecot::{Dovecot, Options};
use testkit::scripted::{ImapServer, Mailbox, Manner, SmtpManner, SmtpServer};

const PATIENCE: Duration = Duration::from_secs(60);

/// A letter with this word in its subject.
fn letter(word: &str) -> Vec<u8> {
    format!(
        "Message-ID: <{word}@firma.example>\r\nFrom: Ann <ann@firma.example>\r\nTo: helpdesk@acme.example\r\n\
         Date: Mon, 2 Nov 2026 10:00:00 +0100\r\nSubject: My {word}\r\n\r\nPlease look at my {word} today, thank you.\r\n"
    )
    .into_bytes()
}

async fn on_each(story: impl AsyncFn(PostRoom)) {
    story(PostRoom::new().await).await;
    story(PostRoom::on_postgres().await).await;
}

impl PostRoom {
    /// Adds a rule for letters with this word in the subject; none: for all.
    async fn rule(&self, place: Place, name: &str, word: &str, actions: Vec<Action>) {
        let condition = Condition {
            field: RuleField::Subject,
            header: String::new(),
            test: RuleTest::Contains,
            value: word.to_owned(),
        };
        let draft = Draft {
            place,
            folder: None,
            name: name.to_owned(),
            enabled: true,
            matching: Matching::All,
            conditions: Vec::from_iter((!word.is_empty()).then_some(condition)),
            actions,
        };
        rule::create(self.desk(), &Actor::machine(), draft).await.unwrap();
    }

    /// What rules did with the letter with this word: rule by rule its outcomes.
    async fn trace(&self, word: &str) -> Vec<String> {
        let text = "SELECT id FROM messages WHERE mid = $1";
        let mid = format!("{word}@firma.example");
        let id = self.desk().db.query_one(text, store::params![mid]).await.unwrap().get(0).unwrap();
        let trials = rule::trace(self.desk(), &Actor::machine(), id).await.unwrap();
        let line = |trial: &rule::Trial, hit: &model::Hit| {
            let did = hit.did.iter().map(|done| format!("{} {}", done.result, done.detail).trim().to_owned());
            format!("{}: {}", trial.tried[hit.tried].name, did.collect::<Vec<_>>().join(", "))
        };
        trials.iter().flat_map(|trial| trial.hits.iter().map(|hit| line(trial, hit))).collect()
    }

    /// Somebody who handles cases.
    async fn user(&self, name: &str) -> UserId {
        let new = desk::people::NewUser {
            name: name.to_owned(),
            login: name.to_owned(),
            password: Secret::new("a long password"),
            language: desk::people::Language::English,
            role: None,
            addresses: vec![format!("{name}@acme.example")],
            teams: Vec::new(),
        };
        desk::people::add_user(self.desk(), &Actor::machine(), new).await.unwrap().id
    }

    async fn sends_through(&self, id: MailboxId, sink: &SmtpServer) {
        let outgoing = OutgoingChoice {
            host: "127.0.0.1".into(),
            port: sink.address.port(),
            tls: Tls::None,
            username: "ann".into(),
            password: Some(Secret::new("secret")),
        };
        let change = MailboxChange {
            address: Some("helpdesk@acme.example".into()),
            outgoing: Some(Some(outgoing)),
            ..MailboxChange::default()
        };
        mailbox::change(self.desk(), &Actor::machine(), id, change).await.unwrap();
    }
}

/// Waits until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What a header of an HTTP request says; its name in lower case.
fn header<'a>(request: &'a str, name: &str) -> &'a str {
    let prefix = format!("{name}: ");
    request.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_default()
}

/// The signature as its receiver computes it, by the description in docs.
fn signed(secret: &str, at: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{at}.{body}").as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c6_mail_that_matches_makes_a_case_for_somebody_is_labelled_answered_and_reported_while_serving() {
    on_each(async |room| {
        let (dovecot, machine) = (Dovecot::start(), Actor::machine());
        let sink = SmtpServer::start(SmtpManner { sign_in_first: true, ..SmtpManner::default() }).await.unwrap();
        let (port, heard) = receiver(vec!["200 OK"]).await;
        let url = format!("http://127.0.0.1:{port}/mail");
        mailbox::allow_hosts(room.desk(), &machine, &["127.0.0.1".to_owned()]).await.unwrap();
        let (_, secret) = desk::webhook::add(room.desk(), &machine, &url).await.unwrap();
        let id = room.connect(server(&dovecot, "helpdesk"), vec![folder("INBOX", Move)]).await;
        room.sends_through(id, &sink).await;
        let ben = room.user("ben").await;
        let hot = label::create(room.desk(), &machine, "Hot", Hue::Red).await.unwrap();
        let text = Text { language: "en".into(), subject: String::new(), body: "We look at it, {{customer.name}}.".into() };
        let thanks = template::add(room.desk(), &machine, "Thanks", vec![text]).await.unwrap();
        let actions = vec![
            Action::CreateCase { process: None, team: None, priority: Some(model::Priority::High) },
            Action::Assign { assignment: Assignment::User { user: ben } },
            Action::Label { label: hot.id },
            Action::Reply { template: thanks.id },
            Action::Webhook { url: url.clone() },
            Action::LinkContact { by: Side::From },
        ];
        room.rule(Place::Mailbox(id), "Orders", "order", actions).await;
        let _serving = room.serve();
        dovecot.deliver("helpdesk", "INBOX", letter("order")).unwrap();
        until("the answer", async || !sink.received().is_empty()).await;
        until("the report", async || !heard.lock().unwrap().is_empty()).await;
        until("the move after filing", async || dovecot.count("helpdesk", "INBOX").unwrap() == 0).await;
        let done = format!("Orders: done 1, done ben, done Hot, done, done {url}, no_contact");
        assert_eq!(room.trace("order").await, [done]);
        let case = "SELECT COUNT(*) FROM records WHERE kind = 'case' AND priority = 'high' AND assignee_id IS NOT NULL";
        assert_eq!((room.number(case).await, room.number("SELECT COUNT(*) FROM thread_labels").await), (1, 1));
        let answer = sink.received().remove(0);
        let text = String::from_utf8(answer.message()).unwrap();
        assert_eq!((answer.from.as_str(), answer.to.as_slice()), ("", &["ann@firma.example".to_owned()][..]));
        assert!(text.contains("We look at it, Ann.") && text.contains("Auto-Submitted: auto-replied"), "{text}");
        assert!(text.contains("In-Reply-To: <order@firma.example>"), "{text}");
        let report = heard.lock().unwrap()[0].clone();
        let (_, body) = report.split_once("\r\n\r\n").unwrap();
        let signature = header(&report, "x-lettercase-signature");
        let (at, mac) = signature.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")).unwrap();
        assert_eq!(mac, signed(secret.reveal(), at, body));
        let told: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!((&told["message"]["subject"], &told["case"]["number"]), (&"My order".into(), &1.into()));
        assert!(!body.contains("Please look"), "a report has nothing of the text");
        // Another of the same sender's is answered no second time that day, and reported all the same.
        dovecot.deliver("helpdesk", "INBOX", letter("reorder")).unwrap();
        until("the second report", async || heard.lock().unwrap().len() == 2).await;
        let done = format!("Orders: done 2, done ben, done Hot, too_often, done {url}, no_contact");
        assert_eq!(room.trace("reorder").await, [done]);
        assert_eq!(sink.received().len(), 1);
    })
    .await;
}

/// Moved by a rule, while others are skipped, stopped at, or settled as the folder says.
async fn moves(room: PostRoom, dovecot: Dovecot) {
    let id = room.connect(server(&dovecot, "helpdesk"), vec![folder("INBOX", Move)]).await;
    let place = Place::Mailbox(id);
    room.rule(Place::Global, "No news", "news", vec![Action::Skip]).await;
    room.rule(place, "Offers", "offer", vec![Action::Move { folder: "Offers".into() }, Action::Stop]).await;
    room.rule(place, "Rest", "", vec![Action::MarkRead]).await;
    let _serving = room.serve();
    // Each waits for the one before: what a rule moves is moved without waiting for other mail.
    for word in ["news", "order", "offer"] {
        dovecot.deliver("helpdesk", "INBOX", letter(word)).unwrap();
        until(word, async || {
            let there = async |folder: &str| dovecot.count("helpdesk", folder).unwrap_or(0);
            match word {
                "news" => room.number("SELECT COUNT(*) FROM occurrences WHERE state = 'filtered'").await == 1,
                "order" => there("Processed").await == 1,
                _ => there("Offers").await == 1,
            }
        })
        .await;
    }
    assert_eq!(room.trace("offer").await, ["Offers: done Offers, done"]);
    assert_eq!(room.trace("order").await, ["Rest: done"]);
    until("the operation is done", async || {
        room.number("SELECT COUNT(*) FROM operations WHERE state = 'due'").await == 0
    })
    .await;
    let counts = ["INBOX", "Processed", "Offers"].map(|folder| dovecot.count("helpdesk", folder).unwrap());
    assert_eq!(counts, [1, 1, 1], "what is skipped stays where it is");
    assert_eq!(room.number("SELECT COUNT(*) FROM messages").await, 2);
    let ledger = room.ledger(id).await;
    assert_eq!(
        (ledger.filed, ledger.filtered, ledger.waiting, ledger.difference),
        (2, 1, 0, 0),
        "{ledger:?}"
    );
    let refused =
        room.number("SELECT COUNT(*) FROM operations WHERE state = 'failed' OR error IS NOT NULL").await;
    assert_eq!(refused, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c5_filters_skip_and_rules_move_at_once_and_stop_while_serving() {
    on_each(async |room| moves(room, Dovecot::start()).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c5_a_server_without_move_is_moved_on_at_once_too_and_nothing_is_there_twice() {
    let without = vec!["MOVE".to_owned()];
    let dovecot = Dovecot::try_start(&Options { without, ..Options::default() }).unwrap();
    moves(PostRoom::new().await, dovecot).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c3_in_a_synchronised_mailbox_a_rule_marks_as_read_and_moves_on_the_server() {
    on_each(async |room| {
        let dovecot = Dovecot::start();
        dovecot.create_folder("helpdesk", "Offers").unwrap();
        let id = room.connect_synchronised(server(&dovecot, "helpdesk")).await;
        room.rule(
            Place::Mailbox(id),
            "Offers",
            "offer",
            vec![Action::MarkRead, Action::Move { folder: "Offers".into() }],
        )
        .await;
        let _serving = room.serve();
        dovecot.deliver("helpdesk", "INBOX", letter("offer")).unwrap();
        until("the move", async || dovecot.count("helpdesk", "Offers").unwrap() == 1).await;
        until("the list", async || room.subjects(id, "Offers").await == ["My offer seen"]).await;
        assert!(room.subjects(id, "INBOX").await.is_empty());
        assert_eq!(room.trace("offer").await, ["Offers: done, done Offers"]);
        let said = dovecot.doveadm(&["fetch", "-u", "helpdesk", "flags", "mailbox", "Offers"]).unwrap();
        assert!(said.contains("\\Seen"), "{said}");
        assert_eq!(room.number("SELECT COUNT(*) FROM messages").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c5_rules_that_move_mail_to_each_others_folder_come_to_an_end() {
    // A server that does not say what became of what it moved: it is read as new in the other folder.
    let silent = |line: &str| line.contains("COPYUID").then(|| "* OK moving".to_owned());
    let mut there = Mailbox::with_inbox([letter("offer")]);
    let offers = testkit::scripted::Folder { uid_validity: 33, uid_next: 1, messages: Vec::new() };
    there.folders.insert("Offers".into(), offers);
    let server =
        ImapServer::start(there, Manner { oddity: silent, ..Manner::default() }, Vec::new()).await.unwrap();
    let room = PostRoom::new().await;
    let at = Server { host: "127.0.0.1", port: server.address.port(), user: "ann", password: "x" };
    let id = room.connect(at, vec![folder("INBOX", Leave), folder("Offers", Leave)]).await;
    for target in ["Offers", "INBOX"] {
        room.rule(Place::Mailbox(id), target, "offer", vec![Action::Move { folder: target.into() }]).await;
    }
    let _serving = room.serve();
    until("the end", async || {
        let is_filed = room.number("SELECT COUNT(*) FROM messages").await == 1;
        is_filed && room.trace("offer").await.iter().any(|line| line.contains("moved_before"))
    })
    .await;
    assert_eq!(room.number("SELECT COUNT(*) FROM operations").await, 3);
    assert_eq!(room.number("SELECT COUNT(*) FROM operations WHERE state = 'due'").await, 0);
    let folders = server.mailbox().folders;
    assert_eq!((folders["INBOX"].messages.len(), folders["Offers"].messages.len()), (0, 1));
}
