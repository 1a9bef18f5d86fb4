//! Handing over: to a person, to a team that shares its work, by a rule; and a team that shares over two processes.
#![allow(clippy::unwrap_used)]

mod office;

use desk::case::{self, Case, Changes, Ticked};
use desk::distribution::{self, AvailabilityChange, SharingChange};
use desk::hand::{self, To};
use desk::may::Actor;
use desk::rule::{self, Draft, Place};
use desk::{Desk, thread};
use model::{
    Action, Assignment, Condition, Distribution, Level, MailboxId, Matching, MessageId, RecordId, RuleField,
    RuleTest, TeamId, ThreadId, UserId,
};
use office::{MORNING, Mail, Office, QUESTION};
use store::params;
use store::sql::{Db, Engine};
use store::threads::View;
use testkit::on_both;

/// A mail that begins a thread of its own.
fn fresh(n: usize) -> Mail {
    Mail { id: format!("fresh{n}@firm.example").leak(), subject: format!("Question {n}").leak(), ..QUESTION }
}

fn answer(n: usize, to: usize) -> Mail {
    let answers = format!("fresh{to}@firm.example").leak();
    Mail { id: format!("answer{n}@firm.example").leak(), answers, ..fresh(to) }
}

/// A helpdesk that makes cases and a press mailbox that makes none, both of a team of three.
struct Acme {
    office: Office,
    helpdesk: MailboxId,
    press: MailboxId,
    team: TeamId,
    people: [UserId; 3],
}

async fn acme(db: Db) -> Acme {
    let office = Office::new(db);
    let team = office.team("Support").await;
    let helpdesk = office.mailbox("helpdesk@acme.example", Some(team)).await;
    let press = office.mailbox("press@acme.example", Some(team)).await;
    office.no_cases(press).await;
    let mut people = [UserId(0); 3];
    for (place, login) in people.iter_mut().zip(["ben", "carla", "dana"]) {
        *place = office.person(login, Level::Team, Level::Team, &[team]).await.user.unwrap();
    }
    Acme { office, helpdesk, press, team, people }
}

impl Acme {
    async fn shares(&self, how: Distribution) {
        let change = SharingChange { how: Some(how), ..SharingChange::default() };
        distribution::change_sharing(&self.office.desk, &Actor::machine(), self.helpdesk, change)
            .await
            .unwrap();
    }

    async fn is_away(&self, user: UserId) {
        let away = AvailabilityChange { away_from: Some(Some(MORNING)), ..AvailabilityChange::default() };
        distribution::change(&self.office.desk, &Actor::machine(), user, away).await.unwrap();
    }

    async fn hands(&self, thread: ThreadId, to: To) {
        hand::hand(&self.office.desk, &Actor::machine(), thread, to).await.unwrap();
    }

    /// Who is in charge of a thread: a user, or else a team.
    async fn holder(&self, thread: ThreadId) -> String {
        let charge = thread::open(&self.office.desk, &Actor::machine(), thread).await.unwrap().charge;
        let user = charge.user.map(|(_, name)| name);
        user.or(charge.team.map(|(_, name)| name)).unwrap_or_default()
    }

    async fn newest_thread(&self) -> ThreadId {
        thread::list(&self.office.desk, &Actor::machine(), View::All, None, 0, 1).await.unwrap().rows[0].id
    }

    async fn newest_case(&self) -> Case {
        let row = self.office.desk.db.query_one("SELECT MAX(id) FROM records WHERE kind = 'case'", params![]);
        let id = RecordId(row.await.unwrap().get(0).unwrap());
        case::open(&self.office.desk, &Actor::machine(), id).await.unwrap()
    }

    /// Whom an event was told to, by id.
    async fn told(&self, event: &str) -> Vec<i64> {
        let text = "SELECT DISTINCT user_id FROM notifications WHERE kind = $1 ORDER BY user_id";
        let rows = self.office.desk.db.query(text, params![event]).await.unwrap();
        rows.iter().map(|row| row.get(0).unwrap()).collect()
    }

    /// How many entries of this kind stand in streams.
    async fn entries(&self, kind: &str) -> i64 {
        let text = "SELECT COUNT(*) FROM stream WHERE kind = $1";
        self.office.desk.db.query_one(text, params![kind]).await.unwrap().get(0).unwrap()
    }

    /// Everything that comes to a mailbox is given to somebody.
    async fn assigns(&self, mailbox: MailboxId, assignment: Assignment) {
        let condition = Condition {
            field: RuleField::Subject,
            header: String::new(),
            test: RuleTest::Contains,
            value: "Question".to_owned(),
        };
        let draft = Draft {
            place: Place::Mailbox(mailbox),
            folder: None,
            name: "given".to_owned(),
            enabled: true,
            matching: Matching::All,
            conditions: vec![condition],
            actions: vec![Action::Assign { assignment }],
        };
        rule::create(&self.office.desk, &Actor::machine(), draft).await.unwrap();
    }

    /// What became of the rule's action on the newest message: a word, and whom it speaks of.
    async fn outcome(&self) -> String {
        let row = self.office.desk.db.query_one("SELECT MAX(id) FROM messages", params![]);
        let id = MessageId(row.await.unwrap().get(0).unwrap());
        let mut trials = rule::trace(&self.office.desk, &Actor::machine(), id).await.unwrap();
        let done = trials.remove(0).hits.remove(0).did.remove(0);
        format!("{} {}", done.result, done.detail)
    }
}

on_both! {
    async fn b6_a_team_that_shares_its_cases_shares_what_it_is_handed(db: Db) {
        let mut acme = acme(db).await;
        for n in 0..4 {
            acme.office.arrives(acme.helpdesk, fresh(n)).await;
            let thread = acme.newest_thread().await;
            if n == 0 {
                acme.hands(thread, To::Team(acme.team)).await;
                assert_eq!(acme.holder(thread).await, "Support", "without a rule it is the team's");
                acme.shares(Distribution::RoundRobin).await;
                acme.office.desk.clock.advance_s(1);
            }
        }
        // Those that came since were shared; the first one joins in, in turn.
        let threads = thread::list(&acme.office.desk, &Actor::machine(), View::All, None, 0, 9).await.unwrap();
        let mut found = Vec::new();
        for row in threads.rows.iter().rev() {
            if acme.holder(row.id).await == "Support" {
                acme.hands(row.id, To::Team(acme.team)).await;
            }
            found.push(acme.holder(row.id).await);
        }
        found.sort();
        assert_eq!(found, ["ben", "ben", "carla", "dana"]);
        let stream = "SELECT data FROM stream WHERE kind = 'assigned' ORDER BY id DESC LIMIT 1";
        let data: String = acme.office.desk.db.query_one(stream, params![]).await.unwrap().get(0).unwrap();
        assert_eq!(data, r#"{"by":"round_robin","from":"","to":"ben"}"#);
    }

    async fn b6_who_hands_a_case_back_to_their_team_does_not_get_it_again(db: Db) {
        let mut acme = acme(db).await;
        let [ben, carla, dana] = acme.people;
        acme.shares(Distribution::LeastBusy).await;
        acme.office.arrives(acme.helpdesk, fresh(1)).await;
        let thread = acme.newest_thread().await;
        assert_eq!(acme.holder(thread).await, "ben");
        acme.hands(thread, To::Team(acme.team)).await;
        assert_eq!(acme.holder(thread).await, "carla", "ben has fewest cases, and does not want it");
        for user in [ben, dana] {
            acme.is_away(user).await;
        }
        acme.hands(thread, To::Team(acme.team)).await;
        assert_eq!(acme.holder(thread).await, "Support", "nobody but carla could take it: it is the team's");
        assert_eq!(case::tick(&acme.office.desk).await.unwrap(), Ticked::default(), "nor later by itself");
        // Handed over by somebody of another team it waits for the first who can, and the team hears of it.
        acme.is_away(carla).await;
        let eva = acme.office.person("eva", Level::All, Level::All, &[]).await.user.unwrap();
        acme.hands(thread, To::User(eva)).await;
        acme.hands(thread, To::Team(acme.team)).await;
        assert_eq!(acme.holder(thread).await, "Support");
        assert_eq!(acme.told("nobody_available").await, [ben.0, carla.0, dana.0]);
        let back = AvailabilityChange { away_from: Some(None), ..AvailabilityChange::default() };
        distribution::change(&acme.office.desk, &Actor::machine(), dana, back).await.unwrap();
        assert_eq!(case::tick(&acme.office.desk).await.unwrap(), Ticked { given: 1, ..Ticked::default() });
        assert_eq!(acme.holder(thread).await, "dana");
    }

    async fn b6_a_thread_without_a_case_is_shared_by_the_team_it_is_handed_to(db: Db) {
        let mut acme = acme(db).await;
        let [ben, ..] = acme.people;
        acme.shares(Distribution::RoundRobin).await;
        acme.office.arrives(acme.press, fresh(1)).await;
        let thread = acme.newest_thread().await;
        assert_eq!(acme.holder(thread).await, "");
        acme.hands(thread, To::Team(acme.team)).await;
        assert_eq!((acme.holder(thread).await.as_str(), acme.told("assigned").await), ("ben", vec![ben.0]));
        acme.hands(thread, To::Team(acme.team)).await;
        assert_eq!(acme.holder(thread).await, "carla");
        for user in acme.people {
            acme.is_away(user).await;
        }
        acme.hands(thread, To::Team(acme.team)).await;
        assert_eq!(acme.holder(thread).await, "Support");
        assert_eq!(acme.told("team_new").await.len(), 3);
    }

    async fn d2_a_case_whose_team_is_corrected_keeps_its_assignee_and_one_nobody_has_is_shared(db: Db) {
        let mut acme = acme(db).await;
        let (desk, machine) = (acme.office.desk.clone(), Actor::machine());
        let sales = acme.office.team("Sales").await;
        let eva = acme.office.person("eva", Level::All, Level::All, &[]).await.user.unwrap();
        acme.shares(Distribution::RoundRobin).await;
        let team = |id| Changes { team: Some(Some(id)), ..Changes::default() };
        let to_sales = |assignee| Changes { assignee: Some(assignee), ..team(sales) };
        // ben gets the first in turn and carla the second, so that what is shared again is dana's.
        for (n, held, expected) in [(1, Some(eva), eva), (2, None, acme.people[2])] {
            acme.office.arrives(acme.helpdesk, fresh(n)).await;
            let id = acme.newest_case().await.record.id;
            let sold = case::change(&desk, &machine, id, to_sales(held)).await.unwrap();
            assert_eq!(sold.record.assignee.map(|(id, _)| id), held, "Sales shares nothing");
            let back = case::change(&desk, &machine, id, team(acme.team)).await.unwrap();
            assert_eq!(back.record.assignee.map(|(id, _)| id), Some(expected));
        }
    }

    async fn c3_a_rule_gives_a_thread_without_a_case_to_somebody_who_keeps_it(db: Db) {
        let mut acme = acme(db).await;
        let [ben, ..] = acme.people;
        let by = Distribution::RoundRobin;
        acme.assigns(acme.press, Assignment::Team { team: acme.team, by }).await;
        acme.office.arrives(acme.press, fresh(1)).await;
        let first = acme.newest_thread().await;
        assert_eq!(acme.outcome().await, "done ben");
        assert_eq!((acme.holder(first).await.as_str(), acme.told("assigned").await), ("ben", vec![ben.0]));
        acme.office.arrives(acme.press, answer(1, 1)).await;
        assert_eq!(acme.outcome().await, "kept ben");
        assert_eq!(acme.holder(first).await, "ben", "more mail of the same conversation does not move it on");
        assert_eq!(acme.entries("handed").await, 1);
        // Who has it sees it, and so does their list of work.
        let actor = acme.office.actor(ben).await;
        let mine = thread::list(&acme.office.desk, &actor, View::Mine, None, 0, 9).await.unwrap();
        assert_eq!(mine.total, 1);
        acme.office.arrives(acme.press, fresh(2)).await;
        assert_eq!(acme.outcome().await, "done carla");
        // While ben is away his conversation goes to somebody who is here.
        acme.is_away(ben).await;
        acme.office.arrives(acme.press, answer(2, 1)).await;
        assert_eq!(acme.holder(first).await, "dana");
    }

    async fn c3_a_rule_that_gives_mail_to_a_team_where_nobody_can_take_it_alarms_the_team(db: Db) {
        let mut acme = acme(db).await;
        acme.assigns(acme.helpdesk, Assignment::Team { team: acme.team, by: Distribution::LeastBusy }).await;
        for user in acme.people {
            acme.is_away(user).await;
        }
        acme.office.arrives(acme.helpdesk, fresh(1)).await;
        assert_eq!(acme.outcome().await, "nobody_available away");
        let Case { record, part, .. } = acme.newest_case().await;
        assert_eq!((record.assignee, part.waits_for), (None, Distribution::LeastBusy));
        assert_eq!(acme.told("nobody_available").await.len(), 3);
        // Nothing more of the same is said when the customer asks again, and the case waits as before.
        acme.office.arrives(acme.helpdesk, answer(1, 1)).await;
        assert_eq!(acme.outcome().await, "nobody_available away");
        assert_eq!(acme.entries("assigned").await, 1);
        assert_eq!(acme.newest_case().await.part.waits_for, Distribution::LeastBusy);
        // As a whole, a team gets it without anybody of it, once.
        acme.assigns(acme.press, Assignment::Team { team: acme.team, by: Distribution::None }).await;
        acme.office.arrives(acme.press, fresh(2)).await;
        assert_eq!(acme.holder(acme.newest_thread().await).await, "Support");
        acme.office.arrives(acme.press, answer(2, 2)).await;
        assert_eq!((acme.outcome().await.as_str(), acme.entries("handed").await), ("kept ", 1));
    }

    async fn d2_two_processes_share_one_teams_cases_evenly(db: Db) {
        let acme = acme(db.clone()).await;
        acme.shares(Distribution::RoundRobin).await;
        let orders = acme.office.mailbox("orders@acme.example", Some(acme.team)).await;
        let change = SharingChange { how: Some(Distribution::RoundRobin), ..SharingChange::default() };
        let desk = acme.office.desk.clone();
        distribution::change_sharing(&desk, &Actor::machine(), orders, change).await.unwrap();
        let other = Desk { db: opened_again(&db).await, ..desk.clone() };
        tokio::join!(arrive(desk, acme.helpdesk, 0), arrive(other.clone(), orders, 1));
        let text = "SELECT COUNT(*) FROM records WHERE kind = 'case' GROUP BY assignee_id ORDER BY assignee_id";
        let rows = db.query(text, params![]).await.unwrap();
        let shared: Vec<i64> = rows.iter().map(|row| row.get(0).unwrap()).collect();
        assert_eq!(shared, [2 * EACH as i64 / 3; 3]);
        // And in turn: no three cases one after another have fewer than three people.
        let rows = db.query("SELECT assignee_id FROM records WHERE kind = 'case' ORDER BY number", params![]);
        let order: Vec<i64> = rows.await.unwrap().iter().map(|row| row.get(0).unwrap()).collect();
        assert!(order.windows(3).all(|w| w[0] != w[1] && w[1] != w[2] && w[0] != w[2]), "{order:?}");
        other.db.close().await;
    }
}

/// Letters that each of the two processes files.
const EACH: usize = 90;

async fn arrive(desk: Desk, mailbox: MailboxId, which: usize) {
    let mut office = Office::at(desk);
    for n in 0..EACH {
        office.arrives(mailbox, fresh(1_000 * which + n)).await;
    }
}

/// The same database as another process opens it: with connections, locks and memory of its own.
async fn opened_again(db: &Db) -> Db {
    match db.engine() {
        Engine::Sqlite => {
            let text = "SELECT file FROM pragma_database_list WHERE name = 'main'";
            let file: String = db.query_one(text, params![]).await.unwrap().get(0).unwrap();
            Db::open_sqlite(file.as_ref(), Default::default()).await.unwrap()
        }
        Engine::Postgres => {
            let row = db.query_one("SELECT CAST(current_database() AS TEXT)", params![]).await.unwrap();
            let url = testkit::postgres::url_of(&row.get::<String>(0).unwrap()).unwrap();
            Db::open_postgres(&url, Default::default()).await.unwrap()
        }
    }
}
