//! Rules and filters as people live with them: what they do with mail, who keeps them, what they tell.
#![allow(clippy::unwrap_used)]

mod needs;
#[path = "../office/mod.rs"]
mod office;

use desk::label::{self, Hue};
use desk::may::Actor;
use desk::receive::Filed;
use desk::rule::{self, Draft, Place, RuleChange};
use desk::webhook::{self, Switch};
use desk::{Refusal, filtered, record, thread};
use model::{
    Action, Condition, Level, MailboxId, MailboxKind, Matching, MessageId, OccurrenceId, Protocol,
    RecordKind, RuleField, RuleId, RuleTest, Side, ThreadId, UserId,
};
use office::{MORNING, Mail, Office};
use store::mailboxes;
use store::params;
use store::sql::Db;
use store::threads::View;
use testkit::on_both;

const OFFER: Mail = Mail {
    from: "Ann <ann@firm.example>",
    to: "helpdesk@acme.example",
    subject: "Special offer",
    id: "1@firm.example",
    answers: "",
    text: "Buy now, while stocks last.",
    kind: "",
};

fn contains(field: RuleField, value: &str) -> Condition {
    Condition { field, header: String::new(), test: RuleTest::Contains, value: value.to_owned() }
}

fn draft(place: Place, name: &str, conditions: Vec<Condition>, actions: Vec<Action>) -> Draft {
    Draft {
        place,
        folder: None,
        name: name.to_owned(),
        enabled: true,
        matching: Matching::All,
        conditions,
        actions,
    }
}

async fn add(office: &Office, actor: &Actor, draft: Draft) -> RuleId {
    rule::create(&office.desk, actor, draft).await.unwrap().id
}

async fn number(db: &Db, sql: &str) -> i64 {
    db.query_one(sql, params![]).await.unwrap().get(0).unwrap()
}

/// A personal mailbox of somebody.
async fn personal(office: &Office, owner: UserId, address: &str) -> MailboxId {
    let id = office.mailbox(address, None).await;
    let mut tx = office.desk.db.begin().await.unwrap();
    let mut mailbox = mailboxes::mailbox(&mut tx, id).await.unwrap().unwrap();
    (mailbox.kind, mailbox.owner, mailbox.create_cases) = (MailboxKind::Personal, Some(owner), false);
    mailboxes::change(&mut tx, &mailbox).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn only_thread(office: &Office, actor: &Actor) -> store::threads::ThreadRow {
    let page = thread::list(&office.desk, actor, View::All, None, 0, 10).await.unwrap();
    assert_eq!(page.total, 1);
    page.rows.into_iter().next().unwrap()
}

/// The message with Message-ID `<number@firm.example>`.
async fn message(db: &Db, number: i64) -> MessageId {
    let text = "SELECT id FROM messages WHERE mid = $1";
    db.query_one(text, params![format!("{number}@firm.example")]).await.unwrap().get(0).unwrap()
}

/// What rules did with a message: by rule that matched its name and the outcomes.
async fn trace(office: &Office, actor: &Actor, id: i64) -> Vec<(String, Vec<String>)> {
    let id = message(&office.desk.db, id).await;
    let trials = rule::trace(&office.desk, actor, id).await.unwrap();
    let hits = trials.into_iter().flat_map(|trial| {
        let tried = trial.tried;
        trial.hits.into_iter().map(move |hit| {
            let did =
                hit.did.into_iter().map(|done| format!("{} {}", done.result, done.detail).trim().to_owned());
            (tried[hit.tried].name.clone(), did.collect())
        })
    });
    hits.collect()
}

on_both! {
    async fn c3_a_rule_links_labels_and_marks_read_and_the_trace_says_so(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let machine = Actor::machine();
        let ben = office.person("ben", Level::All, Level::All, &[]).await;
        let firm = record::Changes { name: Some("Firm".into()), domains: Some(vec!["firm.example".into()]), ..Default::default() };
        record::put(&office.desk, &machine, RecordKind::Account, firm).await.unwrap();
        let hot = label::create(&office.desk, &ben, "Hot", Hue::Red).await.unwrap();
        let actions = vec![
            Action::LinkContact { by: Side::From },
            Action::LinkAccount { by: Side::From },
            Action::Label { label: hot.id },
            Action::MarkRead,
            Action::CreateCase { process: None, team: None, priority: None },
        ];
        let asked = vec![contains(RuleField::Subject, "OFFER"), contains(RuleField::Body, "stocks")];
        add(&office, &machine, draft(Place::Mailbox(helpdesk), "Offers", asked, actions)).await;
        add(&office, &machine, draft(Place::Mailbox(helpdesk), "Others", vec![contains(RuleField::Subject, "invoice")], vec![Action::Stop])).await;
        office.arrives(helpdesk, OFFER).await;
        let row = only_thread(&office, &ben).await;
        assert_eq!(row.labels.iter().map(|label| label.name.as_str()).collect::<Vec<_>>(), ["Hot"]);
        assert!(!row.unread && row.case.is_some());
        let expected = ["no_contact", "done Firm", "done Hot", "done", "done 1"].map(str::to_owned).to_vec();
        assert_eq!(trace(&office, &ben, 1).await, vec![("Offers".to_owned(), expected)]);
        let trials = rule::trace(&office.desk, &ben, message(&db, 1).await).await.unwrap();
        assert_eq!(trials[0].tried.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["Offers", "Others"]);
        let on: Vec<&str> = trials[0].hits[0].on.iter().map(|(_, on)| on.as_str()).collect();
        assert_eq!(on, ["Special offer", "Buy now, while stocks last."]);
        let kept = rule::of_place(&office.desk, &machine, Place::Mailbox(helpdesk)).await.unwrap();
        assert_eq!((kept[0].hits, kept[1].hits), (1, 0));
        assert!(kept[0].hit_at.is_some());
        // Mail that does not match is unread.
        office.arrives(helpdesk, Mail { subject: "Question", id: "2@firm.example", text: "?", ..OFFER }).await;
        let page = thread::list(&office.desk, &ben, View::All, None, 0, 10).await.unwrap();
        assert!(page.rows[0].unread);
        assert!(trace(&office, &ben, 2).await.is_empty());
    }

    async fn c3_a_rule_links_the_contact_a_letter_is_to(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let machine = Actor::machine();
        let contact = record::Changes { name: Some("Carla".into()), addresses: Some(vec!["carla@b.example".into()]), ..Default::default() };
        record::put(&office.desk, &machine, RecordKind::Contact, contact).await.unwrap();
        add(&office, &machine, draft(Place::Mailbox(helpdesk), "To", vec![], vec![Action::LinkContact { by: Side::To }])).await;
        office.arrives(helpdesk, Mail { to: "helpdesk@acme.example, carla@b.example", ..OFFER }).await;
        let ben = office.person("ben", Level::All, Level::All, &[]).await;
        assert_eq!(trace(&office, &ben, 1).await, vec![("To".to_owned(), vec!["done Carla".to_owned()])]);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM links WHERE reason IN ('to', 'rule')").await, 1);
    }

    async fn c5_a_skipped_message_keeps_its_bytes_and_is_filed_after_all(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let machine = Actor::machine();
        add(&office, &machine, draft(Place::Global, "No offers", vec![contains(RuleField::Subject, "offer")], vec![Action::Skip])).await;
        let before = number(&db, "SELECT COUNT(*) FROM changes").await;
        let filed = office.comes(helpdesk, OFFER.bytes()).await;
        assert_eq!(filed, Filed { filtered: 1, ..Filed::default() });
        for table in ["messages", "threads", "stream", "notifications"] {
            assert_eq!(number(&db, &format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
        }
        assert!(number(&db, "SELECT COUNT(*) FROM changes").await <= before + 1);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM occurrences WHERE state = 'filtered' AND settle = 'none'").await, 1);
        let ledger = store::folders::ledger(&mut &db, Some(helpdesk)).await.unwrap();
        assert_eq!((ledger[0].filtered, ledger[0].filed, ledger[0].waiting), (1, 0, 0));
        let bytes = desk::bytes::of_occurrence(&mut &db, OccurrenceId(1)).await.unwrap().unwrap();
        assert_eq!(bytes, OFFER.bytes());
        let (total, rows) = filtered::list(&office.desk, &machine, helpdesk, 0, 10).await.unwrap();
        assert_eq!((total, rows[0].subject.as_str(), rows[0].from.as_str()), (1, "Special offer", "Ann"));
        assert_eq!(rows[0].rule_name, "No offers");
        assert_eq!(filtered::file_after_all(&office.desk, &machine, rows[0].id).await.unwrap(), helpdesk);
        assert_eq!(office.files_waiting(helpdesk).await, Filed { filed: 1, ..Filed::default() });
        assert_eq!(number(&db, "SELECT COUNT(*) FROM messages").await, 1);
        assert_eq!(filtered::list(&office.desk, &machine, helpdesk, 0, 10).await.unwrap().0, 0);
        assert!(matches!(filtered::file_after_all(&office.desk, &machine, OccurrenceId(1)).await, Err(Refusal::NotFound)));
    }

    async fn c5_what_came_through_a_group_stays_when_a_person_skips_their_copy(db: Db) {
        let mut office = Office::new(db.clone());
        let ann = office.person("ann", Level::Own, Level::No, &[]).await;
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let own = personal(&office, ann.user.unwrap(), "ann@acme.example").await;
        let ann = office.actor(ann.user.unwrap()).await;
        let place = Place::Own(ann.user.unwrap(), own);
        add(&office, &ann, draft(place, "Mine", vec![], vec![Action::Skip])).await;
        office.arrives(helpdesk, OFFER).await;
        let filed = office.comes(own, OFFER.bytes()).await;
        assert_eq!(filed, Filed { filtered: 1, ..Filed::default() });
        assert_eq!(number(&db, "SELECT COUNT(*) FROM messages").await, 1);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM occurrences WHERE state = 'filed'").await, 1);
        let (_, rows) = filtered::list(&office.desk, &ann, own, 0, 10).await.unwrap();
        assert_eq!(rows[0].rule_name, "Mine");
        // Whoever else sees the mailbox sees what was left out, and not by which private filter.
        let (_, rows) = filtered::list(&office.desk, &Actor::machine(), own, 0, 10).await.unwrap();
        assert_eq!((rows[0].rule, rows[0].rule_name.as_str()), (None, ""));
    }

    async fn c5_a_filter_of_somebodys_whole_inbox_silences_group_mail_for_them_alone(db: Db) {
        let mut office = Office::new(db.clone());
        let team = office.team("Helpdesk").await;
        let helpdesk = office.mailbox("helpdesk@acme.example", Some(team)).await;
        let ann = office.person("ann", Level::Team, Level::No, &[team]).await;
        let ben = office.person("ben", Level::Team, Level::No, &[team]).await;
        let ann = office.actor(ann.user.unwrap()).await;
        let ben = office.actor(ben.user.unwrap()).await;
        let place = Place::Inbox(ann.user.unwrap());
        add(&office, &ann, draft(place, "Quiet", vec![contains(RuleField::Subject, "offer")], vec![Action::Skip])).await;
        office.arrives(helpdesk, OFFER).await;
        assert!(!only_thread(&office, &ann).await.unread && only_thread(&office, &ben).await.unread);
        assert_eq!(trace(&office, &ann, 1).await, vec![("Quiet".to_owned(), vec!["done".to_owned()])]);
        let trials = rule::trace(&office.desk, &ben, message(&db, 1).await).await.unwrap();
        assert!(trials.iter().all(|trial| trial.tried.is_empty() && trial.hits.is_empty()));
        // An answer that she does not keep away is unread to her; and another offer does not hide it.
        let answer = Mail { subject: "Price", id: "2@firm.example", answers: "1@firm.example", ..OFFER };
        office.arrives(helpdesk, answer).await;
        assert!(only_thread(&office, &ann).await.unread);
        office.arrives(helpdesk, Mail { id: "3@firm.example", answers: "2@firm.example", ..OFFER }).await;
        assert!(only_thread(&office, &ann).await.unread);
    }

    async fn c5_a_filter_moves_on_the_server_and_a_pop3_mailbox_refuses_it_with_the_reason(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let machine = Actor::machine();
        let to = |folder: &str| vec![Action::Move { folder: folder.to_owned() }];
        add(&office, &machine, draft(Place::Global, "Offers", vec![contains(RuleField::Subject, "offer")], to("Offers"))).await;
        office.arrives(helpdesk, OFFER).await;
        let row = db
            .query_one(
                "SELECT p.kind, f.name, p.occurrence_id, o.settle FROM operations p JOIN folders f ON f.id = p.target_id JOIN occurrences o ON o.id = p.occurrence_id",
                params![],
            )
            .await
            .unwrap();
        let row = (row.get::<String>(0).unwrap(), row.get::<String>(1).unwrap(), row.get::<i64>(2).unwrap(), row.get::<String>(3).unwrap());
        assert_eq!(row, ("move".into(), "Offers".into(), 1, "none".into()));
        assert_eq!(number(&db, "SELECT COUNT(*) FROM messages").await, 1);
        // Of a POP3 mailbox it cannot be asked; a global filter says so where it comes to it.
        let mut tx = db.begin().await.unwrap();
        let mut mailbox = mailboxes::mailbox(&mut tx, helpdesk).await.unwrap().unwrap();
        mailbox.protocol = Protocol::Pop3;
        mailboxes::change(&mut tx, &mailbox).await.unwrap();
        tx.commit().await.unwrap();
        let refused = rule::create(&office.desk, &machine, draft(Place::Mailbox(helpdesk), "Away", vec![], to("A"))).await;
        assert!(matches!(refused, Err(Refusal::Invalid { code: "pop3_has_no_folders", .. })));
        office.arrives(helpdesk, Mail { id: "2@firm.example", ..OFFER }).await;
        let ben = office.person("ben", Level::All, Level::All, &[]).await;
        assert_eq!(trace(&office, &ben, 2).await, vec![("Offers".to_owned(), vec!["pop3_has_no_folders Offers".to_owned()])]);
    }

    async fn c2_rules_are_tried_in_the_order_people_give_them(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let machine = Actor::machine();
        let place = Place::Mailbox(helpdesk);
        let first = add(&office, &machine, draft(place, "First", vec![], vec![Action::MarkRead])).await;
        let second = add(&office, &machine, draft(place, "Second", vec![], vec![Action::Stop])).await;
        let other = add(&office, &machine, draft(Place::Global, "Other list", vec![contains(RuleField::Subject, "x")], vec![Action::Stop])).await;
        for wrong in [vec![], vec![first], vec![first, first], vec![second, first, other]] {
            let refused = rule::order(&office.desk, &machine, &wrong).await;
            assert!(matches!(refused, Err(Refusal::Invalid { code: "not_all", .. })), "{wrong:?}");
        }
        rule::order(&office.desk, &machine, &[second, first]).await.unwrap();
        office.arrives(helpdesk, OFFER).await;
        let ben = office.person("ben", Level::All, Level::All, &[]).await;
        assert_eq!(trace(&office, &ben, 1).await, vec![("Second".to_owned(), vec!["done".to_owned()])]);
        // Switched off, the other one is tried with the next mail, in a process that has read the rules before.
        let off = RuleChange { enabled: Some(false), ..RuleChange::default() };
        let changed = rule::change(&office.desk, &machine, second, 1, off.clone()).await.unwrap();
        assert_eq!((changed.version, changed.enabled), (2, false));
        let late = rule::change(&office.desk, &machine, second, 1, off).await;
        assert!(matches!(late, Err(Refusal::Conflict { code: "changed_meanwhile", .. })));
        office.arrives(helpdesk, Mail { id: "2@firm.example", ..OFFER }).await;
        assert_eq!(trace(&office, &ben, 2).await, vec![("First".to_owned(), vec!["done".to_owned()])]);
    }

    async fn c7_a_dry_run_says_what_would_happen_and_changes_nothing(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let orders = office.mailbox("orders@acme.example", None).await;
        office.arrives(helpdesk, OFFER).await;
        office.arrives(helpdesk, Mail { subject: "Question", id: "2@firm.example", ..OFFER }).await;
        office.arrives(orders, Mail { id: "3@firm.example", to: "orders@acme.example", ..OFFER }).await;
        let machine = Actor::machine();
        let shelf = "SELECT (SELECT COUNT(*) FROM changes) + (SELECT COUNT(*) FROM rules) + (SELECT COUNT(*) FROM occurrences WHERE state = 'filtered')";
        let before = number(&db, shelf).await;
        let asked = || vec![contains(RuleField::Subject, "offer"), contains(RuleField::Body, "stocks last")];
        let wanted = |place| draft(place, "Try", asked(), vec![Action::Skip]);
        let tried = rule::try_out(&office.desk, &machine, wanted(Place::Mailbox(helpdesk)), None, 200).await.unwrap();
        assert_eq!((tried.tried, tried.rows.len()), (2, 1));
        let row = &tried.rows[0];
        assert_eq!((row.message, row.subject.as_str(), row.from.as_str()), (message(&db, 1).await, "Special offer", "Ann"));
        assert_eq!((row.at, row.would.as_slice()), (MORNING, &[Action::Skip][..]));
        assert_eq!(row.on.iter().map(|(_, on)| on.as_str()).collect::<Vec<_>>(), ["Special offer", "Buy now, while stocks last."]);
        let tried = rule::try_out(&office.desk, &machine, wanted(Place::Global), None, 1).await.unwrap();
        assert_eq!((tried.tried, tried.rows[0].message), (1, message(&db, 3).await));
        let tried = rule::try_out(&office.desk, &machine, wanted(Place::Global), Some(helpdesk), 200).await.unwrap();
        assert_eq!((tried.tried, tried.rows.len()), (2, 1));
        assert_eq!(number(&db, shelf).await, before);
        // A keeper who reads no mail sees none by trying.
        let keeper = office.person("keeper", Level::No, Level::No, &[]).await;
        let mut tx = db.begin().await.unwrap();
        let mut mailbox = mailboxes::mailbox(&mut tx, helpdesk).await.unwrap().unwrap();
        mailbox.keeper = keeper.user;
        mailboxes::change(&mut tx, &mailbox).await.unwrap();
        tx.commit().await.unwrap();
        let tried = rule::try_out(&office.desk, &keeper, wanted(Place::Mailbox(helpdesk)), None, 200).await.unwrap();
        assert_eq!((tried.tried, tried.rows.len()), (0, 0));
    }

    async fn c5_rules_are_their_keepers_and_own_filters_nobody_elses(db: Db) {
        let office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let ann = office.person("ann", Level::Own, Level::No, &[]).await;
        let ben = office.person("ben", Level::All, Level::All, &[]).await;
        let (anns, bens) = (ann.user.unwrap(), ben.user.unwrap());
        let own = personal(&office, anns, "ann@acme.example").await;
        let (ann, ben) = (office.actor(anns).await, office.actor(bens).await);
        let skip = |place| draft(place, "Skip", vec![], vec![Action::Skip]);
        let code = |refused: Result<store::rules::Rule, Refusal>| match refused {
            Ok(_) => "may",
            Err(Refusal::NotFound) => "not found",
            Err(Refusal::Forbidden(_)) => "forbidden",
            Err(_) => "other",
        };
        let machine = Actor::machine();
        let mut table = String::new();
        let places = [Place::Global, Place::Mailbox(helpdesk), Place::Mailbox(own), Place::Own(anns, own), Place::Inbox(anns), Place::Own(bens, own)];
        for place in places {
            let mut line = format!("{place:?}:");
            for actor in [&ann, &ben, &machine] {
                line.push_str(&format!(" {}", code(rule::create(&office.desk, actor, skip(place)).await)));
                line.push(',');
            }
            table.push_str(line.trim_end_matches(','));
            table.push('\n');
        }
        expect_test::expect![[r#"
            Global: forbidden, forbidden, may
            Mailbox(MailboxId(1)): not found, not found, may
            Mailbox(MailboxId(2)): may, not found, may
            Own(UserId(1), MailboxId(2)): may, not found, not found
            Inbox(UserId(1)): may, not found, not found
            Own(UserId(2), MailboxId(2)): not found, not found, not found
        "#]]
        .assert_eq(&table);
        let ids = |rules: Vec<store::rules::Rule>| rules.iter().map(|rule| rule.id.0).collect::<Vec<_>>();
        let anns = ids(rule::all(&office.desk, &ann).await.unwrap());
        assert_eq!(anns.len(), 4);
        assert!(ids(rule::all(&office.desk, &ben).await.unwrap()).is_empty());
        for id in anns {
            assert!(matches!(rule::remove(&office.desk, &ben, RuleId(id)).await, Err(Refusal::NotFound)));
        }
        // What she could not do by hand her rules cannot either; and nobody but administrators calls other systems.
        let case = Action::CreateCase { process: None, team: None, priority: None };
        for action in [case, Action::Webhook { url: "https://crm.example/in".into() }] {
            let refused = rule::create(&office.desk, &ann, draft(Place::Mailbox(own), "More", vec![], vec![action])).await;
            assert!(matches!(refused, Err(Refusal::Forbidden(_))));
        }
    }

    async fn c6_a_rule_reports_to_a_webhook_that_is_there_and_on_with_facts_and_no_text(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let machine = Actor::machine();
        let ben = office.person("ben", Level::All, Level::All, &[]).await;
        let (desk, url) = (office.desk.clone(), "https://crm.example/mail");
        let case = Action::CreateCase { process: None, team: None, priority: None };
        let actions = vec![case, Action::Webhook { url: url.into() }];
        let (webhook, _) = webhook::add(&desk, &machine, url).await.unwrap();
        let rule = add(&office, &machine, draft(Place::Mailbox(helpdesk), "Tell", vec![], actions)).await;
        let mut told = async |number: &'static str| {
            office.arrives(helpdesk, Mail { id: number, ..OFFER }).await;
            let number = number[..1].parse().unwrap();
            trace(&office, &ben, number).await.remove(0).1.pop().unwrap()
        };
        webhook::enable(&desk, &machine, webhook.id, Switch::Off).await.unwrap();
        assert_eq!(told("1@firm.example").await, format!("webhook_off {url}"));
        assert_eq!(number(&db, "SELECT COUNT(*) FROM jobs").await, 0);
        webhook::enable(&desk, &machine, webhook.id, Switch::On).await.unwrap();
        assert_eq!(told("2@firm.example").await, format!("done {url}"));
        let (total, reports) = webhook::deliveries(&desk, &machine, 0, 10).await.unwrap();
        assert_eq!((total, reports[0].url.as_str(), reports[0].event.as_str()), (1, url, "rule"));
        let data = &reports[0].job.data;
        for fact in [format!(r#"\"rule\":{{\"id\":{rule}}}"#), "2@firm.example".into(), "Special offer".into()] {
            assert!(data.contains(&fact), "{fact} is not in {data}");
        }
        assert!(!data.contains("stocks"), "{data}");
        let used = webhook::list(&desk, &machine).await.unwrap();
        assert_eq!(used[0].rules, [(rule, "Tell".to_owned())]);
    }

    async fn c3_what_a_rule_needs_has_to_be_there_and_a_removed_label_is_on_no_thread(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let machine = Actor::machine();
        let ben = office.person("ben", Level::All, Level::All, &[]).await;
        let place = Place::Mailbox(helpdesk);
        let refused = async |actions: Vec<Action>| match rule::create(&office.desk, &machine, draft(place, "x", vec![], actions)).await {
            Err(Refusal::Invalid { code, params, .. }) => (code, params.get("number").cloned().unwrap_or_default()),
            other => panic!("{other:?}"),
        };
        let none = model::LabelId(99);
        assert_eq!(refused(vec![Action::Stop, Action::Label { label: none }]).await, ("no_such_label", "2".into()));
        assert_eq!(refused(vec![]).await.0, "one_to_most_actions");
        assert_eq!(refused(vec![Action::Move { folder: " ".into() }]).await.0, "folder_needed");
        assert_eq!(refused(vec![Action::Webhook { url: "https://crm.example/".into() }]).await.0, "no_such_webhook");
        assert_eq!(refused(vec![Action::UpdateCase { status: None, priority: None }]).await.0, "nothing_to_change");
        let filter = draft(Place::Global, "x", vec![], vec![Action::MarkRead]);
        assert!(matches!(rule::create(&office.desk, &machine, filter).await, Err(Refusal::Invalid { code: "not_for_filters", .. })));
        let evil = Condition { test: RuleTest::Regex, ..contains(RuleField::Body, "(") };
        let bad = rule::create(&office.desk, &machine, draft(place, "x", vec![evil], vec![Action::Stop])).await;
        assert!(matches!(bad, Err(Refusal::Invalid { code: "bad_pattern", .. })));
        let hot = label::create(&office.desk, &ben, "Hot", Hue::Red).await.unwrap();
        add(&office, &machine, draft(place, "Hot ones", vec![], vec![Action::Label { label: hot.id }])).await;
        office.arrives(helpdesk, OFFER).await;
        assert_eq!(only_thread(&office, &ben).await.labels.len(), 1);
        label::remove(&office.desk, &machine, hot.id).await.unwrap();
        assert_eq!(number(&db, "SELECT COUNT(*) FROM thread_labels").await, 0);
        assert!(only_thread(&office, &ben).await.labels.is_empty());
    }

    async fn c6_labels_are_put_on_threads_by_hand_as_far_as_they_are_seen(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let ben = office.person("ben", Level::All, Level::All, &[]).await;
        let ann = office.person("ann", Level::Own, Level::No, &[]).await;
        office.arrives(helpdesk, OFFER).await;
        let hot = label::create(&office.desk, &ben, "Hot", Hue::Red).await.unwrap();
        let again = label::create(&office.desk, &ben, " Hot ", Hue::Blue).await;
        assert!(matches!(again, Err(Refusal::Conflict { code: "label_taken", .. })));
        let id = ThreadId(1);
        assert!(matches!(label::put(&office.desk, &ann, id, hot.id).await, Err(Refusal::NotFound)));
        label::put(&office.desk, &ben, id, hot.id).await.unwrap();
        label::put(&office.desk, &ben, id, hot.id).await.unwrap();
        assert_eq!(only_thread(&office, &ben).await.labels, std::slice::from_ref(&hot));
        label::take_off(&office.desk, &ben, id, hot.id).await.unwrap();
        assert!(only_thread(&office, &ben).await.labels.is_empty());
        assert!(matches!(label::remove(&office.desk, &ben, hot.id).await, Err(Refusal::Forbidden(_))));
    }
}
