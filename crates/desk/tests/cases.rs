//! Cases: made, given to people, opened again, put aside, joined and parted.
#![allow(clippy::unwrap_used)]

mod office;

use desk::case::{self, Case, Changes, Ticked};
use desk::distribution::{self, AvailabilityChange, Hours, SharingChange};
use desk::may::Actor;
use desk::rule::{self, Draft, Place};
use desk::{Refusal, thread};
use model::{
    Action, Assignment, CaseStatus, Condition, Distribution, Level, MailboxId, Matching, MessageId, Priority,
    RecordId, RuleField, RuleTest, TeamId, UserId,
};
use office::{MORNING, Mail, Office, QUESTION};
use std::collections::HashMap;
use store::params;
use store::sql::Db;
use store::threads::View;
use testkit::on_both;

const AGAIN: Mail = Mail {
    from: "Ann <ann@firm.example>",
    to: "helpdesk@acme.example",
    subject: "Re: Where is my order?",
    id: "2@firm.example",
    answers: "1@firm.example",
    text: "I still wait.",
    kind: "",
};
const REPLY: Mail = Mail {
    from: "Helpdesk <helpdesk@acme.example>",
    to: "ann@firm.example",
    subject: "Re: Where is my order?",
    id: "r1@acme.example",
    answers: "1@firm.example",
    text: "On its way.",
    kind: "",
};

/// A mail that begins a thread of its own.
fn fresh(n: usize) -> Mail {
    Mail { id: format!("fresh{n}@firm.example").leak(), subject: format!("Question {n}").leak(), ..QUESTION }
}

async fn number(db: &Db, sql: &str) -> i64 {
    db.query_one(sql, params![]).await.unwrap().get(0).unwrap()
}

/// The only case, or the one made last.
async fn newest(office: &Office) -> Case {
    let id = number(&office.desk.db, "SELECT MAX(id) FROM records WHERE kind = 'case'").await;
    case::open(&office.desk, &Actor::machine(), RecordId(id)).await.unwrap()
}

async fn change(office: &Office, id: RecordId, changes: Changes) -> Case {
    case::change(&office.desk, &Actor::machine(), id, changes).await.unwrap()
}

fn status(status: CaseStatus) -> Changes {
    Changes { status: Some(status), ..Changes::default() }
}

async fn listed(office: &Office, view: View) -> Vec<String> {
    let page = thread::list(&office.desk, &Actor::machine(), view, None, 0, 100).await.unwrap();
    assert_eq!(page.total, page.rows.len() as i64);
    page.rows.into_iter().map(|row| row.subject).collect()
}

async fn events(office: &Office, case: RecordId) -> Vec<String> {
    let text = "SELECT kind FROM stream WHERE record_id = $1 ORDER BY id";
    let rows = office.desk.db.query(text, params![case]).await.unwrap();
    rows.iter().map(|row| row.get(0).unwrap()).collect()
}

async fn shares(office: &Office, mailbox: MailboxId, how: Distribution, user: Option<UserId>) {
    let change = SharingChange { how: Some(how), user: Some(user), ..SharingChange::default() };
    distribution::change_sharing(&office.desk, &Actor::machine(), mailbox, change).await.unwrap();
}

async fn available(office: &Office, user: UserId, change: AvailabilityChange) {
    distribution::change(&office.desk, &Actor::machine(), user, change).await.unwrap();
}

fn away() -> AvailabilityChange {
    AvailabilityChange { away_from: Some(Some(MORNING)), ..AvailabilityChange::default() }
}

/// A helpdesk of a team of three.
struct Helpdesk {
    office: Office,
    mailbox: MailboxId,
    team: TeamId,
    people: [UserId; 3],
}

async fn helpdesk(db: Db) -> Helpdesk {
    let office = Office::new(db);
    let team = office.team("Support").await;
    let mailbox = office.mailbox("helpdesk@acme.example", Some(team)).await;
    let mut people = [UserId(0); 3];
    for (place, login) in people.iter_mut().zip(["ben", "carla", "dana"]) {
        *place = office.person(login, Level::Team, Level::Team, &[team]).await.user.unwrap();
    }
    Helpdesk { office, mailbox, team, people }
}

/// How many cases each of them has, in their order; and how many nobody has.
async fn counts(helpdesk: &Helpdesk) -> ([i64; 3], i64) {
    let text = "SELECT assignee_id, COUNT(*) FROM records WHERE kind = 'case' GROUP BY assignee_id";
    let rows = helpdesk.office.desk.db.query(text, params![]).await.unwrap();
    let found: HashMap<Option<i64>, i64> =
        rows.iter().map(|row| (row.get(0).unwrap(), row.get(1).unwrap())).collect();
    let of = |user: UserId| found.get(&Some(user.0)).copied().unwrap_or(0);
    (helpdesk.people.map(of), found.get(&None).copied().unwrap_or(0))
}

on_both! {
    async fn d5_a_customer_opens_a_closed_or_waiting_case_again(db: Db) {
        let Helpdesk { mut office, mailbox, .. } = helpdesk(db).await;
        office.arrives(mailbox, QUESTION).await;
        let id = newest(&office).await.record.id;
        for before in [CaseStatus::Closed, CaseStatus::Waiting] {
            change(&office, id, status(before)).await;
            let mail = Mail { id: format!("{before}@firm.example").leak(), ..AGAIN };
            office.arrives(mailbox, mail).await;
            let case = newest(&office).await;
            assert_eq!((case.record.id, case.part.status, case.part.closed_at), (id, CaseStatus::Open, None));
        }
        assert!(events(&office, id).await.contains(&"reopened".to_owned()));
        assert_eq!(newest(&office).await.part.customer, "ann@firm.example");
    }

    async fn d5_a_machine_opens_nothing_again(db: Db) {
        let Helpdesk { mut office, mailbox, .. } = helpdesk(db).await;
        office.arrives(mailbox, QUESTION).await;
        let id = newest(&office).await.record.id;
        change(&office, id, status(CaseStatus::Closed)).await;
        let mut raw = b"Auto-Submitted: auto-replied\r\n".to_vec();
        raw.extend(AGAIN.bytes());
        office.bytes_arrive(mailbox, raw).await;
        assert_eq!(newest(&office).await.part.status, CaseStatus::Closed);
    }

    async fn d5_a_mail_to_a_case_closed_long_ago_begins_one_that_continues_it(db: Db) {
        let Helpdesk { mut office, mailbox, .. } = helpdesk(db).await;
        office.arrives(mailbox, QUESTION).await;
        let old = newest(&office).await;
        change(&office, old.record.id, status(CaseStatus::Closed)).await;
        office.desk.clock.advance_s(31 * 86_400);
        office.arrives(mailbox, AGAIN).await;
        let new = newest(&office).await;
        assert_ne!(new.record.id, old.record.id);
        assert_eq!(new.before.as_ref().map(|case| case.number), Some(old.part.number));
        assert_eq!((new.part.status, new.threads.len()), (CaseStatus::Open, 1));
        let old = case::open(&office.desk, &Actor::machine(), old.record.id).await.unwrap();
        assert_eq!((old.part.status, old.after.map(|case| case.id)), (CaseStatus::Closed, Some(new.record.id)));
        // With no limit it is opened again, whenever that is.
        let always = SharingChange { reopen_within_days: Some(None), ..SharingChange::default() };
        distribution::change_sharing(&office.desk, &Actor::machine(), mailbox, always).await.unwrap();
        change(&office, new.record.id, status(CaseStatus::Closed)).await;
        office.desk.clock.advance_s(3_000 * 86_400);
        office.arrives(mailbox, Mail { id: "3@firm.example", ..AGAIN }).await;
        assert_eq!(newest(&office).await.part.status, CaseStatus::Open);
        assert_eq!(number(&office.desk.db, "SELECT COUNT(*) FROM records WHERE kind = 'case'").await, 2);
    }

    async fn d5_a_snoozed_case_is_out_of_sight_and_comes_back_by_itself(db: Db) {
        let Helpdesk { mut office, mailbox, .. } = helpdesk(db).await;
        office.arrives(mailbox, QUESTION).await;
        let id = newest(&office).await.record.id;
        let until = MORNING.plus_s(3_600);
        change(&office, id, Changes { snoozed_until: Some(Some(until)), ..Changes::default() }).await;
        assert!(listed(&office, View::Open).await.is_empty() && listed(&office, View::Unassigned).await.is_empty());
        assert_eq!(listed(&office, View::Snoozed).await, ["Where is my order?"]);
        assert_eq!(case::tick(&office.desk).await.unwrap(), Ticked::default());
        office.desk.clock.advance_s(3_600);
        assert_eq!(case::tick(&office.desk).await.unwrap(), Ticked { woken: 1, ..Ticked::default() });
        assert_eq!(case::tick(&office.desk).await.unwrap(), Ticked::default(), "once");
        assert_eq!(listed(&office, View::Open).await, ["Where is my order?"]);
        assert!(listed(&office, View::Snoozed).await.is_empty());
        assert_eq!(newest(&office).await.part.status, CaseStatus::Open);
        assert!(events(&office, id).await.ends_with(&["snoozed".to_owned(), "woken".to_owned()]));
    }

    async fn d5_a_snoozed_case_comes_back_by_a_customers_mail_and_by_hand(db: Db) {
        let Helpdesk { mut office, mailbox, .. } = helpdesk(db).await;
        office.arrives(mailbox, QUESTION).await;
        let id = newest(&office).await.record.id;
        let snooze = || Changes { snoozed_until: Some(Some(MORNING.plus_s(9_000))), ..Changes::default() };
        change(&office, id, snooze()).await;
        office.arrives(mailbox, AGAIN).await;
        assert_eq!(newest(&office).await.part.snoozed_until, None);
        assert_eq!(listed(&office, View::Open).await, ["Where is my order?"]);
        change(&office, id, snooze()).await;
        change(&office, id, Changes { snoozed_until: Some(None), ..Changes::default() }).await;
        assert_eq!(listed(&office, View::Open).await.len(), 1);
        let past = Changes { snoozed_until: Some(Some(MORNING)), ..Changes::default() };
        let refused = case::change(&office.desk, &Actor::machine(), id, past).await.unwrap_err();
        assert!(matches!(refused, Refusal::Invalid { code: "not_to_come", .. }), "{refused:?}");
    }

    async fn d5_a_thread_without_a_case_is_snoozed_too(db: Db) {
        let Helpdesk { mut office, .. } = helpdesk(db).await;
        let press = office.mailbox("press@acme.example", None).await;
        office.desk.db.begin().await.unwrap().rollback().await.unwrap();
        let mut tx = office.desk.db.begin().await.unwrap();
        tx.execute("UPDATE mailboxes SET create_cases = $1", params![false]).await.unwrap();
        tx.commit().await.unwrap();
        office.arrives(press, QUESTION).await;
        let id = model::ThreadId(number(&office.desk.db, "SELECT MAX(id) FROM threads").await);
        let until = Some(office.desk.clock.now().plus_s(60));
        case::snooze_thread(&office.desk, &Actor::machine(), id, until).await.unwrap();
        assert_eq!(listed(&office, View::Snoozed).await.len(), 1);
        office.desk.clock.advance_s(60);
        assert_eq!(case::tick(&office.desk).await.unwrap().woken, 1);
        assert!(listed(&office, View::Snoozed).await.is_empty());
    }

    async fn d5_an_answer_is_due_within_the_mailboxs_target_and_overdue_after(db: Db) {
        let Helpdesk { mut office, mailbox, .. } = helpdesk(db).await;
        let target = SharingChange { reply_within_min: Some(Some(60)), ..SharingChange::default() };
        distribution::change_sharing(&office.desk, &Actor::machine(), mailbox, target).await.unwrap();
        office.arrives(mailbox, QUESTION).await;
        let part = newest(&office).await.part;
        assert_eq!((part.due_at, part.first_reply_at), (Some(MORNING.plus_s(3_600)), None));
        assert!(listed(&office, View::Overdue).await.is_empty());
        office.desk.clock.advance_s(3_601);
        assert_eq!(listed(&office, View::Overdue).await.len(), 1);
        assert_eq!(case::tick(&office.desk).await.unwrap(), Ticked { overdue: 1, ..Ticked::default() });
        assert_eq!(case::tick(&office.desk).await.unwrap(), Ticked::default(), "once");
        let answered = office.desk.clock.now();
        office.arrives(mailbox, REPLY).await;
        let part = newest(&office).await.part;
        assert_eq!((part.due_at, part.first_reply_at), (None, Some(answered)));
        assert!(listed(&office, View::Overdue).await.is_empty());
        // The next question has a target of its own, counted from itself; the first answer stays the first.
        let asked = office.desk.clock.now();
        office.arrives(mailbox, Mail { id: "3@firm.example", ..AGAIN }).await;
        let part = newest(&office).await.part;
        assert_eq!((part.due_at, part.first_reply_at), (Some(asked.plus_s(3_600)), Some(answered)));
    }

    async fn d2_direct_goes_to_one_and_to_their_deputy_while_they_are_away(db: Db) {
        let mut all = helpdesk(db).await;
        let [ben, carla, dana] = all.people;
        shares(&all.office, all.mailbox, Distribution::Direct, Some(ben)).await;
        all.office.arrives(all.mailbox, fresh(1)).await;
        assert_eq!(counts(&all).await, ([1, 0, 0], 0));
        let to = |deputy| AvailabilityChange { deputy: Some(Some(deputy)), ..away() };
        available(&all.office, ben, to(carla)).await;
        available(&all.office, carla, to(dana)).await;
        all.office.arrives(all.mailbox, fresh(2)).await;
        assert_eq!(counts(&all).await, ([1, 0, 1], 0), "a deputy of a deputy");
        available(&all.office, dana, to(ben)).await;
        all.office.arrives(all.mailbox, fresh(3)).await;
        assert_eq!(counts(&all).await, ([1, 0, 1], 1), "a circle of absent people is nobody");
    }

    async fn d2_the_members_get_cases_in_turn_and_only_who_can(db: Db) {
        let mut all = helpdesk(db).await;
        let [ben, carla, dana] = all.people;
        shares(&all.office, all.mailbox, Distribution::RoundRobin, None).await;
        for n in 0..6 {
            all.office.arrives(all.mailbox, fresh(n)).await;
        }
        assert_eq!(counts(&all).await, ([2, 2, 2], 0));
        available(&all.office, carla, away()).await;
        let full = AvailabilityChange { capacity: Some(Some(3)), ..AvailabilityChange::default() };
        available(&all.office, dana, full).await;
        for n in 6..10 {
            all.office.arrives(all.mailbox, fresh(n)).await;
        }
        assert_eq!(counts(&all).await, ([5, 2, 3], 0), "carla is away, dana has as many as she takes");
        let mut tx = all.office.desk.db.begin().await.unwrap();
        tx.execute("UPDATE users SET active = $1 WHERE id = $2", params![false, ben]).await.unwrap();
        tx.commit().await.unwrap();
        all.office.arrives(all.mailbox, fresh(10)).await;
        assert_eq!(counts(&all).await, ([5, 2, 3], 1), "nobody is left: the team's");
        let case = newest(&all.office).await;
        assert_eq!(case.record.team.map(|(id, _)| id), Some(all.team));
        assert_eq!(case.part.waits_for, Distribution::RoundRobin);
    }

    async fn d2_a_case_nobody_could_take_is_given_as_soon_as_somebody_can(db: Db) {
        let mut all = helpdesk(db).await;
        let [ben, carla, dana] = all.people;
        shares(&all.office, all.mailbox, Distribution::LeastBusy, None).await;
        let day = ("09:00".to_owned(), "17:00".to_owned());
        let hours = Hours { zone: "Etc/UTC".into(), days: (1..=5).map(|n| (n, day.clone())).collect() };
        for user in [ben, carla, dana] {
            let change =
                AvailabilityChange { hours: Some(Some(hours.clone())), ..AvailabilityChange::default() };
            available(&all.office, user, change).await;
        }
        for n in 0..3 {
            all.office.arrives(all.mailbox, fresh(n)).await;
        }
        assert_eq!(counts(&all).await, ([0, 0, 0], 3), "it is eight o'clock");
        assert_eq!(case::tick(&all.office.desk).await.unwrap(), Ticked::default());
        all.office.desk.clock.advance_s(3_600);
        assert_eq!(case::tick(&all.office.desk).await.unwrap(), Ticked { given: 3, ..Ticked::default() });
        assert_eq!(counts(&all).await, ([1, 1, 1], 0));
    }

    async fn d2_the_least_busy_gets_the_case_and_equals_in_turn(db: Db) {
        let mut all = helpdesk(db).await;
        let [ben, ..] = all.people;
        shares(&all.office, all.mailbox, Distribution::Direct, Some(ben)).await;
        for n in 0..2 {
            all.office.arrives(all.mailbox, fresh(n)).await;
        }
        shares(&all.office, all.mailbox, Distribution::LeastBusy, None).await;
        for n in 2..6 {
            all.office.arrives(all.mailbox, fresh(n)).await;
        }
        assert_eq!(counts(&all).await, ([2, 2, 2], 0));
        let first = number(&all.office.desk.db, "SELECT MIN(id) FROM records WHERE kind = 'case'").await;
        change(&all.office, RecordId(first), status(CaseStatus::Closed)).await;
        all.office.arrives(all.mailbox, fresh(6)).await;
        assert_eq!(newest(&all.office).await.record.assignee.map(|(id, _)| id), Some(ben));
    }

    async fn d2_the_assignee_of_a_new_case_sees_its_mail(db: Db) {
        let mut all = helpdesk(db).await;
        let eva = all.office.person("eva", Level::Own, Level::Own, &[]).await;
        shares(&all.office, all.mailbox, Distribution::Direct, eva.user).await;
        all.office.arrives(all.mailbox, QUESTION).await;
        let page = thread::list(&all.office.desk, &eva, View::Mine, None, 0, 10).await.unwrap();
        assert_eq!(page.rows.len(), 1);
        assert!(events(&all.office, newest(&all.office).await.record.id).await.contains(&"assigned".to_owned()));
    }

    async fn d2_a_case_opened_again_leaves_an_assignee_who_is_gone(db: Db) {
        let mut all = helpdesk(db).await;
        let [ben, carla, _] = all.people;
        shares(&all.office, all.mailbox, Distribution::RoundRobin, None).await;
        all.office.arrives(all.mailbox, QUESTION).await;
        let case = newest(&all.office).await;
        assert_eq!(case.record.assignee.map(|(id, _)| id), Some(ben));
        change(&all.office, case.record.id, status(CaseStatus::Closed)).await;
        available(&all.office, ben, away()).await;
        all.office.arrives(all.mailbox, AGAIN).await;
        let case = newest(&all.office).await;
        assert_eq!(case.record.assignee.map(|(id, _)| id), Some(carla));
        assert_eq!(listed(&all.office, View::Unassigned).await.len(), 0);
    }

    async fn d2_what_somebody_gone_has_left_is_handed_over(db: Db) {
        let mut all = helpdesk(db).await;
        let [ben, ..] = all.people;
        shares(&all.office, all.mailbox, Distribution::Direct, Some(ben)).await;
        for n in 0..5 {
            all.office.arrives(all.mailbox, fresh(n)).await;
        }
        let machine = Actor::machine();
        let done = distribution::hand_over(&all.office.desk, &machine, ben, Distribution::RoundRobin).await.unwrap();
        assert_eq!((done.given, done.unassigned), (5, 0));
        let (shared, nobody) = counts(&all).await;
        assert_eq!((shared[0], nobody), (0, 0));
        assert!((shared[1] - shared[2]).abs() <= 1, "{shared:?}");
        let carla = all.people[1];
        let done = distribution::hand_over(&all.office.desk, &machine, carla, Distribution::None).await.unwrap();
        assert_eq!((done.given, done.unassigned), (0, shared[1] as u64));
        let outsider = all.office.person("eva", Level::All, Level::All, &[]).await;
        assert!(distribution::hand_over(&all.office.desk, &outsider, ben, Distribution::None).await.is_err());
    }

    async fn d5_two_cases_become_one_and_both_numbers_lead_there(db: Db) {
        let Helpdesk { mut office, mailbox, people, .. } = helpdesk(db).await;
        office.arrives(mailbox, QUESTION).await;
        let first = newest(&office).await;
        let ben = office.actor(people[0]).await;
        desk::note::on_record(&office.desk, &ben, first.record.id, "Ask the depot.").await.unwrap();
        office.arrives(mailbox, fresh(1)).await;
        let second = newest(&office).await.record.id;
        let mine = Changes { assignee: Some(Some(people[1])), ..Changes::default() };
        change(&office, second, mine).await;
        let merged = case::merge(&office.desk, &Actor::machine(), first.record.id, second).await.unwrap();
        assert_eq!((merged.record.id, merged.threads.len()), (second, 2));
        assert_eq!(merged.record.assignee.map(|(id, _)| id), Some(people[1]));
        let found = case::by_number(&office.desk, &Actor::machine(), first.part.number).await.unwrap();
        assert_eq!(found.record.id, second);
        let opened = case::open(&office.desk, &Actor::machine(), first.record.id).await.unwrap();
        assert_eq!(opened.record.id, second);
        let stream = events(&office, second).await;
        assert!(stream.contains(&"note".to_owned()) && stream.contains(&"merged".to_owned()), "{stream:?}");
        // An answer to the one that ended lands in the one that stayed.
        office.arrives(mailbox, AGAIN).await;
        assert_eq!(number(&office.desk.db, "SELECT COUNT(*) FROM records WHERE kind = 'case'").await, 2);
        assert_eq!(events(&office, second).await.iter().filter(|kind| *kind == "message_in").count(), 3);
        assert_eq!(listed(&office, View::Open).await.len(), 2);
        let itself = case::merge(&office.desk, &Actor::machine(), first.record.id, second).await.unwrap_err();
        assert!(matches!(itself, Refusal::Invalid { code: "same_case", .. }), "{itself:?}");
    }

    async fn d5_messages_become_a_case_of_their_own_with_their_answers(db: Db) {
        let Helpdesk { mut office, mailbox, people, .. } = helpdesk(db).await;
        office.arrives(mailbox, QUESTION).await;
        let old = newest(&office).await.record.id;
        change(&office, old, Changes { assignee: Some(Some(people[1])), ..Changes::default() }).await;
        let other = Mail { subject: "Also: an invoice", from: "Eve <eve@firm.example>", ..AGAIN };
        office.arrives(mailbox, other).await;
        let message = number(&office.desk.db, "SELECT MAX(id) FROM messages").await;
        let first = number(&office.desk.db, "SELECT MIN(id) FROM messages").await;
        let machine = Actor::machine();
        for (messages, code) in [(vec![], "required"), (vec![message, first], "all_messages"), (vec![99], "required")] {
            let messages: Vec<_> = messages.into_iter().map(MessageId).collect();
            let refused = case::split(&office.desk, &machine, old, &messages).await.unwrap_err();
            assert!(matches!(refused, Refusal::Invalid { code: c, .. } if c == code), "{refused:?}");
        }
        let new = case::split(&office.desk, &machine, old, &[MessageId(message)]).await.unwrap();
        assert_eq!((new.record.name.as_str(), new.threads.len()), ("Also: an invoice", 1));
        assert_eq!(new.threads[0].messages, 1);
        assert_eq!(new.record.assignee.as_ref().map(|(id, _)| *id), Some(people[1]));
        assert_eq!(new.part.customer, "eve@firm.example");
        let rest = case::open(&office.desk, &machine, old).await.unwrap();
        assert_eq!((rest.threads.len(), rest.threads[0].messages), (1, 1));
        assert_eq!(rest.threads[0].subject, "Where is my order?");
        assert!(events(&office, old).await.contains(&"split".to_owned()));
        // An answer to what was parted names the whole chain, and goes where its nearest message is.
        let raw = format!(
            "From: {}\r\nTo: helpdesk@acme.example\r\nSubject: Re: Also: an invoice\r\nMessage-ID: <3@firm.example>\r\n\
             In-Reply-To: <2@firm.example>\r\nReferences: <1@firm.example> <2@firm.example>\r\n\r\nAnd?\r\n",
            "Eve <eve@firm.example>"
        );
        office.bytes_arrive(mailbox, raw.into_bytes()).await;
        let messages = async |id| case::open(&office.desk, &machine, id).await.unwrap().threads[0].messages;
        assert_eq!((messages(old).await, messages(new.record.id).await), (1, 2));
    }

    async fn c3_a_rule_makes_a_case_with_its_team_and_urgency_and_gives_it_to_one_of_them(db: Db) {
        let mut all = helpdesk(db).await;
        let billing = all.office.team("Billing").await;
        let eva = all.office.person("eva", Level::Team, Level::Team, &[billing]).await.user.unwrap();
        shares(&all.office, all.mailbox, Distribution::RoundRobin, None).await;
        let make = Action::CreateCase { process: None, team: Some(billing), priority: Some(Priority::High) };
        let assignment = Assignment::Team { team: billing, by: Distribution::LeastBusy };
        with_rule(&all.office, all.mailbox, "invoice", vec![make, Action::Assign { assignment }]).await;
        all.office.arrives(all.mailbox, Mail { subject: "An invoice", ..QUESTION }).await;
        let case = newest(&all.office).await;
        assert_eq!((case.part.priority.as_str(), case.record.team.map(|(id, _)| id)), ("high", Some(billing)));
        assert_eq!(case.record.assignee.map(|(id, _)| id), Some(eva));
        // Whose turn it is in the mailbox's own team was not touched by that.
        all.office.arrives(all.mailbox, fresh(1)).await;
        assert_eq!(newest(&all.office).await.record.assignee.map(|(id, _)| id), Some(all.people[0]));
    }

    async fn c3_a_rule_changes_the_threads_case_and_one_whose_number_a_known_writer_names(db: Db) {
        let mut all = helpdesk(db).await;
        let done = Action::UpdateCase { status: Some(CaseStatus::Closed), priority: Some(Priority::Low) };
        with_rule(&all.office, all.mailbox, "solved", vec![done]).await;
        all.office.arrives(all.mailbox, QUESTION).await;
        let first = newest(&all.office).await;
        assert_eq!(first.part.status, CaseStatus::Open, "the rule asks for another word");
        all.office.arrives(all.mailbox, Mail { subject: "Re: solved", ..AGAIN }).await;
        let part = newest(&all.office).await.part;
        assert_eq!((part.status, part.priority.as_str()), (CaseStatus::Closed, "low"));
        // By number, in a mailbox that makes no cases of its own: a known writer's mail joins it, a stranger's does not.
        let press = all.office.mailbox("press@acme.example", None).await;
        let mut tx = all.office.desk.db.begin().await.unwrap();
        tx.execute("UPDATE mailboxes SET create_cases = $1 WHERE id = $2", params![false, press]).await.unwrap();
        tx.commit().await.unwrap();
        let again = Action::UpdateCase { status: Some(CaseStatus::Waiting), priority: None };
        with_rule(&all.office, press, "case", vec![again]).await;
        let to = "press@acme.example";
        let named = Mail { subject: "Case #1 again", id: "n1@firm.example", to, ..QUESTION };
        let stranger = Mail { from: "Mallory <m@other.example>", id: "n2@other.example", ..named.clone() };
        all.office.arrives(press, stranger).await;
        let open = async || case::open(&all.office.desk, &Actor::machine(), first.record.id).await.unwrap();
        assert_eq!(open().await.threads.len(), 1);
        all.office.arrives(press, named).await;
        let case = case::open(&all.office.desk, &Actor::machine(), first.record.id).await.unwrap();
        assert_eq!((case.threads.len(), case.part.status), (2, CaseStatus::Waiting));
    }

    async fn d2_who_gets_a_case_is_told_and_where_nobody_can_the_team_is(db: Db) {
        let mut all = helpdesk(db).await;
        let [ben, carla, dana] = all.people;
        shares(&all.office, all.mailbox, Distribution::RoundRobin, None).await;
        all.office.arrives(all.mailbox, fresh(1)).await;
        assert_eq!(told(&all.office, "assigned").await, [ben.0]);
        for user in [ben, carla, dana] {
            available(&all.office, user, away()).await;
        }
        all.office.arrives(all.mailbox, fresh(2)).await;
        assert_eq!(told(&all.office, "nobody_available").await, [ben.0, carla.0, dana.0]);
        let id = newest(&all.office).await.record.id;
        let wait = Changes {
            assignee: Some(Some(carla)),
            snoozed_until: Some(Some(MORNING.plus_s(60))),
            ..Changes::default()
        };
        change(&all.office, id, wait).await;
        all.office.desk.clock.advance_s(60);
        case::tick(&all.office.desk).await.unwrap();
        assert_eq!(told(&all.office, "snooze_over").await, [carla.0]);
    }
}

/// Whom an event was told to, by id.
async fn told(office: &Office, event: &str) -> Vec<i64> {
    let text = "SELECT DISTINCT user_id FROM notifications WHERE kind = $1 ORDER BY user_id";
    let rows = office.desk.db.query(text, params![event]).await.unwrap();
    rows.iter().map(|row| row.get(0).unwrap()).collect()
}

/// A rule of the mailbox for mails with this word in the subject.
async fn with_rule(office: &Office, mailbox: MailboxId, word: &str, actions: Vec<Action>) {
    let condition = Condition {
        field: RuleField::Subject,
        header: String::new(),
        test: RuleTest::Contains,
        value: word.to_owned(),
    };
    let draft = Draft {
        place: Place::Mailbox(mailbox),
        folder: None,
        name: word.to_owned(),
        enabled: true,
        matching: Matching::All,
        conditions: vec![condition],
        actions,
    };
    rule::create(&office.desk, &Actor::machine(), draft).await.unwrap();
}

/// Files letters of their own in `mailbox`, from `from` on, as one of several processes.
async fn arrive(desk: desk::Desk, mailbox: MailboxId, from: usize, letters: usize, uid: i64) {
    let mut office = Office::at(desk).numbered_from(uid);
    for n in from..from + letters {
        office.arrives(mailbox, fresh(n)).await;
    }
}

on_both! {
    async fn d2_a_thousand_cases_arriving_side_by_side_are_shared_evenly(db: Db) {
        let all = helpdesk(db.clone()).await;
        let orders = all.office.mailbox("orders@acme.example", Some(all.team)).await;
        for mailbox in [all.mailbox, orders] {
            shares(&all.office, mailbox, Distribution::RoundRobin, None).await;
        }
        let desk = all.office.desk.clone();
        // Twice, with all that is kept in memory thrown away in between.
        for half in 0..2 {
            tokio::join!(
                arrive(desk.clone(), all.mailbox, half * 500, 250, half as i64 * 250),
                arrive(desk.clone(), orders, half * 500 + 250, 250, half as i64 * 250),
            );
        }
        let (shared, nobody) = counts(&all).await;
        assert_eq!((shared.iter().sum::<i64>(), nobody), (1_000, 0));
        assert!(shared.iter().max().unwrap() - shared.iter().min().unwrap() <= 1, "{shared:?}");
    }
}
