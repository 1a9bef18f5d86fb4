//! Where a case stands: whoever closes it or opens it again, the same follows from it.
#![allow(clippy::unwrap_used)]

mod office;

use desk::case::{self, Case, Changes, Ticked};
use desk::distribution::{self, AvailabilityChange, SharingChange};
use desk::may::Actor;
use desk::reply::{self, NewReply};
use desk::rule::{self, Draft, Place};
use desk::thread;
use model::{
    Action, CaseStatus, Condition, Distribution, GroupMail, Level, MailboxId, Matching, RecordId, RuleField,
    RuleTest, UserId,
};
use office::{MORNING, Mail, Office, QUESTION};
use store::params;
use store::sql::Db;
use store::threads::View;
use testkit::on_both;

const SOLVED: Mail = Mail {
    subject: "Re: Where is my order? solved",
    id: "2@firm.example",
    answers: "1@firm.example",
    ..QUESTION
};
const AGAIN: Mail = Mail { subject: "Re: Where is my order?", id: "3@firm.example", ..SOLVED };

/// A helpdesk with a target of an hour, whose team is away, so that its case waits for somebody; and one who may
/// answer for it.
struct Helpdesk {
    office: Office,
    mailbox: MailboxId,
    ben: UserId,
    lead: Actor,
}

async fn helpdesk(db: Db) -> Helpdesk {
    let office = Office::new(db);
    let team = office.team("Support").await;
    let mailbox = office.mailbox("helpdesk@acme.example", Some(team)).await;
    let ben = office.person("ben", Level::Team, Level::Team, &[team]).await.user.unwrap();
    let lead = office.person("lead", Level::All, Level::All, &[]).await;
    let lead = Actor { group_mail: GroupMail::All, ..lead };
    let (desk, machine) = (&office.desk, Actor::machine());
    let sharing = SharingChange {
        how: Some(Distribution::RoundRobin),
        reply_within_min: Some(Some(60)),
        ..SharingChange::default()
    };
    distribution::change_sharing(desk, &machine, mailbox, sharing).await.unwrap();
    let away = AvailabilityChange { away_from: Some(Some(MORNING)), ..AvailabilityChange::default() };
    distribution::change(desk, &machine, ben, away).await.unwrap();
    office.sends(mailbox).await;
    Helpdesk { office, mailbox, ben, lead }
}

/// Who closes a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Person,
    Reply,
    Rule,
    Merge,
}

impl Helpdesk {
    async fn case(&self, id: RecordId) -> Case {
        case::open(&self.office.desk, &Actor::machine(), id).await.unwrap()
    }

    async fn newest(&self) -> RecordId {
        let row = self.office.desk.db.query_one("SELECT MAX(id) FROM records WHERE kind = 'case'", params![]);
        RecordId(row.await.unwrap().get(0).unwrap())
    }

    async fn change(&self, id: RecordId, changes: Changes) {
        case::change(&self.office.desk, &Actor::machine(), id, changes).await.unwrap();
    }

    async fn total(&self, view: View) -> i64 {
        thread::list(&self.office.desk, &Actor::machine(), view, None, 0, 10).await.unwrap().total
    }

    /// What a stream says of a case, `from` and `to` of where it stood included.
    async fn stands(&self, id: RecordId) -> Vec<String> {
        let text = "SELECT kind, data FROM stream WHERE record_id = $1 AND kind IN ('status_changed', 'reopened', 'woken') ORDER BY id";
        let rows = self.office.desk.db.query(text, params![id]).await.unwrap();
        let line = |row: &store::sql::Row| {
            let data: serde_json::Value = serde_json::from_str(&row.get::<String>(1).unwrap()).unwrap();
            let word = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
            format!("{} {}>{}", row.get::<String>(0).unwrap(), word("from"), word("to"))
        };
        rows.iter().map(line).collect()
    }

    async fn changes(&self, id: RecordId) -> i64 {
        let text = "SELECT COUNT(*) FROM changes WHERE kind = 'case' AND entity_id = $1";
        self.office.desk.db.query_one(text, params![id]).await.unwrap().get(0).unwrap()
    }

    async fn close(&mut self, by: By, id: RecordId) {
        let closed = Some(CaseStatus::Closed);
        let desk = self.office.desk.clone();
        match by {
            By::Person => self.change(id, Changes { status: closed, ..Changes::default() }).await,
            By::Reply => {
                let thread = self.case(id).await.threads[0].id;
                let new = NewReply { body: "Done.".into(), status: closed, ..NewReply::default() };
                reply::send(&desk, &self.lead, thread, new).await.unwrap();
            }
            By::Rule => self.office.arrives(self.mailbox, SOLVED).await,
            By::Merge => {
                let fresh = Mail { id: "other@firm.example", subject: "Another", ..QUESTION };
                self.office.arrives(self.mailbox, fresh).await;
                let into = self.newest().await;
                case::merge(&desk, &Actor::machine(), id, into).await.unwrap();
            }
        }
    }

    async fn closes_solved(&self) {
        let condition = Condition {
            field: RuleField::Subject,
            header: String::new(),
            test: RuleTest::Contains,
            value: "solved".to_owned(),
        };
        let draft = Draft {
            place: Place::Mailbox(self.mailbox),
            folder: None,
            name: "solved".to_owned(),
            enabled: true,
            matching: Matching::All,
            conditions: vec![condition],
            actions: vec![Action::UpdateCase { status: Some(CaseStatus::Closed), priority: None }],
        };
        rule::create(&self.office.desk, &Actor::machine(), draft).await.unwrap();
    }
}

on_both! {
    async fn d5_whoever_closes_a_case_ends_its_snooze_its_target_and_its_waiting(db: Db) {
        let mut all = helpdesk(db).await;
        all.closes_solved().await;
        for by in [By::Person, By::Reply, By::Rule, By::Merge] {
            // Every round has a question of its own; the rule's mail answers the one of its round.
            let question = if by == By::Rule { QUESTION } else { Mail { id: format!("{by:?}@firm.example").leak(), ..QUESTION } };
            all.office.arrives(all.mailbox, question).await;
            let id = all.newest().await;
            all.office.desk.clock.advance_s(3_601);
            assert_eq!(case::tick(&all.office.desk).await.unwrap().overdue, 1, "{by:?}");
            let later = all.office.desk.clock.now().plus_s(9_000);
            all.change(id, Changes { snoozed_until: Some(Some(later)), ..Changes::default() }).await;
            let open = all.case(id).await;
            assert_eq!((open.part.waits_for, open.part.due_at.is_some()), (Distribution::RoundRobin, true), "{by:?}");
            let (before, told) = (all.stands(id).await.len(), all.changes(id).await);
            all.close(by, id).await;
            let row = all.office.desk.db.query_one("SELECT status, closed_at, snoozed_until, due_at, overdue_at, waits_for FROM records WHERE id = $1", params![id]).await.unwrap();
            let none = |at| row.get::<Option<i64>>(at).unwrap().is_none();
            assert_eq!(row.get::<String>(0).unwrap(), "closed", "{by:?}");
            assert!(!none(1) && none(2) && none(3) && none(4) && row.get::<String>(5).unwrap().is_empty(), "{by:?}");
            assert!(all.changes(id).await > told, "{by:?}");
            if by != By::Merge {
                assert_eq!(all.stands(id).await.last().unwrap(), "status_changed open>closed", "{by:?}");
                assert!(all.stands(id).await.len() > before, "{by:?}");
                assert_eq!((all.total(View::Open).await, all.total(View::Snoozed).await), (0, 0), "{by:?}");
            }
        }
    }

    async fn d5_a_closed_case_is_given_to_nobody_and_is_not_overdue_until_it_is_opened_again(db: Db) {
        let mut all = helpdesk(db).await;
        all.closes_solved().await;
        all.office.arrives(all.mailbox, QUESTION).await;
        let id = all.newest().await;
        all.office.desk.clock.advance_s(3_601);
        assert_eq!(case::tick(&all.office.desk).await.unwrap(), Ticked { overdue: 1, ..Ticked::default() });
        all.office.arrives(all.mailbox, SOLVED).await;
        let back = AvailabilityChange { away_from: Some(None), ..AvailabilityChange::default() };
        distribution::change(&all.office.desk, &Actor::machine(), all.ben, back).await.unwrap();
        assert_eq!(case::tick(&all.office.desk).await.unwrap(), Ticked::default());
        assert_eq!(all.case(id).await.record.assignee, None);
        // The customer's next mail opens it, with a target of its own that can be missed again.
        let asked = all.office.desk.clock.now();
        all.office.arrives(all.mailbox, AGAIN).await;
        let part = all.case(id).await.part;
        assert_eq!((part.status, part.due_at), (CaseStatus::Open, Some(asked.plus_s(3_600))));
        assert_eq!(all.stands(id).await, ["status_changed open>closed", "reopened >"]);
        all.office.desk.clock.advance_s(3_601);
        assert_eq!(case::tick(&all.office.desk).await.unwrap().overdue, 1);
    }

    async fn d5_an_answer_leaves_one_entry_of_where_the_case_stands_by_who_wrote_it(db: Db) {
        let mut all = helpdesk(db).await;
        all.office.arrives(all.mailbox, QUESTION).await;
        let id = all.newest().await;
        let thread = all.case(id).await.threads[0].id;
        let desk = all.office.desk.clone();
        for _ in 0..2 {
            let new = NewReply { body: "We look.".into(), ..NewReply::default() };
            reply::send(&desk, &all.lead, thread, new).await.unwrap();
        }
        let part = all.case(id).await.part;
        assert_eq!((part.status, part.due_at), (CaseStatus::Waiting, None));
        assert!(part.first_reply_at.is_some());
        assert_eq!(all.stands(id).await, ["status_changed open>waiting"], "the second answer changes nothing");
        let text = "SELECT user_id FROM stream WHERE kind = 'status_changed'";
        let by: Option<UserId> = desk.db.query_one(text, params![]).await.unwrap().get(0).unwrap();
        assert_eq!(by, all.lead.user);
    }

    async fn d2_who_closed_a_case_in_the_same_batch_is_less_busy(db: Db) {
        let office = Office::new(db);
        let team = office.team("Support").await;
        let mailbox = office.mailbox("helpdesk@acme.example", Some(team)).await;
        let mut people = Vec::new();
        for login in ["ben", "carla"] {
            people.push(office.person(login, Level::Team, Level::Team, &[team]).await.user.unwrap());
        }
        let sharing = SharingChange { how: Some(Distribution::LeastBusy), ..SharingChange::default() };
        distribution::change_sharing(&office.desk, &Actor::machine(), mailbox, sharing).await.unwrap();
        let all = Helpdesk { office, mailbox, ben: people[0], lead: Actor::machine() };
        all.closes_solved().await;
        let other = Mail { id: "o@firm.example", subject: "Another", ..QUESTION };
        let third = Mail { id: "t@firm.example", subject: "A third", ..QUESTION };
        // ben gets the first and carla the second; ben's is solved, so the third is his.
        let letters = [QUESTION, other, SOLVED, third].map(|mail| mail.bytes()).to_vec();
        all.office.arrive_together(mailbox, letters).await;
        assert_eq!(all.case(all.newest().await).await.record.assignee.map(|(id, _)| id), Some(all.ben));
    }
}
