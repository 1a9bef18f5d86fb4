//! What rules need and what decides which are tried: removed, given to others, forgotten.

use super::{OFFER, add, contains, draft, message, number, personal, trace};
use crate::office::{Mail, Office};
use desk::mailbox::{self, FolderChoice, MailboxChange};
use desk::may::Actor;
use desk::people::{self, UserChange};
use desk::rule::{self, Place, RuleChange};
use desk::{filtered, label, notification, template, thread, webhook};
use model::{
    Action, AfterFiling, Assignment, Level, MailboxId, MailboxKind, Missing, RuleField, RuleId, RuleKind,
    RuleNeed, TriedRule,
};
use store::folders::synchronised::{self, ServerFolder};
use store::mailboxes;
use store::sql::Db;
use store::templates::Text;
use store::threads::View;
use testkit::on_both;

/// Somebody who keeps a mailbox and is told of its rules.
async fn keeper(office: &Office, mailbox: MailboxId) -> Actor {
    let carla = office.person("carla", Level::No, Level::No, &[]).await;
    let mut tx = office.desk.db.begin().await.unwrap();
    let mut kept = mailboxes::mailbox(&mut tx, mailbox).await.unwrap().unwrap();
    kept.keeper = carla.user;
    mailboxes::change(&mut tx, &kept).await.unwrap();
    tx.commit().await.unwrap();
    carla
}

/// What somebody was told of rules that were switched off: the rule and what it lacks, newest first.
async fn told(office: &Office, actor: &Actor) -> Vec<(String, String)> {
    let (_, _, rows) = notification::page(&office.desk, actor, 0, 100).await.unwrap();
    let off = rows.into_iter().filter(|row| row.kind == "rule_switched_off");
    let parts = off.map(|row| {
        let data: std::collections::BTreeMap<String, String> = serde_json::from_str(&row.data).unwrap();
        (data["name"].clone(), data["value"].clone())
    });
    parts.collect()
}

async fn missing(office: &Office, id: RuleId) -> (bool, Option<Missing>) {
    let rule = rule::open(&office.desk, &Actor::machine(), id).await.unwrap();
    (rule.enabled, rule.missing)
}

fn lacks(what: RuleNeed, name: &str) -> (bool, Option<Missing>) {
    (false, Some(Missing { what, name: name.to_owned() }))
}

/// Changes a mailbox, which has no password and so cannot be on.
async fn change(office: &Office, id: MailboxId, change: MailboxChange) {
    let change = MailboxChange { active: Some(false), ..change };
    mailbox::change(&office.desk, &Actor::machine(), id, change).await.unwrap();
}

fn folders(names: &[&str]) -> MailboxChange {
    let choice = |name: &&str| FolderChoice {
        name: (*name).to_owned(),
        after_filing: AfterFiling::Leave,
        processed_folder: None,
    };
    MailboxChange {
        folders: Some(names.iter().map(choice).collect()),
        teams: Some(vec!["Support".into()]),
        process: Some(Some("Helpdesk".into())),
        ..MailboxChange::default()
    }
}

on_both! {
    async fn c3_a_rule_is_switched_off_with_the_reason_when_what_it_needs_is_removed(db: Db) {
        let mut office = Office::new(db);
        let machine = Actor::machine();
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let carla = keeper(&office, helpdesk).await;
        let ben = office.person("ben", Level::All, Level::All, &[]).await;
        let hot = label::create(&office.desk, &machine, "Hot", label::Hue::Red).await.unwrap().id;
        let text = Text { language: "en".into(), subject: String::new(), body: "Thank you.".into() };
        let thanks = template::add(&office.desk, &machine, "Thanks", vec![text]).await.unwrap().id;
        let url = "https://crm.acme.example/mail";
        let (crm, _) = webhook::add(&office.desk, &machine, url).await.unwrap();
        let to_ben = Assignment::User { user: ben.user.unwrap() };
        let rules = [
            ("Labels", Action::Label { label: hot }),
            ("Thanks", Action::Reply { template: thanks }),
            ("Reports", Action::Webhook { url: url.to_owned() }),
            ("To Ben", Action::Assign { assignment: to_ben }),
            ("Other", Action::MarkRead),
        ];
        let mut ids = Vec::new();
        for (name, action) in rules {
            let draft = draft(Place::Mailbox(helpdesk), name, vec![], vec![action]);
            ids.push(add(&office, &machine, draft).await);
        }
        label::remove(&office.desk, &machine, hot).await.unwrap();
        template::remove(&office.desk, &machine, thanks).await.unwrap();
        webhook::remove(&office.desk, &machine, crm.id).await.unwrap();
        let gone = UserChange { active: Some(false), ..UserChange::default() };
        people::change_user(&office.desk, &machine, ben.user.unwrap(), gone).await.unwrap();
        let expected = [
            lacks(RuleNeed::Label, "Hot"),
            lacks(RuleNeed::Template, "Thanks"),
            lacks(RuleNeed::Webhook, url),
            lacks(RuleNeed::User, "ben"),
            (true, None),
        ];
        for (id, expected) in ids.iter().zip(expected) {
            assert_eq!(missing(&office, *id).await, expected);
        }
        let name = |one: &str| one.to_owned();
        let expected = [("To Ben", "ben"), ("Reports", url), ("Thanks", "Thanks"), ("Labels", "Hot")];
        assert_eq!(told(&office, &carla).await, expected.map(|(rule, value)| (name(rule), name(value))));
        // The mail that comes then is tried with what is left.
        office.arrives(helpdesk, OFFER).await;
        let dana = office.person("dana", Level::All, Level::All, &[]).await;
        assert_eq!(trace(&office, &dana, 1).await, vec![("Other".to_owned(), vec!["done".to_owned()])]);
        // Switching it on as it is is refused; it says why until somebody makes it something that can be.
        let on = RuleChange { enabled: Some(true), ..RuleChange::default() };
        assert!(rule::change(&office.desk, &machine, ids[0], 2, on.clone()).await.is_err());
        assert_eq!(missing(&office, ids[0]).await, lacks(RuleNeed::Label, "Hot"));
        let mended = RuleChange { actions: Some(vec![Action::MarkRead]), ..on };
        rule::change(&office.desk, &machine, ids[0], 2, mended).await.unwrap();
        assert_eq!(missing(&office, ids[0]).await, (true, None));
    }

    async fn c3_a_template_that_a_mailbox_answers_with_stays(db: Db) {
        let office = Office::new(db);
        let machine = Actor::machine();
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let text = Text { language: "en".into(), subject: String::new(), body: "Thank you.".into() };
        let thanks = template::add(&office.desk, &machine, "Thanks", vec![text]).await.unwrap().id;
        let mut tx = office.desk.db.begin().await.unwrap();
        store::templates::set_of_mailbox(&mut tx, helpdesk, Some(thanks)).await.unwrap();
        tx.commit().await.unwrap();
        let draft = draft(Place::Mailbox(helpdesk), "Thanks", vec![], vec![Action::Reply { template: thanks }]);
        let id = add(&office, &machine, draft).await;
        let refused = template::remove(&office.desk, &machine, thanks).await;
        assert!(matches!(refused, Err(desk::Refusal::Conflict { code: "template_in_use", .. })));
        assert_eq!(missing(&office, id).await, (true, None));
    }

    async fn c1_a_rule_of_one_folder_is_switched_off_when_that_is_read_no_more(db: Db) {
        let office = Office::new(db);
        let machine = Actor::machine();
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let carla = keeper(&office, helpdesk).await;
        change(&office, helpdesk, folders(&["INBOX", "Orders"])).await;
        let all = store::folders::read_folders(&mut &office.desk.db, helpdesk).await.unwrap();
        let place = Place::Mailbox(helpdesk);
        let of = |name: &str| all.iter().find(|folder| folder.name == name).map(|folder| folder.id);
        let mut ids = Vec::new();
        for folder in [of("Orders"), of("INBOX"), None] {
            let rule = rule::Draft { folder, ..draft(place, "Of a folder", vec![], vec![Action::MarkRead]) };
            ids.push(add(&office, &machine, rule).await);
        }
        change(&office, helpdesk, folders(&["INBOX"])).await;
        let expected = [lacks(RuleNeed::Folder, "Orders"), (true, None), (true, None)];
        for (id, expected) in ids.iter().zip(expected) {
            assert_eq!(missing(&office, *id).await, expected);
        }
        assert_eq!(told(&office, &carla).await, [("Of a folder".to_owned(), "Orders".to_owned())]);
    }

    async fn c1_a_rule_of_one_folder_is_switched_off_when_its_server_has_it_no_more(db: Db) {
        let office = Office::new(db);
        let machine = Actor::machine();
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let listed = async |names: &[&str]| {
            let server = |name: &&str| ServerFolder { name: (*name).to_owned(), delimiter: None, special_use: None };
            let folders: Vec<ServerFolder> = names.iter().map(server).collect();
            let mut tx = office.desk.db.begin().await.unwrap();
            tx.execute("UPDATE mailboxes SET mode = 'synchronise'", store::params![]).await.unwrap();
            synchronised::listed(&mut tx, helpdesk, &folders, office.desk.clock.now()).await.unwrap();
            mailbox::folders::changed_on_server(&office.desk, &mut tx, helpdesk).await.unwrap();
            tx.commit().await.unwrap();
        };
        listed(&["INBOX", "Orders"]).await;
        let mut tx = office.desk.db.begin().await.unwrap();
        let orders = synchronised::named(&mut tx, helpdesk, "Orders").await.unwrap();
        tx.commit().await.unwrap();
        let place = Place::Mailbox(helpdesk);
        let of_orders = rule::Draft { folder: Some(orders), ..draft(place, "Orders", vec![], vec![Action::MarkRead]) };
        let id = add(&office, &machine, of_orders).await;
        listed(&["INBOX", "Orders", "More"]).await;
        assert_eq!(missing(&office, id).await, (true, None));
        listed(&["INBOX", "More"]).await;
        assert_eq!(missing(&office, id).await, lacks(RuleNeed::Folder, "Orders"));
    }

    async fn c5_whose_filters_are_tried_follows_the_owner_and_the_kind_of_a_mailbox(db: Db) {
        let mut office = Office::new(db.clone());
        let machine = Actor::machine();
        let ann = office.person("ann", Level::Own, Level::No, &[]).await.user.unwrap();
        let ben = office.person("ben", Level::Own, Level::No, &[]).await.user.unwrap();
        let own = personal(&office, ann, "ann@acme.example").await;
        let skip = draft(Place::Inbox(ann), "Not for me", vec![contains(RuleField::Subject, "offer")], vec![Action::Skip]);
        add(&office, &office.actor(ann).await, skip).await;
        let mut next = 0;
        let mut offer = async |office: &mut Office| {
            next += 1;
            let id: &'static str = Box::leak(format!("{next}@firm.example").into_boxed_str());
            let filed = office.comes(own, Mail { id, ..OFFER }.bytes()).await;
            (filed.filed, filed.filtered)
        };
        assert_eq!(offer(&mut office).await, (0, 1));
        // Another owner; the rules of this process were read before.
        change(&office, own, MailboxChange { owner: Some(ben), ..MailboxChange::default() }).await;
        assert_eq!(offer(&mut office).await, (1, 0));
        change(&office, own, MailboxChange { owner: Some(ann), ..MailboxChange::default() }).await;
        assert_eq!(offer(&mut office).await, (0, 1));
        // A group's: her filters keep it from being unread to her, and no more.
        let group = MailboxChange {
            kind: Some(MailboxKind::Group),
            teams: Some(vec!["Support".into()]),
            process: Some(Some("Helpdesk".into())),
            ..MailboxChange::default()
        };
        change(&office, own, group).await;
        assert_eq!(offer(&mut office).await, (1, 0));
        assert_eq!(filtered::list(&office.desk, &machine, own, 0, 10).await.unwrap().0, 2);
        let hits = async || number(&db, "SELECT hits FROM rules").await;
        assert_eq!(hits().await, 3);
        // Of somebody who is switched off nothing is tried.
        let off = UserChange { active: Some(false), ..UserChange::default() };
        people::change_user(&office.desk, &machine, ann, off).await.unwrap();
        assert_eq!(offer(&mut office).await, (1, 0));
        assert_eq!(hits().await, 3);
    }

    async fn c7_lists_of_rules_are_bounded_and_what_matched_stays_known(db: Db) {
        let mut office = Office::new(db.clone());
        let machine = Actor::machine();
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let place = Place::Mailbox(helpdesk);
        let invoices = vec![contains(RuleField::Subject, "invoice")];
        add(&office, &machine, draft(place, "Invoices", invoices, vec![Action::Stop])).await;
        let offers = vec![contains(RuleField::Subject, "offer")];
        let id = add(&office, &machine, draft(place, "Offers", offers, vec![Action::MarkRead])).await;
        office.arrives(helpdesk, OFFER).await;
        let first = message(&db, 1).await;
        let whole = rule::trace(&office.desk, &machine, first).await.unwrap().remove(0);
        assert_eq!((whole.complete, whole.tried.len(), whole.hits[0].tried), (true, 2, 1));
        // With a change the list is another one. The old one is forgotten once so many others were in use since.
        rule::change(&office.desk, &machine, id, 1, RuleChange { name: Some("Special".into()), ..RuleChange::default() }).await.unwrap();
        office.arrives(helpdesk, Mail { id: "2@firm.example", ..OFFER }).await;
        office.desk.clock.advance_s(2 * 86_400);
        office.arrives(helpdesk, Mail { id: "3@firm.example", ..OFFER }).await;
        let mut tx = db.begin().await.unwrap();
        for list in 0..store::rules::MOST_SETS - 1 {
            let rule = TriedRule { id: RuleId(list), version: 1, kind: RuleKind::Rule, name: "x".into(), user: None };
            store::rules::set_id(&mut tx, &[rule], office.desk.clock.now()).await.unwrap();
        }
        tx.commit().await.unwrap();
        assert_eq!(number(&db, "SELECT COUNT(*) FROM rule_sets").await, store::rules::MOST_SETS);
        let left = rule::trace(&office.desk, &machine, first).await.unwrap().remove(0);
        assert_eq!((left.complete, left.hits[0].tried), (false, 0));
        assert_eq!(left.tried, [whole.tried[1].clone()]);
        assert_eq!((&left.hits[0].on, &left.hits[0].did), (&whole.hits[0].on, &whole.hits[0].did));
        let second = rule::trace(&office.desk, &machine, message(&db, 2).await).await.unwrap().remove(0);
        assert_eq!((second.complete, second.tried.len()), (true, 2));
    }

    async fn c6_messages_are_found_by_the_labels_of_their_threads(db: Db) {
        let mut office = Office::new(db.clone());
        let machine = Actor::machine();
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        for (id, subject) in [("1@firm.example", "Offer one"), ("2@firm.example", "Offer two"), ("3@firm.example", "Offer three")] {
            office.arrives(helpdesk, Mail { id, subject, ..OFFER }).await;
        }
        office.arrives(helpdesk, Mail { id: "4@firm.example", answers: "1@firm.example", subject: "Re: Offer one", ..OFFER }).await;
        let page = thread::list(&office.desk, &machine, View::All, None, 0, 10).await.unwrap();
        let of = |subject: &str| page.rows.iter().find(|row| row.subject == subject).unwrap().id;
        let hot = label::create(&office.desk, &machine, "Hot", label::Hue::Red).await.unwrap().id;
        let week = label::create(&office.desk, &machine, "Příští týden", label::Hue::Blue).await.unwrap().id;
        for (subject, label) in [("Offer one", hot), ("Offer two", hot), ("Offer two", week)] {
            label::put(&office.desk, &machine, of(subject), label).await.unwrap();
        }
        let found = async |typed: &str| {
            let (total, hits) = desk::search::find(&office.desk, &machine, typed, None, 0, 10).await.unwrap();
            assert_eq!(total as usize, hits.len());
            hits.into_iter().map(|hit| hit.message.subject).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(found("label:hot").await, "Re: Offer one, Offer two, Offer one");
        assert_eq!(found("LABEL:Hot offer subject:two").await, "Offer two");
        assert_eq!(found("label:\"pristi tyden\"").await, "Offer two");
        assert_eq!(found("label:hot label:\"Příští týden\"").await, "Offer two");
        assert_eq!(found("label:hot -label:\"příští týden\" stocks").await, "Re: Offer one, Offer one");
        assert_eq!(found("-label:hot").await, "Offer three");
        assert_eq!(found("label:nothing offer").await, "");
        assert_eq!(found("-label:nothing subject:three").await, "Offer three");
        // Taken off, at once; and nobody finds by a label what they may not see.
        label::take_off(&office.desk, &machine, of("Offer two"), hot).await.unwrap();
        assert_eq!(found("label:hot subject:two").await, "");
        let ann = office.person("ann", Level::Own, Level::No, &[]).await;
        assert_eq!(desk::search::find(&office.desk, &ann, "label:hot", None, 0, 10).await.unwrap().0, 0);
    }
}
