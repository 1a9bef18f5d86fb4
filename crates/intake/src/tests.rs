//! Decisions: what is known, a letter, the plan. One line a case.

use crate::decide;
use crate::plan::{
    Case, CaseMaking, CasePlan, Directory, Entry, Known, Mailbox, Origin, Plan, Seen, Thread, ThreadPlan,
    Tied,
};
use expect_test::{Expect, expect};
use mail::parse::parse;
use model::{CaseStatus, MailboxKind, MessageId, RecordId, RecordKind, ThreadId, Time, Verdict};
use std::collections::HashSet;

const FIRST: &str = "Message-ID: <1@a.example>\r\nFrom: Ann <ann@a.example>\r\nTo: helpdesk@acme.example\r\nSubject: Order\r\n\r\nTen.\r\n";
const ANSWER: &str = "Message-ID: <2@a.example>\r\nIn-Reply-To: <1@a.example>\r\nFrom: Ann <ann@a.example>\r\nTo: helpdesk@acme.example\r\nSubject: Re: Order\r\n\r\nSix.\r\n";

/// What a test knows; begins with a helpdesk that makes cases and an empty shelf.
struct World {
    mailbox: Mailbox,
    origin: Origin,
    seen: Option<Seen>,
    threads: Vec<Thread>,
    auth: Verdict,
    bounced: Option<Seen>,
    numbered: Vec<Tied>,
    directory: Directory,
    snoozed: bool,
    is_past: bool,
}

fn world() -> World {
    let mailbox = Mailbox { create_cases: true, ..Mailbox::new(MailboxKind::Group, "helpdesk@acme.example") };
    let mut directory = Directory::default();
    directory.ours.insert("helpdesk@acme.example".into());
    World {
        mailbox,
        origin: Origin::Live,
        seen: None,
        threads: Vec::new(),
        auth: Verdict::Unknown,
        bounced: None,
        numbered: Vec::new(),
        directory,
        snoozed: false,
        is_past: false,
    }
}

impl World {
    fn contact(self, id: i64, address: &str, account: Option<i64>) -> World {
        self.entry(RecordKind::Contact, id, address, &Vec::from_iter(account))
    }

    fn entry(mut self, kind: RecordKind, id: i64, address: &str, accounts: &[i64]) -> World {
        let accounts = accounts.iter().copied().map(RecordId).collect();
        let entry = Entry { record: RecordId(id), kind, name: format!("{kind} {id}"), accounts };
        self.directory.by_address.entry(address.into()).or_default().push(entry);
        self
    }

    fn account(mut self, id: i64, domain: &str) -> World {
        let (kind, name) = (RecordKind::Account, format!("account {id}"));
        let entry = Entry { record: RecordId(id), kind, name, accounts: Vec::new() };
        self.directory.by_domain.entry(domain.into()).or_default().push(entry);
        self
    }

    /// A thread of this mailbox in which Ann wrote, with a case or without.
    fn thread(mut self, id: i64, case: Option<(i64, CaseStatus)>) -> World {
        let (snoozed, is_past) = (self.snoozed, self.is_past);
        let case = case.map(|(id, status)| Case { id: RecordId(id), number: id, status, snoozed, is_past });
        let people = HashSet::from(["ann@a.example".to_owned(), "helpdesk@acme.example".to_owned()]);
        let thread = Thread { case, people, has_messages: true, is_here: true, ..Thread::new(ThreadId(id)) };
        self.threads.push(thread);
        self
    }

    /// The last thread, changed.
    fn but(mut self, change: impl FnOnce(&mut Thread)) -> World {
        change(self.threads.last_mut().unwrap());
        self
    }

    fn decide(&self, letter: &str) -> Plan {
        let World { mailbox, origin, seen, threads, auth, bounced, numbered, directory, .. } = self;
        let known = Known {
            mailbox,
            origin: *origin,
            received_at: Time(0),
            seen: *seen,
            threads: threads.clone(),
            gathered: None,
            auth: *auth,
            bounced: *bounced,
            numbered: numbered.clone(),
            directory,
            trial: None,
        };
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
        ThreadPlan::Apart(_) => format!("{} new thread apart", plan.direction.word()),
        ThreadPlan::Join(id) => format!("{} joins thread {id}", plan.direction.word()),
        ThreadPlan::Merge { into, from } => {
            format!("{} thread {into} takes in {from:?}", plan.direction.word())
        }
    };
    for link in &plan.links {
        out += &format!(", link {} by {} {}", link.record, link.reason, link.detail);
    }
    for one in &plan.suggestions {
        out += &format!(", suggest {} by {} {} ({} %)", one.record, one.reason, one.detail, one.confidence);
    }
    if let Some(why) = plan.unverified {
        out += &format!(", unverified {why}");
    }
    out += &match plan.case {
        CasePlan::None => String::new(),
        CasePlan::Create(CaseMaking { continues: None, .. }) => ", new case".into(),
        CasePlan::Create(CaseMaking { continues: Some(case), .. }) => format!(", new case continues {case}"),
        CasePlan::Note { case, reopen: true, .. } => format!(", reopens case {case}"),
        CasePlan::Note { case, wake: true, .. } => format!(", wakes case {case}"),
        CasePlan::Note { case, .. } => format!(", noted in case {case}"),
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
fn d5_a_waiting_case_is_opened_and_one_out_of_sight_is_seen_again() {
    let world = world().thread(7, Some((3, CaseStatus::Waiting)));
    check(&world, ANSWER, expect!["in joins thread 7, reopens case 3"]);
    let snoozed = || World { snoozed: true, ..self::world() };
    check(
        &snoozed().thread(7, Some((3, CaseStatus::Open))),
        ANSWER,
        expect!["in joins thread 7, wakes case 3"],
    );
    check(
        &snoozed().thread(7, Some((3, CaseStatus::Open))),
        &format!("Auto-Submitted: auto-replied\r\n{ANSWER}"),
        expect!["in joins thread 7, noted in case 3"],
    );
}

#[test]
fn d5_a_case_closed_long_ago_is_continued_by_a_new_one() {
    let world = World { is_past: true, ..world() }.thread(7, Some((3, CaseStatus::Closed)));
    check(&world, ANSWER, expect!["in joins thread 7, new case continues 3"]);
    check(
        &world,
        &format!("Auto-Submitted: auto-replied\r\n{ANSWER}"),
        expect!["in joins thread 7, noted in case 3"],
    );
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
fn b3_an_address_of_two_contacts_decides_nothing_and_asks() {
    let world = world().contact(1, "ann@a.example", None).contact(2, "ann@a.example", None);
    let plan = world.decide(FIRST);
    assert_eq!(
        print(&plan),
        "in new thread, suggest 1 by from ann@a.example (47 %), suggest 2 by from ann@a.example (47 %), new case"
    );
    assert!(
        plan.steps.iter().any(|step| step.step == "link" && step.result == "ambiguous"),
        "{:?}",
        plan.steps
    );
}

#[test]
fn b3_an_address_of_two_contacts_of_one_account_links_the_account() {
    let world = world().contact(1, "info@a.example", Some(9)).contact(2, "info@a.example", Some(9));
    check(
        &world,
        &FIRST.replace("Ann <ann@a", "Info <info@a"),
        expect![
            "in new thread, link 9 by contact_of contact 1, suggest 1 by from info@a.example (47 %), suggest 2 by from info@a.example (47 %), new case"
        ],
    );
}

#[test]
fn b3_an_address_of_a_contact_and_of_its_account_is_both() {
    let world =
        world().contact(1, "ann@a.example", Some(9)).entry(RecordKind::Account, 9, "ann@a.example", &[]);
    check(
        &world,
        FIRST,
        expect!["in new thread, link 1 by from ann@a.example, link 9 by contact_of contact 1, new case"],
    );
}

#[test]
fn b3_of_several_accounts_none_is_guessed_but_the_one_of_the_domain() {
    let several = world().entry(RecordKind::Contact, 1, "ann@a.example", &[8, 9]);
    check(
        &several,
        FIRST,
        expect![
            "in new thread, link 1 by from ann@a.example, suggest 8 by contact_of contact 1 (40 %), suggest 9 by contact_of contact 1 (40 %), new case"
        ],
    );
    let steps = several.decide(FIRST).steps;
    assert!(
        steps.iter().any(|step| step.result == "several_accounts" && step.detail == "contact 1"),
        "{steps:?}"
    );
    check(
        &several.account(9, "a.example"),
        FIRST,
        expect!["in new thread, link 1 by from ann@a.example, link 9 by contact_of contact 1, new case"],
    );
}

#[test]
fn b3_the_domain_of_a_provider_is_nobodys() {
    let world = world().account(9, "seznam.cz");
    check(&world, &FIRST.replace("ann@a.example", "ann@seznam.cz"), expect!["in new thread, new case"]);
}

#[test]
fn b3_a_domain_of_two_accounts_asks() {
    let world = world().account(8, "a.example").account(9, "a.example");
    check(
        &world,
        FIRST,
        expect![
            "in new thread, suggest 8 by domain a.example (30 %), suggest 9 by domain a.example (30 %), new case"
        ],
    );
}

#[test]
fn b3_a_number_suggests_its_case_and_never_joins_it() {
    let mut world = world();
    world.numbered.push(Tied { record: RecordId(3), name: "#3 Order".into() });
    check(
        &world,
        &FIRST.replace("Order", "Re: [#3] Order"),
        expect!["in new thread, suggest 3 by number #3 Order (40 %), new case"],
    );
}

#[test]
fn b2_an_answer_says_what_its_thread_is_linked_to() {
    let tied = Tied { record: RecordId(3), name: "#3 Order".into() };
    let world = world().thread(7, Some((3, CaseStatus::Open))).but(|thread| thread.records.push(tied));
    let steps = |world: &World| -> Vec<String> {
        let steps = world.decide(ANSWER).steps;
        steps.iter().map(|step| format!("{} {} {}", step.step, step.result, step.detail)).collect()
    };
    assert_eq!(steps(&world), ["thread reply 7", "link reply #3 Order", "case noted 3"]);
    assert_eq!(
        steps(&world.but(|thread| thread.is_signed = true)),
        ["thread token 7", "link token #3 Order", "case noted 3"]
    );
}

#[test]
fn b8_a_subject_alone_joins_nothing() {
    let stranger = FIRST
        .replace("<1@a.example>", "<9@b.example>")
        .replace("Subject: Order", "Subject: Re: Order [case 3]");
    check(&world(), &stranger, expect!["in new thread, new case"]);
}

/// A letter of somebody who took no part in anything.
fn stranger() -> String {
    ANSWER.replace("Ann <ann@a.example>", "Eve <eve@e.example>")
}

#[test]
fn b8_a_stranger_who_names_a_message_of_a_case_is_shown_and_moves_nothing() {
    let world = world().thread(7, Some((3, CaseStatus::Closed))).contact(5, "eve@e.example", None);
    check(
        &world,
        &stranger(),
        expect![
            "in joins thread 7, suggest 5 by from eve@e.example (47 %), unverified stranger, noted in case 3"
        ],
    );
}

#[test]
fn t10_a_strangers_signed_id_is_no_more_than_a_known_one() {
    let world = world().thread(7, Some((3, CaseStatus::Closed))).but(|thread| thread.is_signed = true);
    check(&world, &stranger(), expect!["in joins thread 7, unverified stranger, noted in case 3"]);
}

#[test]
fn b8_who_belongs_to_a_linked_account_is_no_stranger() {
    let closed = || {
        world().thread(7, Some((3, CaseStatus::Closed))).but(|thread| {
            thread.records.push(Tied { record: RecordId(9), name: "Firm".into() });
        })
    };
    let reopens = |world: World| assert!(print(&world.decide(&stranger())).ends_with("reopens case 3"));
    reopens(closed().entry(RecordKind::Contact, 5, "eve@e.example", &[8, 9]));
    reopens(closed().account(9, "e.example"));
    reopens(closed().but(|thread| thread.people.extend(["eve@e.example".to_owned()])));
}

#[test]
fn b8_whose_sender_is_forged_is_not_trusted_by_it() {
    let mut world = world().thread(7, Some((3, CaseStatus::Closed)));
    world.auth = Verdict::Fail;
    check(&world, ANSWER, expect!["in joins thread 7, unverified auth_fail, noted in case 3"]);
    // Nor is somebody who claims to be us.
    let ours = ANSWER.replace("Ann <ann@a.example>", "helpdesk@acme.example");
    check(&world, &ours, expect!["in joins thread 7, unverified auth_fail, noted in case 3"]);
}

#[test]
fn b8_among_friends_and_on_lists_everybody_may_answer() {
    let mut world = world().thread(7, None);
    world.mailbox.kind = MailboxKind::Personal;
    check(&world, &stranger(), expect!["in joins thread 7"]);
    let ours = world.but(|thread| thread.has_ours = true);
    check(&ours, &stranger(), expect!["in joins thread 7, unverified stranger"]);
}

#[test]
fn b8_a_stranger_does_not_show_one_mailboxes_mail_to_another() {
    let world = world().thread(7, Some((3, CaseStatus::Open))).but(|thread| {
        thread.is_here = false;
        thread.records.push(Tied { record: RecordId(3), name: "#3 Order".into() });
    });
    check(&world, &stranger(), expect!["in new thread, suggest 3 by reply #3 Order (48 %), new case"]);
    check(&world, ANSWER, expect!["in joins thread 7, noted in case 3"]);
}

#[test]
fn b8_two_threads_become_one_only_by_somebody_of_both() {
    let not_hers = |thread: &mut Thread| {
        thread.people.clear();
        thread.records.push(Tied { record: RecordId(3), name: "#3 Order".into() });
    };
    let world =
        world().thread(9, Some((4, CaseStatus::Open))).thread(7, Some((3, CaseStatus::Open))).but(not_hers);
    check(&world, ANSWER, expect!["in joins thread 9, suggest 3 by reply #3 Order (48 %), noted in case 4"]);
    let steps = world.decide(ANSWER).steps;
    assert!(steps.iter().any(|step| step.result == "merge_not_trusted" && step.detail == "7"), "{steps:?}");
    // The nearest decides, also where its writer is a stranger there.
    let mut world = world;
    world.threads.reverse();
    check(&world, ANSWER, expect!["in joins thread 7, unverified stranger, noted in case 3"]);
}

#[test]
fn b8_what_a_person_parted_does_not_grow_together_again() {
    let world = world().thread(9, None).but(|thread| thread.parted_from = Some(ThreadId(7))).thread(7, None);
    check(&world, ANSWER, expect!["in joins thread 9, new case"]);
}

#[test]
fn b9_a_bounce_joins_the_thread_of_what_it_speaks_of() {
    let mut world = world().thread(7, Some((3, CaseStatus::Closed))).but(|thread| thread.has_ours = true);
    let bounce = "Return-Path: <>\r\nMessage-ID: <b@mx.example>\r\nFrom: MAILER-DAEMON@mx.example\r\nSubject: Undelivered\r\n\r\nNo.\r\n";
    check(&world, bounce, expect!["in joins thread 7, unverified stranger, noted in case 3"]);
    world.bounced =
        Some(Seen { message: MessageId(5), thread: ThreadId(7), unverified: None, received_at: Time(0) });
    check(&world, bounce, expect!["in joins thread 7, noted in case 3"]);
    assert_eq!(world.decide(bounce).bounce_of, Some(MessageId(5)));
}

#[test]
fn b8_a_letter_that_knows_two_threads_makes_them_one_the_older_stays() {
    let world = world().thread(9, Some((4, CaseStatus::Open))).thread(7, Some((3, CaseStatus::Open)));
    check(&world, ANSWER, expect!["in thread 7 takes in [ThreadId(9)], noted in case 3"]);
}

#[test]
fn b1_a_copy_is_no_second_message_and_is_not_noted_again() {
    let mut world = world().thread(7, Some((3, CaseStatus::Closed)));
    world.seen =
        Some(Seen { message: MessageId(5), thread: ThreadId(7), unverified: None, received_at: Time(0) });
    check(&world, ANSWER, expect!["copy of message 5, in joins thread 7"]);
}

#[test]
fn d1_a_copy_that_reaches_the_group_second_still_makes_its_case() {
    let mut world = world().thread(7, None);
    world.seen =
        Some(Seen { message: MessageId(5), thread: ThreadId(7), unverified: None, received_at: Time(0) });
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
