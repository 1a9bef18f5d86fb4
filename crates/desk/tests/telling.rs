//! Stories of being told: who hears of mail, notes and handing over, and who must not.
#![allow(clippy::unwrap_used)]

mod office;

use desk::case::{self, Changes};
use desk::hand::{self, To};
use desk::may::Actor;
use desk::notification::{self, Event, Subject, Ways};
use desk::outgoing::{self, Outgoing};
use desk::people::{self, UserChange};
use desk::seal::Secret;
use desk::thread::Item;
use desk::{Desk, Refusal, link, note, record, search, thread};
use model::{Level, RecordId, RecordKind, ThreadId};
use office::{Mail, Office};
use store::sql::Db;
use store::stream::Only;
use store::threads::{Part, View};
use testkit::on_both;

const QUESTION: Mail = Mail {
    from: "Ann Nováková <ann@firm.example>",
    to: "helpdesk@acme.example",
    subject: "Where is my order?",
    id: "q1@firm.example",
    answers: "",
    text: "Hello,\nI wait for order 4711.\nAnn",
    kind: "",
};

const MORE: Mail = Mail {
    subject: "Re: Where is my order?",
    id: "q2@firm.example",
    answers: "q1@firm.example",
    text: "Any news?",
    ..QUESTION
};

/// What somebody was told, the newest first: `*` unread, the event, how often, from whom, about what.
async fn told(desk: &Desk, actor: &Actor) -> Vec<String> {
    let (total, _, rows) = notification::page(desk, actor, 0, 100).await.unwrap();
    assert_eq!(total as usize, rows.len());
    let line = |row: &store::notifications::Notification| {
        let data: std::collections::BTreeMap<String, String> = serde_json::from_str(&row.data).unwrap();
        let word = |name: &str| data.get(name).cloned().unwrap_or_default();
        let read = if row.read { "." } else { "*" };
        format!("{read} {} {}x {}: {}", row.kind, row.count, word("from"), word("subject"))
    };
    rows.iter().map(line).collect()
}

async fn only_thread(desk: &Desk, actor: &Actor) -> ThreadId {
    thread::list(desk, actor, View::All, None, 0, 1).await.unwrap().rows[0].id
}

async fn add(desk: &Desk, actor: &Actor, kind: RecordKind, name: &str, address: &str) -> RecordId {
    let changes = record::Changes {
        name: Some(name.to_owned()),
        addresses: Some(vec![address.to_owned()]),
        ..record::Changes::default()
    };
    record::put(desk, actor, kind, changes).await.unwrap().1.record.id
}

fn named(name: &str) -> record::Changes {
    record::Changes { name: Some(name.to_owned()), ..record::Changes::default() }
}

on_both! {
    async fn b4_followers_hear_of_mail_that_was_not_sent_to_them(db: Db) {
        let mut office = Office::new(db);
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let ben = office.person("ben", Level::All, Level::All, &[]).await;
        let desk = office.desk.clone();
        let contact = add(&desk, &lead, RecordKind::Contact, "Ann Nováková", "ann@firm.example").await;
        record::follow(&desk, &ben, contact).await.unwrap();
        office.arrives(helpdesk, QUESTION).await;
        let line = "* mail_on_followed 1x Ann Nováková: Where is my order?";
        assert_eq!(told(&desk, &ben).await, [line]);
        // Whoever made the record follows it too.
        assert_eq!(told(&desk, &lead).await, [line]);

        // Several mails of one thread are one line with a count, the newest words in front.
        let more = Mail { to: "helpdesk@acme.example, orders@acme.example", ..MORE };
        office.arrives(helpdesk, more.clone()).await;
        assert_eq!(told(&desk, &ben).await, ["* mail_on_followed 2x Ann Nováková: Re: Where is my order?"]);
        // Another copy of a mail is no news.
        let other = office.mailbox("orders@acme.example", None).await;
        office.arrives(other, more).await;
        assert_eq!(told(&desk, &ben).await, ["* mail_on_followed 2x Ann Nováková: Re: Where is my order?"]);

        // Whoever reads the thread has read what was told of it.
        let id = only_thread(&desk, &ben).await;
        thread::mark_read(&desk, &ben, id).await.unwrap();
        assert_eq!(told(&desk, &ben).await, [". mail_on_followed 2x Ann Nováková: Re: Where is my order?"]);
        let again = Mail { id: "q3@firm.example", ..MORE };
        office.arrives(helpdesk, again).await;
        assert_eq!(told(&desk, &ben).await, ["* mail_on_followed 1x Ann Nováková: Re: Where is my order?"]);

        // Who follows no longer is not told.
        record::unfollow(&desk, &lead, contact).await.unwrap();
        let (_, unread, _) = notification::page(&desk, &lead, 0, 10).await.unwrap();
        assert_eq!(unread, 1);
        office.arrives(helpdesk, Mail { id: "q4@firm.example", ..MORE }).await;
        assert_eq!(told(&desk, &lead).await[0], "* mail_on_followed 3x Ann Nováková: Re: Where is my order?");
    }

    async fn b4_who_may_not_see_the_thread_is_not_told_and_forgets_when_access_goes(db: Db) {
        let mut office = Office::new(db);
        let support = office.team("Support").await;
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let agent = office.person("agent", Level::Team, Level::All, &[support]).await;
        let guest = office.person("guest", Level::No, Level::All, &[support]).await;
        let desk = office.desk.clone();
        let contact = add(&desk, &lead, RecordKind::Contact, "Ann Nováková", "ann@firm.example").await;
        for actor in [&agent, &guest] {
            record::follow(&desk, actor, contact).await.unwrap();
        }
        office.arrives(helpdesk, QUESTION).await;
        assert_eq!(told(&desk, &agent).await, Vec::<String>::new());
        assert_eq!(told(&desk, &guest).await, Vec::<String>::new());

        // In charge of the case the agent sees the thread, and hears of what comes.
        let id = only_thread(&desk, &lead).await;
        let case = thread::open(&desk, &lead, id).await.unwrap().row.case.unwrap().id;
        let to = |user| Changes { assignee: Some(user), ..Changes::default() };
        case::change(&desk, &lead, case, to(agent.user)).await.unwrap();
        office.arrives(helpdesk, MORE).await;
        let line = "* reply_on_mine 1x Ann Nováková: Re: Where is my order?";
        assert!(told(&desk, &agent).await.contains(&line.to_owned()));
        assert_eq!(told(&desk, &guest).await, Vec::<String>::new());

        // Taken away, nothing of the mail is left, not even in the count; nor of the case, which is called as it.
        case::change(&desk, &lead, case, to(None)).await.unwrap();
        let agent = office.actor(agent.user.unwrap()).await;
        assert_eq!(told(&desk, &agent).await, Vec::<String>::new());
        assert_eq!(notification::page(&desk, &agent, 0, 10).await.unwrap().1, 0);
    }

    async fn b4_whoever_did_it_or_wants_no_news_is_not_told(db: Db) {
        let mut office = Office::new(db);
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let ben = office.person("ben", Level::All, Level::All, &[]).await;
        let desk = office.desk.clone();
        let own = add(&desk, &lead, RecordKind::Contact, "Ben", "ben@acme.example").await;
        record::follow(&desk, &ben, own).await.unwrap();
        let mail = Mail { from: "ben@acme.example", id: "b1@acme.example", subject: "Mine", ..QUESTION };
        office.arrives(helpdesk, mail).await;
        assert_eq!(told(&desk, &ben).await, Vec::<String>::new());
        assert_eq!(told(&desk, &lead).await, ["* mail_on_followed 1x ben@acme.example: Mine"]);

        let silent = [(Event::MailOnFollowed, Ways { app: false, mail: false })];
        notification::change(&desk, &lead, &silent).await.unwrap();
        let more = Mail { from: "ben@acme.example", id: "b2@acme.example", subject: "More", ..QUESTION };
        office.arrives(helpdesk, more).await;
        assert_eq!(told(&desk, &lead).await, ["* mail_on_followed 1x ben@acme.example: Mine"]);
        let ways = notification::settings(&desk, &lead).await.unwrap();
        assert_eq!(ways.len(), Event::ALL.len());
        assert_eq!(ways[0], (Event::MailOnFollowed, Ways { app: false, mail: false }));

        // An event names its people; the one who did it is left out.
        let mut tx = desk.db.begin().await.unwrap();
        let people = [lead.user.unwrap(), ben.user.unwrap()];
        let data = desk::Params::from([("subject", "Deal".to_owned())]);
        notification::event(&desk, &mut tx, Event::Assigned, &Subject::default(), lead.user, &people, &data).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(told(&desk, &ben).await, ["* assigned 1x : Deal"]);
    }

    async fn b7_the_archive_is_reached_by_record_and_role_whoever_a_mail_was_sent_to(db: Db) {
        let mut office = Office::new(db);
        let sales = office.team("Sales").await;
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let seller = office.person("seller", Level::Own, Level::Own, &[]).await;
        let member = office.person("member", Level::Team, Level::Team, &[sales]).await;
        let own = office.person("own", Level::Own, Level::Team, &[sales]).await;
        let nobody = office.person("nobody", Level::No, Level::All, &[sales]).await;
        let desk = office.desk.clone();
        office.arrives(helpdesk, QUESTION).await;
        let id = only_thread(&desk, &lead).await;
        let (_, deal) = record::put(&desk, &lead, RecordKind::Opportunity, named("Big deal")).await.unwrap();
        charge(&desk, &lead, deal.record.id, seller.user, Some(sales)).await;
        for actor in [&seller, &member, &own, &nobody] {
            assert_eq!(sees(&desk, actor, id).await, 0);
        }
        // Filed to the deal: its assignee and, with the level team, its team reach it.
        let tie = link::add(&desk, &lead, id, deal.record.id).await.unwrap();
        assert_eq!(sees(&desk, &seller, id).await, 3);
        assert_eq!(sees(&desk, &member, id).await, 3);
        assert_eq!(sees(&desk, &own, id).await, 0);
        assert_eq!(sees(&desk, &nobody, id).await, 0);
        // Another team in charge of the deal, another reach.
        charge(&desk, &lead, deal.record.id, seller.user, None).await;
        assert_eq!(sees(&desk, &member, id).await, 0);
        assert_eq!(sees(&desk, &seller, id).await, 3);
        // Untied, the reason is gone.
        link::remove(&desk, &lead, tie.id).await.unwrap();
        assert_eq!(sees(&desk, &seller, id).await, 0);
    }

    async fn b6_a_thread_without_a_case_is_handed_over_and_is_work_meanwhile(db: Db) {
        let mut office = Office::new(db);
        let sales = office.team("Sales").await;
        let press = office.mailbox("press@acme.example", None).await;
        office.no_cases(press).await;
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let ben = office.person("ben", Level::Own, Level::No, &[]).await;
        let member = office.person("member", Level::Team, Level::No, &[sales]).await;
        let desk = office.desk.clone();
        office.arrives(press, Mail { to: "press@acme.example", ..QUESTION }).await;
        let id = only_thread(&desk, &lead).await;
        assert_eq!(counts(&desk, &lead).await, "mine 0, unassigned 0, open 0");
        assert_eq!(code(hand::hand(&desk, &ben, id, To::User(ben.user.unwrap())).await), "not found");

        hand::hand(&desk, &lead, id, To::User(ben.user.unwrap())).await.unwrap();
        assert_eq!(counts(&desk, &ben).await, "mine 1, unassigned 0, open 1");
        assert_eq!(told(&desk, &ben).await, ["* assigned 1x : Where is my order?"]);
        assert_eq!(told(&desk, &lead).await, Vec::<String>::new(), "who did it knows");
        let charge = thread::open(&desk, &ben, id).await.unwrap().charge;
        assert_eq!(charge.user.map(|(_, name)| name).as_deref(), Some("ben"));

        // Mail that comes leaves it with them, and tells them.
        office.arrives(press, Mail { to: "press@acme.example", ..MORE }).await;
        assert_eq!(counts(&desk, &ben).await, "mine 1, unassigned 0, open 1");
        assert_eq!(told(&desk, &ben).await[0], "* reply_on_mine 1x Ann Nováková: Re: Where is my order?");

        // To a team: nobody of it has it yet, and whoever had it sees it no longer.
        hand::hand(&desk, &ben, id, To::Team(sales)).await.unwrap();
        assert_eq!(counts(&desk, &ben).await, "mine 0, unassigned 0, open 0");
        assert_eq!(told(&desk, &ben).await, Vec::<String>::new());
        assert_eq!(counts(&desk, &member).await, "mine 0, unassigned 1, open 1");
        assert_eq!(told(&desk, &member).await, ["* team_new 1x : Where is my order?"]);
        let views = thread::views(&desk, &member).await.unwrap();
        assert_eq!(views.teams, [(sales, "Sales".to_owned(), 1)]);
        let of_team = thread::list(&desk, &member, View::Open, Some(Part::Team(sales)), 0, 10).await.unwrap();
        assert_eq!(of_team.total, 1);

        // Back to nobody: done. What happened is written among its messages.
        hand::hand(&desk, &lead, id, To::Nobody).await.unwrap();
        assert_eq!(counts(&desk, &member).await, "mine 0, unassigned 0, open 0");
        let events: Vec<String> = thread::open(&desk, &lead, id).await.unwrap().items.iter().filter_map(event).collect();
        assert_eq!(events, [
            r#"lead handed {"from":"","to":"ben"}"#,
            r#"ben handed {"from":"ben","to":"Sales"}"#,
            r#"lead handed {"from":"Sales","to":""}"#,
        ]);
    }

    async fn b6_a_thread_in_a_case_is_handed_over_with_its_case(db: Db) {
        let mut office = Office::new(db);
        let sales = office.team("Sales").await;
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let ben = office.person("ben", Level::Own, Level::Own, &[]).await;
        let member = office.person("member", Level::Team, Level::Team, &[sales]).await;
        let desk = office.desk.clone();
        office.arrives(helpdesk, QUESTION).await;
        let id = only_thread(&desk, &lead).await;
        hand::hand(&desk, &lead, id, To::User(ben.user.unwrap())).await.unwrap();
        assert_eq!(counts(&desk, &ben).await, "mine 1, unassigned 0, open 1");
        assert_eq!(told(&desk, &ben).await, ["* assigned 1x : Where is my order?"]);
        // Whoever gives away what they saw only because it was theirs does so, and sees it no longer.
        hand::hand(&desk, &ben, id, To::Team(sales)).await.unwrap();
        assert_eq!(counts(&desk, &ben).await, "mine 0, unassigned 0, open 0");
        assert_eq!(told(&desk, &ben).await, Vec::<String>::new());
        assert_eq!(counts(&desk, &member).await, "mine 0, unassigned 1, open 1");
        assert_eq!(told(&desk, &member).await, ["* team_new 1x : Where is my order?"]);
        let charge = thread::open(&desk, &member, id).await.unwrap().charge;
        assert_eq!((charge.user, charge.team), (None, Some((sales, "Sales".to_owned()))));
    }

    async fn b6_a_case_made_by_hand_is_in_the_hands_its_thread_was_in(db: Db) {
        let mut office = Office::new(db);
        let sales = office.team("Sales").await;
        let press = office.mailbox("press@acme.example", None).await;
        office.no_cases(press).await;
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let ben = office.person("ben", Level::Own, Level::Own, &[]).await;
        let desk = office.desk.clone();
        office.arrives(press, Mail { to: "press@acme.example", ..QUESTION }).await;
        let id = only_thread(&desk, &lead).await;
        hand::hand(&desk, &lead, id, To::User(ben.user.unwrap())).await.unwrap();
        let made = case::create(&desk, &lead, id, None).await.unwrap();
        assert_eq!(made.record.assignee.map(|(_, name)| name).as_deref(), Some("ben"));
        assert_eq!(counts(&desk, &ben).await, "mine 1, unassigned 0, open 1");
        hand::hand(&desk, &lead, id, To::Team(sales)).await.unwrap();
        assert_eq!(counts(&desk, &ben).await, "mine 0, unassigned 0, open 0");
    }

    async fn b4_mail_that_is_filed_by_hand_is_news_to_who_follows_the_record(db: Db) {
        let mut office = Office::new(db);
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let ben = office.person("ben", Level::All, Level::All, &[]).await;
        let guest = office.person("guest", Level::No, Level::All, &[]).await;
        let desk = office.desk.clone();
        office.arrives(helpdesk, QUESTION).await;
        let id = only_thread(&desk, &lead).await;
        let (_, deal) = record::put(&desk, &lead, RecordKind::Opportunity, named("Big deal")).await.unwrap();
        for actor in [&ben, &guest] {
            record::follow(&desk, actor, deal.record.id).await.unwrap();
        }
        link::add(&desk, &lead, id, deal.record.id).await.unwrap();
        assert_eq!(told(&desk, &ben).await, ["* mail_on_followed 1x Ann Nováková: Where is my order?"]);
        assert_eq!(told(&desk, &guest).await, Vec::<String>::new());
        assert_eq!(told(&desk, &lead).await, Vec::<String>::new());
    }

    async fn b6_a_thread_is_filed_to_an_area_of_work_by_hand(db: Db) {
        let mut office = Office::new(db);
        let press = office.mailbox("press@acme.example", None).await;
        office.no_cases(press).await;
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let guest = office.person("guest", Level::Own, Level::All, &[]).await;
        let desk = office.desk.clone();
        office.arrives(press, Mail { to: "press@acme.example", ..QUESTION }).await;
        let id = only_thread(&desk, &lead).await;
        let mut tx = desk.db.begin().await.unwrap();
        let (process, _) = store::people::process_named(&mut tx, "Press").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(code(hand::file(&desk, &guest, id, Some(process)).await), "not found");
        assert_eq!(code(hand::file(&desk, &lead, id, Some(model::ProcessId(99))).await), "process");
        hand::file(&desk, &lead, id, Some(process)).await.unwrap();
        let opened = thread::open(&desk, &lead, id).await.unwrap();
        assert_eq!(opened.charge.process, Some((process, "Press".to_owned())));
        let all = |actor| thread::list(&desk, actor, View::All, Some(Part::Process(process)), 0, 10);
        assert_eq!(all(&lead).await.unwrap().total, 1);
        assert_eq!(all(&guest).await.unwrap().total, 0);
        hand::file(&desk, &lead, id, None).await.unwrap();
        assert_eq!(all(&lead).await.unwrap().total, 0);
        let events: Vec<String> = thread::open(&desk, &lead, id).await.unwrap().items.iter().filter_map(event).collect();
        assert_eq!(events, [r#"lead filed_to {"from":"","to":"Press"}"#, r#"lead filed_to {"from":"Press","to":""}"#]);
    }

    async fn b5_who_is_named_in_a_note_is_told_if_they_may_see_it(db: Db) {
        let mut office = Office::new(db);
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let ben = office.person("ben", Level::All, Level::No, &[]).await;
        let guest = office.person("guest", Level::Own, Level::All, &[]).await;
        let desk = office.desk.clone();
        office.arrives(helpdesk, QUESTION).await;
        let id = only_thread(&desk, &lead).await;
        let (ben_id, guest_id) = (ben.user.unwrap(), guest.user.unwrap());
        let body = format!("@[Benny](user:{ben_id}) and @[guest](user:{guest_id}), @[nobody](user:77) please");
        let note = note::in_thread(&desk, &lead, id, &body).await.unwrap();
        assert_eq!(note.entry.body, format!("@[ben](user:{ben_id}) and @[guest](user:{guest_id}), @nobody please"));
        assert_eq!(note.not_told, ["guest"]);
        assert_eq!(told(&desk, &ben).await, ["* mentioned 1x : Where is my order?"]);
        assert_eq!(told(&desk, &guest).await, Vec::<String>::new());

        // On a record the record decides; and whoever follows hears of the note.
        let (_, deal) = record::put(&desk, &lead, RecordKind::Opportunity, named("Big deal")).await.unwrap();
        let note = note::on_record(&desk, &lead, deal.record.id, &body).await.unwrap();
        assert_eq!(note.not_told, ["ben"]);
        record::follow(&desk, &guest, deal.record.id).await.unwrap();
        note::on_record(&desk, &lead, deal.record.id, "for all").await.unwrap();
        assert_eq!(told(&desk, &guest).await, ["* note_on_followed 1x : Big deal", "* mentioned 1x : Big deal"]);
        // Who wrote it is not told, though they follow it.
        assert_eq!(told(&desk, &lead).await, Vec::<String>::new());
    }

    async fn b5_a_stream_tells_everything_and_leaves_out_what_one_may_not_see(db: Db) {
        let mut office = Office::new(db);
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        office.no_cases(helpdesk).await;
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let guest = office.person("guest", Level::Own, Level::All, &[]).await;
        let desk = office.desk.clone();
        let contact = add(&desk, &lead, RecordKind::Contact, "Ann Nováková", "ann@firm.example").await;
        office.arrives(helpdesk, QUESTION).await;
        let id = only_thread(&desk, &lead).await;
        let answer = Mail {
            from: "helpdesk@acme.example", to: "ann@firm.example", id: "a1@acme.example", answers: "q1@firm.example", ..MORE
        };
        office.arrives(helpdesk, answer).await;
        note::on_record(&desk, &lead, contact, "call her").await.unwrap();
        charge(&desk, &lead, contact, guest.user, None).await;
        charge(&desk, &lead, contact, None, None).await;
        let (_, deal) = record::put(&desk, &lead, RecordKind::Opportunity, named("Big deal")).await.unwrap();
        let tie = link::add(&desk, &lead, id, deal.record.id).await.unwrap();
        link::remove(&desk, &lead, tie.id).await.unwrap();
        let kinds = |entries: Vec<store::stream::Entry>| entries.iter().map(|e| e.kind.word()).collect::<Vec<_>>().join(" ");
        let of = async |actor, record, only| {
            kinds(record::stream_of(&desk, actor, record, only, None, 50).await.unwrap().0)
        };
        assert_eq!(of(&lead, contact, None).await, "assigned assigned note message_out message_in created");
        assert_eq!(of(&lead, contact, Some(Only::Mail)).await, "message_out message_in");
        assert_eq!(of(&lead, contact, Some(Only::Notes)).await, "note");
        assert_eq!(of(&lead, contact, Some(Only::Changes)).await, "assigned assigned created");
        assert_eq!(of(&lead, deal.record.id, None).await, "unlinked linked created");
        // Old and new stand with the change.
        let (entries, next) = record::stream_of(&desk, &lead, contact, None, None, 1).await.unwrap();
        assert_eq!(entries[0].data, r#"{"from":"guest","to":""}"#);
        let (rest, _) = record::stream_of(&desk, &lead, contact, None, next, 1).await.unwrap();
        assert_eq!(rest[0].data, r#"{"from":"","to":"guest"}"#);
        // Who sees the record and not the thread learns nothing of its mail, nor that there was any.
        assert_eq!(of(&guest, contact, None).await, "assigned assigned note created");
        assert_eq!(of(&guest, contact, Some(Only::Mail)).await, "");
        assert_eq!(of(&guest, deal.record.id, None).await, "created");
    }

    async fn e2_an_address_that_somebody_gets_or_loses_counts_for_old_mail_too(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let ben = office.person("ben", Level::Own, Level::No, &[]).await;
        let (id, desk) = (ben.user.unwrap(), office.desk.clone());
        // More than one batch, and one thread that he takes part in by another address too.
        let letters = (0..600).map(|n| Mail { to: "all@acme.example", id: format!("n{n}@firm.example").leak(), ..QUESTION }.bytes());
        office.arrive_together(helpdesk, letters.collect()).await;
        office = office.numbered_from(1_000);
        office.arrives(helpdesk, Mail { to: "all@acme.example, ben@acme.example", ..QUESTION }).await;
        let seen = async || thread::list(&desk, &ben, View::All, None, 0, 1).await.unwrap().total;
        assert_eq!(seen().await, 1);
        let addresses = async |addresses: &[&str]| {
            let addresses = addresses.iter().map(|address| (*address).to_owned()).collect();
            let change = UserChange { addresses: Some(addresses), ..UserChange::default() };
            people::change_user(&desk, &Actor::machine(), id, change).await.unwrap();
        };
        addresses(&["ben@acme.example", "all@acme.example"]).await;
        assert_eq!(seen().await, 601);
        addresses(&["ben@acme.example"]).await;
        assert_eq!(seen().await, 1);
        addresses(&[]).await;
        assert_eq!(seen().await, 0);
        // A process that ends between the change and its consequences leaves them to the next tick.
        let mut tx = db.begin().await.unwrap();
        store::people::set_addresses(&mut tx, id, &["all@acme.example".to_owned()]).await.unwrap();
        store::access::owe(&mut tx, id, &["all@acme.example".to_owned()]).await.unwrap();
        tx.commit().await.unwrap();
        desk::access::catch_up(&desk, 1).await.unwrap();
        assert_eq!(seen().await, 500);
        desk::access::catch_up(&desk, desk::access::MOST_OF_TICK).await.unwrap();
        assert_eq!(seen().await, 601);
        assert_eq!(store::access::due(&mut &db).await.unwrap(), None);
        // Whoever comes with an address that has mail already sees it from the first day on.
        let new = people::NewUser {
            name: "Carla".into(),
            login: "carla".into(),
            password: Secret::new("long enough"),
            language: people::Language::English,
            role: Some(store::people::user(&mut &db, id).await.unwrap().unwrap().role.id),
            addresses: vec!["all@acme.example".into()],
            teams: Vec::new(),
        };
        people::add_user(&desk, &Actor::machine(), new).await.unwrap();
        let tokens = db.query_one("SELECT COUNT(DISTINCT token) FROM thread_access WHERE token LIKE 'u%'", store::params![]).await.unwrap();
        assert_eq!(tokens.get::<i64>(0).unwrap(), 2);
    }

    async fn b4_a_mail_tells_who_wants_it_once_until_it_was_read(db: Db) {
        let mut office = Office::new(db);
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let machine = Actor::machine();
        let desk = office.desk.clone();
        let none = outgoing::get(&desk, &machine).await.unwrap();
        let (address, host, username) = ("office@acme.example".into(), "localhost".into(), "office".into());
        let system = Outgoing { address, host, port: 465, username, ..none };
        outgoing::set(&desk, &machine, system, Some(Secret::new("x"))).await.unwrap();
        let ben = office.person("ben", Level::All, Level::All, &[]).await;
        let guest = office.person("guest", Level::No, Level::All, &[]).await;
        let contact = add(&desk, &ben, RecordKind::Contact, "Ann Nováková", "ann@firm.example").await;
        record::follow(&desk, &guest, contact).await.unwrap();
        for who in [&ben, &guest] {
            let by_mail = Ways { app: false, mail: true };
            notification::change(&desk, who, &[(Event::MailOnFollowed, by_mail), (Event::Assigned, by_mail)]).await.unwrap();
        }
        office.arrives(helpdesk, QUESTION).await;
        office.arrives(helpdesk, MORE).await;
        let sent = mails(&desk).await;
        let sentence = "A mail came to something you follow: Where is my order? (Ann Nováková)";
        assert_eq!(sent, [format!("ben@acme.example: {sentence}")], "one mail for both, and none to who sees no mail");
        let (total, unread, _) = notification::page(&desk, &ben, 0, 9).await.unwrap();
        assert_eq!((total, unread), (1, 0), "it waits in the list, and rings no bell");
        // Of a record without mail its name is told.
        let given = record::Changes { assignee: Some(ben.user), ..named("Big deal") };
        record::put(&desk, &machine, RecordKind::Opportunity, given).await.unwrap();
        assert_eq!(mails(&desk).await[1..], ["ben@acme.example: You are in charge now: Big deal"]);
        // An hour later it was read, so there is another one.
        office.desk.clock.advance_s(notification::MAIL_PAUSE_S);
        office.arrives(helpdesk, Mail { id: "q3@firm.example", ..MORE }).await;
        assert_eq!(mails(&desk).await.len(), 3);
    }

    async fn b7_a_reason_that_goes_leaves_the_others(db: Db) {
        let mut office = Office::new(db);
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let ben = office.person("ben", Level::Own, Level::Own, &[]).await;
        let desk = office.desk.clone();
        let to_ben = Mail { to: "helpdesk@acme.example, ben@acme.example", ..QUESTION };
        office.arrives(helpdesk, to_ben).await;
        let id = only_thread(&desk, &lead).await;
        assert_eq!(sees(&desk, &ben, id).await, 3);
        let case = thread::open(&desk, &lead, id).await.unwrap().row.case.unwrap().id;
        let to = |user| Changes { assignee: Some(user), ..Changes::default() };
        case::change(&desk, &lead, case, to(ben.user)).await.unwrap();
        case::change(&desk, &lead, case, to(None)).await.unwrap();
        assert_eq!(sees(&desk, &ben, id).await, 3, "the mail was sent to them");
    }

    async fn b7_what_filing_links_is_reached_at_once(db: Db) {
        let mut office = Office::new(db);
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let seller = office.person("seller", Level::Own, Level::Own, &[]).await;
        let desk = office.desk.clone();
        let contact = add(&desk, &lead, RecordKind::Contact, "Ann Nováková", "ann@firm.example").await;
        charge(&desk, &lead, contact, seller.user, None).await;
        office.arrives(helpdesk, QUESTION).await;
        let id = only_thread(&desk, &lead).await;
        assert_eq!(sees(&desk, &seller, id).await, 3);
    }
}

/// What waits for somebody, in one line.
/// What the system sends, oldest first: to whom, and the subject.
async fn mails(desk: &Desk) -> Vec<String> {
    let (_, rows) = desk::sending::page(desk, &Actor::machine(), 0, 50).await.unwrap();
    let mut out = Vec::new();
    for (message, to) in rows.into_iter().rev() {
        let raw = store::outbox::raw(&mut &desk.db, message.id).await.unwrap().unwrap();
        out.push(format!("{}: {}", to[0].address, mail::parse::parse(&raw).subject));
    }
    out
}

async fn counts(desk: &Desk, actor: &Actor) -> String {
    let views = thread::views(desk, actor).await.unwrap();
    let wanted = [View::Mine, View::Unassigned, View::Open];
    let counted = views.counts.iter().filter(|(view, _)| wanted.contains(view));
    counted.map(|(view, count)| format!("{view} {count}")).collect::<Vec<_>>().join(", ")
}

/// An event among a thread's messages, in one line.
fn event(item: &Item) -> Option<String> {
    let Item::Entry(entry) = item else { return None };
    let who = entry.user.as_ref().map_or("-", |(_, name)| name.as_str());
    Some(format!("{who} {} {}", entry.kind, entry.data))
}

fn code(result: Result<(), Refusal>) -> &'static str {
    match result {
        Ok(()) => "done",
        Err(Refusal::NotFound) => "not found",
        Err(Refusal::Invalid { field, .. }) => field,
        Err(error) => panic!("{error:#}"),
    }
}

/// Puts somebody in charge of a record.
async fn charge(
    desk: &Desk,
    actor: &Actor,
    id: RecordId,
    user: Option<model::UserId>,
    team: Option<model::TeamId>,
) {
    let version = record::open(desk, actor, id).await.unwrap().record.version;
    let wanted = record::Changes { assignee: Some(user), team: Some(team), ..record::Changes::default() };
    record::change(desk, actor, id, version, wanted).await.unwrap();
}

/// In how many of three ways somebody reaches a thread: opened, listed, found.
async fn sees(desk: &Desk, actor: &Actor, id: ThreadId) -> usize {
    let opened = thread::open(desk, actor, id).await.is_ok();
    let listed = thread::list(desk, actor, View::All, None, 0, 50).await.unwrap();
    assert_eq!(listed.total as usize, listed.rows.len());
    let (found, hits) = search::find(desk, actor, "4711", None, 0, 50).await.unwrap();
    assert_eq!(found as usize, hits.len());
    usize::from(opened) + listed.rows.iter().filter(|row| row.id == id).count() + hits.len()
}
