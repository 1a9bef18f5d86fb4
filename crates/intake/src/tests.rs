//! Decisions: what is known, a letter, the plan. One line a case.

use crate::decide;
use crate::plan::{Case, CasePlan, Directory, Entry, Known, Mailbox, Origin, Plan, Seen, Thread, ThreadPlan};
use expect_test::{Expect, expect};
use mail::parse::parse;
use model::{CaseStatus, MailboxKind, MessageId, RecordId, ThreadId};

const FIRST: &str = "Message-ID: <1@a.example>\r\nFrom: Ann <ann@a.example>\r\nTo: helpdesk@acme.example\r\nSubject: Order\r\n\r\nTen.\r\n";
const ANSWER: &str = "Message-ID: <2@a.example>\r\nIn-Reply-To: <1@a.example>\r\nFrom: Ann <ann@a.example>\r\nTo: helpdesk@acme.example\r\nSubject: Re: Order\r\n\r\nSix.\r\n";

/// What a test knows; begins with a helpdesk that makes cases and an empty shelf.
struct World {
    mailbox: Mailbox,
    origin: Origin,
    seen: Option<Seen>,
    threads: Vec<Thread>,
    directory: Directory,
}

fn world() -> World {
    let mailbox = Mailbox {
        kind: MailboxKind::Group,
        address: "helpdesk@acme.example".into(),
        create_cases: true,
        process: None,
        team: None,
    };
    let mut directory = Directory::default();
    directory.ours.insert("helpdesk@acme.example".into());
    World { mailbox, origin: Origin::Live, seen: None, threads: Vec::new(), directory }
}

impl World {
    fn contact(mut self, id: i64, address: &str, account: Option<i64>) -> World {
        let entry =
            Entry { record: RecordId(id), name: format!("contact {id}"), account: account.map(RecordId) };
        self.directory.by_address.entry(address.into()).or_default().push(entry);
        self
    }

    fn account(mut self, id: i64, domain: &str) -> World {
        let entry = Entry { record: RecordId(id), name: format!("account {id}"), account: None };
        self.directory.by_domain.entry(domain.into()).or_default().push(entry);
        self
    }

    fn thread(mut self, id: i64, case: Option<(i64, CaseStatus)>) -> World {
        let case = case.map(|(id, status)| Case { id: RecordId(id), number: id, status });
        self.threads.push(Thread { id: ThreadId(id), case });
        self
    }

    fn decide(&self, letter: &str) -> Plan {
        let World { mailbox, origin, seen, threads, directory } = self;
        let known = Known { mailbox, origin: *origin, seen: *seen, threads: threads.clone(), directory };
        decide(&parse(letter.as_bytes()), &known)
    }
}

fn check(world: &World, letter: &str, expected: Expect) {
    expected.assert_eq(&print(&world.decide(letter)));
}

/// A plan on one line.
fn print(plan: &Plan) -> String {
    let mut out = match plan.seen {
        Some(seen) => format!("copy of message {}, ", seen.message),
        None => String::new(),
    };
    out += &match &plan.thread {
        ThreadPlan::New => format!("{} new thread", plan.direction.word()),
        ThreadPlan::Join(id) => format!("{} joins thread {id}", plan.direction.word()),
        ThreadPlan::Merge { into, from } => {
            format!("{} thread {into} takes in {from:?}", plan.direction.word())
        }
    };
    for link in &plan.links {
        out += &format!(", link {} by {} {}", link.record, link.reason, link.detail);
    }
    out += &match plan.case {
        CasePlan::None => String::new(),
        CasePlan::Create => ", new case".into(),
        CasePlan::Note { case, reopen: false } => format!(", noted in case {case}"),
        CasePlan::Note { case, reopen: true } => format!(", reopens case {case}"),
    };
    out
}

#[test]
fn d1_first_mail_of_a_thread_creates_a_case() {
    check(&world(), FIRST, expect!["in new thread, new case"]);
}

#[test]
fn d1_later_mail_leaves_a_note() {
    check(
        &world().thread(7, Some((3, CaseStatus::Open))),
        ANSWER,
        expect!["in joins thread 7, noted in case 3"],
    );
}

#[test]
fn d1_a_personal_mailbox_creates_no_case() {
    let mut world = world();
    world.mailbox.kind = MailboxKind::Personal;
    check(&world, FIRST, expect!["in new thread"]);
}

#[test]
fn a23_history_creates_no_case_and_reopens_none() {
    let mut world = world().thread(7, Some((3, CaseStatus::Closed)));
    world.origin = Origin::History;
    check(&world, ANSWER, expect!["in joins thread 7"]);
}

#[test]
fn d5_a_customer_reopens_a_closed_case_and_a_machine_does_not() {
    let world = world().thread(7, Some((3, CaseStatus::Closed)));
    check(&world, ANSWER, expect!["in joins thread 7, reopens case 3"]);
    check(
        &world,
        &format!("Auto-Submitted: auto-replied\r\n{ANSWER}"),
        expect!["in joins thread 7, noted in case 3"],
    );
    check(&world, &format!("Return-Path: <>\r\n{ANSWER}"), expect!["in joins thread 7, noted in case 3"]);
}

#[test]
fn our_own_mail_goes_out_and_begins_no_case() {
    let own = "Message-ID: <3@acme.example>\r\nFrom: helpdesk@acme.example\r\nTo: ann@a.example\r\nSubject: Offer\r\n\r\nHello.\r\n";
    check(
        &world().contact(1, "ann@a.example", None),
        own,
        expect!["out new thread, link 1 by to ann@a.example"],
    );
}

#[test]
fn b2_a_contact_is_linked_with_its_account_and_the_reason() {
    let world = world().contact(1, "ann@a.example", Some(2)).account(9, "a.example");
    check(
        &world,
        FIRST,
        expect!["in new thread, link 1 by from ann@a.example, link 2 by contact_of contact 1, new case"],
    );
}

#[test]
fn b3_addresses_match_in_the_order_of_trust_each_record_once() {
    let letter = "Message-ID: <1@x.example>\r\nFrom: form@web.example\r\nReply-To: ANN@a.example\r\nTo: helpdesk@acme.example, ben@b.example\r\nCc: ann@a.example, carla@c.example\r\n\r\nx";
    let world = world().contact(1, "ann@a.example", None).contact(2, "ben@b.example", None).contact(
        3,
        "carla@c.example",
        None,
    );
    check(
        &world,
        letter,
        expect![
            "in new thread, link 1 by reply_to ann@a.example, link 2 by to ben@b.example, link 3 by cc carla@c.example, new case"
        ],
    );
}

#[test]
fn b3_the_domain_counts_where_no_address_of_the_writer_does() {
    check(
        &world().account(9, "a.example"),
        FIRST,
        expect!["in new thread, link 9 by domain a.example, new case"],
    );
}

#[test]
fn an_address_of_two_contacts_decides_nothing_and_says_so() {
    let world = world().contact(1, "ann@a.example", None).contact(2, "ann@a.example", None);
    let plan = world.decide(FIRST);
    assert_eq!(print(&plan), "in new thread, new case");
    assert!(
        plan.steps.iter().any(|step| step.step == "link" && step.result == "ambiguous"),
        "{:?}",
        plan.steps
    );
}

#[test]
fn b8_a_subject_alone_joins_nothing() {
    let stranger = FIRST
        .replace("<1@a.example>", "<9@b.example>")
        .replace("Subject: Order", "Subject: Re: Order [case 3]");
    check(&world(), &stranger, expect!["in new thread, new case"]);
}

#[test]
fn b8_a_letter_that_knows_two_threads_makes_them_one_the_older_stays() {
    let world = world().thread(9, Some((4, CaseStatus::Open))).thread(7, Some((3, CaseStatus::Open)));
    check(&world, ANSWER, expect!["in thread 7 takes in [ThreadId(9)], noted in case 3"]);
}

#[test]
fn b1_a_copy_is_no_second_message_and_is_not_noted_again() {
    let mut world = world().thread(7, Some((3, CaseStatus::Closed)));
    world.seen = Some(Seen { message: MessageId(5), thread: ThreadId(7) });
    check(&world, ANSWER, expect!["copy of message 5, in joins thread 7"]);
}

#[test]
fn d1_a_copy_that_reaches_the_group_second_still_makes_its_case() {
    let mut world = world().thread(7, None);
    world.seen = Some(Seen { message: MessageId(5), thread: ThreadId(7) });
    check(&world, FIRST, expect!["copy of message 5, in joins thread 7, new case"]);
}

#[test]
fn every_plan_says_why() {
    let plan = world().contact(1, "ann@a.example", None).decide(FIRST);
    let steps: Vec<String> =
        plan.steps.iter().map(|step| format!("{}: {} {}", step.step, step.result, step.detail)).collect();
    expect![[r#"
        [
            "thread: new ",
            "link: from ann@a.example",
            "case: created ",
        ]
    "#]]
    .assert_debug_eq(&steps);
}
