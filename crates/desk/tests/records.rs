//! Stories of records: kept, found, merged, converted, imported.
#![allow(clippy::unwrap_used)]

mod office;

use desk::may::Actor;
use desk::record::import::{self, Existing, Plan, Target};
use desk::record::{self, Changes, Conversion, Listing, Merge, Page, Put, ToAccount};
use desk::rule::{self, Draft, Place};
use desk::{Desk, Refusal, thread};
use expect_test::expect;
use model::{Action, FormMapping, Level, Matching, RecordId, RecordKind};
use office::{Mail, Office};
use store::sql::Db;
use store::threads::View;

/// How it ended, as a word.
fn code<T>(result: Result<T, Refusal>) -> String {
    match result {
        Ok(_) => "done".to_owned(),
        Err(Refusal::Conflict { code, .. }) => code.to_owned(),
        Err(Refusal::Invalid { field, code, .. }) => format!("{field}.{code}"),
        Err(refusal) => refusal.to_string(),
    }
}

fn named(name: &str) -> Changes {
    Changes { name: Some(name.to_owned()), ..Changes::default() }
}

fn person(name: &str, address: &str) -> Changes {
    Changes { addresses: Some(vec![address.to_owned()]), ..named(name) }
}

async fn put(desk: &Desk, actor: &Actor, kind: RecordKind, wanted: Changes) -> Page {
    record::put(desk, actor, kind, wanted).await.unwrap().1
}

async fn names(desk: &Desk, actor: &Actor, listing: Listing) -> String {
    let (total, rows) = record::list(desk, actor, listing, 0, 50).await.unwrap();
    assert_eq!(total as usize, rows.len());
    rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// A record's stream as lines, oldest first.
async fn told(desk: &Desk, actor: &Actor, id: RecordId) -> String {
    let (mut rows, _) = record::stream(desk, actor, id, None, 100).await.unwrap();
    rows.reverse();
    rows.iter().map(|entry| format!("{} {}\n", entry.kind.word(), entry.data)).collect()
}

/// A rule for every mail of the mailbox.
async fn form_rule(desk: &Desk, mailbox: model::MailboxId, action: Action) {
    let draft = Draft {
        place: Place::Mailbox(mailbox),
        folder: None,
        name: "Web form".to_owned(),
        enabled: true,
        matching: Matching::All,
        conditions: Vec::new(),
        actions: vec![action],
    };
    rule::create(desk, &Actor::machine(), draft).await.unwrap();
}

testkit::on_both! {
    async fn b5_an_opportunity_has_a_stage_an_amount_and_people_and_its_stream_tells_what_changed(db: Db) {
        let office = Office::new(db);
        let desk = office.desk.clone();
        let sales = office.team("Sales").await;
        let lead = office.person("lead", Level::All, Level::All, &[sales]).await;
        let firm = put(&desk, &lead, RecordKind::Account, named("Firm a.s.")).await.record.id;
        let deal = Changes { account: Some(Some(firm)), ..named("Lamps") };
        let deal = put(&desk, &lead, RecordKind::Opportunity, deal).await;
        assert_eq!(deal.record.deal.stage.as_deref(), Some("new"));
        let offer = Changes {
            stage: Some("proposal".to_owned()),
            amount: Some(Some(123_450)),
            currency: Some(Some("eur".to_owned())),
            closes_on: Some(Some("2026-05-31".to_owned())),
            team: Some(Some(sales)),
            assignee: Some(lead.user),
            ..Changes::default()
        };
        let deal = record::change(&desk, &lead, deal.record.id, 1, offer).await.unwrap();
        let id = deal.record.id;
        assert_eq!((deal.row.deal.amount, deal.row.deal.currency.as_deref()), (Some(123_450), Some("EUR")));
        expect![[r#"
            created {}
            changed {"changes":[{"field":"stage","from":"new","to":"proposal"},{"field":"amount","from":"","to":"1234.50 EUR"},{"field":"closes_on","from":"","to":"2026-05-31"},{"field":"team","from":"","to":"Sales"}]}
            assigned {"from":"","to":"lead"}
        "#]].assert_eq(&told(&desk, &lead, id).await);

        let filters = [
            ("all", Listing::default(), "Firm a.s., Lamps"),
            ("stage", Listing { stage: Some("proposal"), ..Listing::default() }, "Lamps"),
            ("other stage", Listing { stage: Some("won"), ..Listing::default() }, ""),
            ("mine", Listing { assignee: Some(lead.user), ..Listing::default() }, "Lamps"),
            ("nobody's", Listing { assignee: Some(None), ..Listing::default() }, "Firm a.s."),
            ("team", Listing { team: Some(sales), ..Listing::default() }, "Lamps"),
            ("account", Listing { account: Some(firm), ..Listing::default() }, "Lamps"),
            ("followed", Listing { followed: true, ..Listing::default() }, "Firm a.s., Lamps"),
        ];
        for (what, listing, expected) in filters {
            assert_eq!(names(&desk, &lead, listing).await, expected, "{what}");
        }
        record::unfollow(&desk, &lead, firm).await.unwrap();
        assert_eq!(names(&desk, &lead, Listing { followed: true, ..Listing::default() }).await, "Lamps");
        let sums = record::stages(&desk, &lead, Listing { kind: Some(RecordKind::Opportunity), ..Listing::default() }).await.unwrap();
        assert_eq!((sums.len(), sums[0].stage.as_str(), sums[0].records, sums[0].amount), (1, "proposal", 1, 123_450));
        let page = record::open(&desk, &lead, firm).await.unwrap();
        assert_eq!(page.opportunities[0].name, "Lamps");
    }

    async fn b5_what_a_kind_of_record_cannot_have_is_refused(db: Db) {
        let office = Office::new(db);
        let desk = office.desk.clone();
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let account = put(&desk, &lead, RecordKind::Account, named("A")).await.record.id;
        let contact = put(&desk, &lead, RecordKind::Contact, named("C")).await.record.id;
        let text = |text: &str| Some(Some(text.to_owned()));
        let bad = [
            (RecordKind::Account, Changes { stage: Some("new".into()), ..named("x") }, "stage.bad_value"),
            (RecordKind::Opportunity, Changes { stage: Some("contacted".into()), ..named("x") }, "stage.bad_value"),
            (RecordKind::Lead, Changes { stage: Some("converted".into()), ..named("x") }, "stage.bad_value"),
            (RecordKind::Lead, Changes { amount: Some(Some(1)), ..named("x") }, "amount.bad_value"),
            (RecordKind::Opportunity, Changes { amount: Some(Some(1)), ..named("x") }, "currency.required"),
            (RecordKind::Opportunity, Changes { amount: Some(Some(-1)), currency: text("EUR"), ..named("x") }, "amount.bad_value"),
            (RecordKind::Opportunity, Changes { currency: text("euro"), ..named("x") }, "currency.bad_value"),
            (RecordKind::Opportunity, Changes { closes_on: text("2026-02-30"), ..named("x") }, "closes_on.bad_value"),
            (RecordKind::Contact, Changes { team: Some(Some(model::TeamId(99))), ..named("x") }, "team_id.unknown"),
            (RecordKind::Contact, Changes { assignee: Some(Some(model::UserId(99))), ..named("x") }, "assignee_id.unknown"),
            (RecordKind::Contact, Changes { further_accounts: Some(vec![contact]), ..named("x") }, "further_account_ids.unknown"),
            (RecordKind::Opportunity, Changes { further_accounts: Some(vec![account]), ..named("x") }, "further_account_ids.bad_value"),
            (RecordKind::Account, Changes { account: Some(Some(account)), ..named("x") }, "account_id.bad_value"),
        ];
        for (kind, wanted, expected) in bad {
            let what = format!("{kind} {wanted:?}");
            assert_eq!(code(record::put(&desk, &lead, kind, wanted).await), expected, "{what}");
        }
    }

    async fn b5_a_contact_of_several_accounts_stands_in_each_of_them(db: Db) {
        let office = Office::new(db);
        let desk = office.desk.clone();
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let mut accounts = Vec::new();
        for name in ["One", "Two", "Three"] {
            accounts.push(put(&desk, &lead, RecordKind::Account, named(name)).await.record.id);
        }
        let wanted = Changes {
            account: Some(Some(accounts[1])),
            further_accounts: Some(vec![accounts[2], accounts[0], accounts[1], accounts[0]]),
            ..person("Ann", "ann@one.example")
        };
        let ann = put(&desk, &lead, RecordKind::Contact, wanted).await.record;
        let further: Vec<&str> = ann.further_accounts.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!((ann.account.unwrap().1.as_str(), &further[..]), ("Two", &["One", "Three"][..]));
        for account in &accounts {
            assert_eq!(record::open(&desk, &lead, *account).await.unwrap().contacts[0].name, "Ann");
        }
        let without = Changes { further_accounts: Some(Vec::new()), ..Changes::default() };
        record::change(&desk, &lead, ann.id, 1, without).await.unwrap();
        assert_eq!(record::open(&desk, &lead, accounts[0]).await.unwrap().contacts.len(), 0);
    }

    async fn b6_two_who_put_the_same_external_id_at_once_make_one_record(db: Db) {
        let office = Office::new(db);
        let desk = office.desk.clone();
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let wanted = Changes { external_id: Some(Some("crm-7".into())), ..named("Firm") };
        let each = || tokio::spawn({
            let (desk, lead, wanted) = (desk.clone(), lead.clone(), wanted.clone());
            async move { record::put(&desk, &lead, RecordKind::Account, wanted).await.unwrap() }
        });
        let tasks: Vec<_> = (0..8).map(|_| each()).collect();
        let mut made = Vec::new();
        for task in tasks {
            let (put, page) = task.await.unwrap();
            made.push((put, page.record.id));
        }
        assert_eq!(made.iter().filter(|(put, _)| *put == Put::Created).count(), 1, "{made:?}");
        assert!(made.iter().all(|(_, id)| *id == made[0].1));
        assert_eq!(record::list(&desk, &lead, Listing::default(), 0, 9).await.unwrap().0, 1);
    }

    async fn b5_duplicates_are_found_by_address_name_and_domain(db: Db) {
        let office = Office::new(db);
        let desk = office.desk.clone();
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let own = office.person("own", Level::Own, Level::Own, &[]).await;
        for (name, address) in [("Žofie Malá", "z@one.example"), ("Zofie Mala", "zm@one.example"), ("Ž. Malá", "zm@one.example"), ("Ben", "ben@two.example"), ("Ben", "ben@three.example")] {
            put(&desk, &lead, RecordKind::Contact, person(name, address)).await;
        }
        for (name, domain) in [("Firm", "firm.example"), ("Firm a.s.", "firm.example")] {
            put(&desk, &lead, RecordKind::Account, Changes { domains: Some(vec![domain.into()]), ..named(name) }).await;
        }
        let mut out = String::new();
        for kind in [RecordKind::Contact, RecordKind::Account, RecordKind::Lead] {
            for pair in record::duplicates(&desk, &lead, kind, None).await.unwrap() {
                out.push_str(&format!("{} = {}: {} {}\n", pair.one.name, pair.other.name, pair.alike, pair.what));
            }
        }
        expect![[r#"
            Zofie Mala = Ž. Malá: address zm@one.example
            Žofie Malá = Zofie Mala: name_and_domain Žofie Malá
            Ben = Ben: name Ben
            Firm = Firm a.s.: domain firm.example
        "#]].assert_eq(&out);
        assert!(record::duplicates(&desk, &own, RecordKind::Contact, None).await.unwrap().is_empty(), "who sees none");
        let (_, rows) = record::list(&desk, &lead, Listing { text: Some("ben".into()), ..Listing::default() }, 0, 9).await.unwrap();
        assert_eq!(record::duplicates(&desk, &lead, RecordKind::Contact, Some(rows[0].id)).await.unwrap().len(), 1);
    }

    async fn b5_merged_records_are_one_with_everything_of_both(db: Db) {
        let mut office = Office::new(db);
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let desk = office.desk.clone();
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let other = office.person("other", Level::All, Level::All, &[]).await;
        let one = put(&desk, &lead, RecordKind::Account, named("One")).await.record.id;
        let two = put(&desk, &lead, RecordKind::Account, Changes { external_id: Some(Some("2".into())), ..named("Two") }).await.record.id;
        let field = |label: &str, value: &str| record::Field { label: label.into(), value: value.into() };
        let ann = Changes { account: Some(Some(one)), fields: Some(vec![field("Phone", "1"), field("City", "")]), ..person("Ann", "ann@one.example") };
        let ann = put(&desk, &lead, RecordKind::Contact, ann).await.record.id;
        let anna = Changes { account: Some(Some(two)), fields: Some(vec![field("Phone", "2"), field("City", "Brno"), field("Fax", "3")]), external_id: Some(Some("a".into())), ..person("Anna", "anna@two.example") };
        let anna = put(&desk, &lead, RecordKind::Contact, anna).await.record.id;
        record::follow(&desk, &other, anna).await.unwrap();
        desk::note::on_record(&desk, &lead, anna, "calls back").await.unwrap();
        // A thread of each, and one of both.
        let mails = [("ann@one.example", "helpdesk@acme.example", "1"), ("anna@two.example", "helpdesk@acme.example", "2"), ("ann@one.example", "helpdesk@acme.example, anna@two.example", "3")];
        for (from, to, id) in mails {
            office.arrives(helpdesk, Mail { from, to, subject: id, id, text: "Hello", ..Mail::default() }).await;
        }
        assert_eq!(record::threads(&desk, &lead, anna, 0, 9).await.unwrap().total, 2);

        let take = vec!["name".to_owned(), "Phone".to_owned()];
        let page = record::merge(&desk, &lead, Merge { into: ann, from: anna, take }).await.unwrap();
        let record = &page.record;
        assert_eq!((record.id, record.name.as_str(), record.external_id.as_deref()), (ann, "Anna", Some("a")));
        assert_eq!(record.addresses, ["ann@one.example", "anna@two.example"]);
        assert_eq!((record.account.as_ref().unwrap().0, record.further_accounts[0].0), (one, two));
        let fields: Vec<String> = page.fields.iter().map(|field| format!("{} {}", field.label, field.value)).collect();
        assert_eq!(fields, ["Phone 2", "City Brno", "Fax 3"]);
        assert_eq!(record::threads(&desk, &lead, ann, 0, 9).await.unwrap().total, 3);
        for row in thread::list(&desk, &lead, View::All, None, 0, 9).await.unwrap().rows {
            let links = thread::open(&desk, &lead, row.id).await.unwrap().links;
            assert_eq!(links.iter().filter(|link| link.record.id == ann).count(), 1, "thread {}", row.subject);
            assert!(links.iter().all(|link| link.record.id != anna));
            assert_eq!(row.records.iter().filter(|record| record.id == ann).count(), 1, "thread {}", row.subject);
        }
        // The old id stands for the new one, everywhere.
        assert_eq!(record::open(&desk, &lead, anna).await.unwrap().record.id, ann);
        assert_eq!(record::threads(&desk, &lead, anna, 0, 9).await.unwrap().total, 3);
        assert!(record::open(&desk, &other, ann).await.unwrap().following, "followers go over");
        let again = Changes { external_id: Some(Some("a".into())), ..named("Anna") };
        assert_eq!(put(&desk, &lead, RecordKind::Contact, again).await.record.id, ann);
        assert!(told(&desk, &lead, anna).await.contains("note"));
        assert_eq!(names(&desk, &lead, Listing { kind: Some(RecordKind::Contact), ..Listing::default() }).await, "Anna");
        assert_eq!(code(record::merge(&desk, &lead, Merge { into: ann, from: anna, take: vec![] }).await), "merged_already");
        assert_eq!(code(record::merge(&desk, &lead, Merge { into: ann, from: one, take: vec![] }).await), "from.bad_value");

        // Mail to the address that went over finds the one that stayed.
        office.arrives(helpdesk, Mail { from: "anna@two.example", to: "helpdesk@acme.example", subject: "4", id: "4", text: "Me again", ..Mail::default() }).await;
        assert_eq!(record::threads(&desk, &lead, ann, 0, 9).await.unwrap().total, 4);

        // Accounts: what belonged to the one belongs to the other, once.
        record::merge(&desk, &lead, Merge { into: two, from: one, take: vec![] }).await.unwrap();
        let ann = record::open(&desk, &lead, ann).await.unwrap().record;
        assert_eq!((ann.account.unwrap().0, ann.further_accounts.len()), (two, 0));
        let page = record::open(&desk, &lead, one).await.unwrap();
        // The fourth mail came when she was of two accounts: which one it concerns, a person says.
        assert_eq!((page.record.id, page.contacts.len(), page.cases.len()), (two, 1, 3));
    }

    async fn b5_a_record_one_may_not_see_cannot_be_merged(db: Db) {
        let office = Office::new(db);
        let desk = office.desk.clone();
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let own = office.person("own", Level::Own, Level::Own, &[]).await;
        let hidden = put(&desk, &lead, RecordKind::Contact, named("Hidden")).await.record.id;
        let mine = put(&desk, &own, RecordKind::Contact, named("Mine")).await.record.id;
        for (into, from) in [(mine, hidden), (hidden, mine)] {
            assert_eq!(code(record::merge(&desk, &own, Merge { into, from, take: vec![] }).await), "not found");
        }
        assert_eq!(record::open(&desk, &lead, hidden).await.unwrap().record.name, "Hidden");
    }

    async fn b2_a_converted_lead_is_a_contact_with_its_mail_and_its_account(db: Db) {
        let mut office = Office::new(db);
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let desk = office.desk.clone();
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let firm = Changes { domains: Some(vec!["firm.example".into()]), ..named("Firm") };
        let firm = put(&desk, &lead, RecordKind::Account, firm).await.record.id;
        let carla = Changes { stage: Some("contacted".into()), assignee: Some(lead.user), ..person("Carla", "carla@firm.example") };
        let carla = put(&desk, &lead, RecordKind::Lead, carla).await.record.id;
        office.arrives(helpdesk, Mail { from: "carla@firm.example", to: "helpdesk@acme.example", subject: "Offer?", id: "c", text: "Hello", ..Mail::default() }).await;
        assert_eq!(record::threads(&desk, &lead, carla, 0, 9).await.unwrap().total, 1);

        let wanted = Conversion { account: ToAccount::Found, opportunity: Some("Lamps for Carla".into()) };
        let contact = record::convert(&desk, &lead, carla, wanted).await.unwrap();
        assert_eq!((contact.record.kind, contact.record.account.as_ref().unwrap().0), (RecordKind::Contact, firm));
        assert_eq!((contact.record.addresses[0].as_str(), contact.row.assignee.is_some()), ("carla@firm.example", true));
        assert_eq!(record::threads(&desk, &lead, contact.record.id, 0, 9).await.unwrap().total, 1);
        assert_eq!(record::threads(&desk, &lead, firm, 0, 9).await.unwrap().total, 1);
        let deal = &record::open(&desk, &lead, firm).await.unwrap().opportunities[0];
        assert_eq!((deal.name.as_str(), record::threads(&desk, &lead, deal.id, 0, 9).await.unwrap().total), ("Lamps for Carla", 1));
        let there = record::open(&desk, &lead, carla).await.unwrap().record;
        assert_eq!((there.deal.stage.as_deref(), there.converted_into.as_ref().unwrap().0), (Some("converted"), contact.record.id));
        assert_eq!(code(record::convert(&desk, &lead, carla, Conversion::default()).await), "lead_converted");
        let again = Changes { stage: Some("new".into()), ..Changes::default() };
        assert_eq!(code(record::change(&desk, &lead, carla, there.version, again).await), "stage.bad_value");
        assert!(told(&desk, &lead, carla).await.contains("converted"));

        // A second lead with the same address becomes the same contact.
        let second = put(&desk, &lead, RecordKind::Lead, Changes { addresses: Some(vec!["carla@firm.example".into(), "c@home.example".into()]), ..named("C.") }).await.record.id;
        let same = record::convert(&desk, &lead, second, Conversion { account: ToAccount::Named("Home".into()), opportunity: None }).await.unwrap().record;
        assert_eq!((same.id, same.addresses.len()), (contact.record.id, 2));
        assert_eq!((same.account.unwrap().0, same.further_accounts[0].1.as_str()), (firm, "Home"));
    }

    async fn b5_an_import_shows_what_it_will_do_and_does_it(db: Db) {
        let office = Office::new(db);
        let desk = office.desk.clone();
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        put(&desk, &lead, RecordKind::Contact, person("Ann", "ann@one.example")).await;
        put(&desk, &lead, RecordKind::Contact, Changes { external_id: Some(Some("7".into())), ..person("Ben", "ben@two.example") }).await;
        for _ in 0..2 {
            put(&desk, &lead, RecordKind::Contact, person("Twin", "twin@x.example")).await;
        }
        let file = "ID;Jméno;E-mail;Firma;Telefon\n;Ann Nová;ANN@one.example;One;111\n7;Benjamin;b@two.example;;222\n\
                    ;Carla;carla@one.example;One;333\n;Carla;carla@one.example;One;333\n;Twin;twin@x.example;;\n;Dan;not an address;;\n;;;;5\n";
        let state = import::upload(&desk, &lead, RecordKind::Contact, "kontakty.csv", file.into()).await.unwrap();
        assert_eq!((state.total, state.done), (7, 0));
        let targets: Vec<&str> = state.plan.columns.iter().map(|column| column.to.word()).collect();
        assert_eq!(targets, ["external_id", "name", "address", "account", "field"]);

        let (_, rows) = import::preview(&desk, &lead, state.id, None).await.unwrap();
        let shown = |rows: &[import::Row]| rows.iter().map(|row| {
            let name = row.record.as_ref().map_or("", |(_, name)| name.as_str());
            let changes: Vec<String> = row.changes.iter().map(|c| format!("{}{} {}→{}", c.field, c.label, c.from, c.to)).collect();
            format!("{} {} {name} {} {}\n", row.position, row.outcome, row.reason.as_ref().map_or("", |(code, _)| code), changes.join(", "))
        }).collect::<String>();
        expect![[r#"
            0 changed Ann  account →One, fieldsTelefon →111
            1 changed Ben  addresses ben@two.example→b@two.example, ben@two.example, fieldsTelefon →222
            2 created Carla  
            3 same Carla  
            4 refused  several_match 
            5 refused  addresses.bad_value 
            6 refused  name.required 
        "#]].assert_eq(&shown(&rows));
        assert_eq!(names(&desk, &lead, Listing { kind: Some(RecordKind::Account), ..Listing::default() }).await, "", "a preview writes nothing");

        let mut state = state;
        for _ in 0..5 {
            state = import::go_on(&desk, &lead, state.id).await.unwrap();
        }
        let outcomes: Vec<String> = state.outcomes.iter().map(|(outcome, n)| format!("{outcome} {n}")).collect();
        assert_eq!((state.done, outcomes.join(", ").as_str()), (7, "changed 2, created 1, refused 3, same 1"));
        let contacts = names(&desk, &lead, Listing { kind: Some(RecordKind::Contact), ..Listing::default() }).await;
        assert_eq!(contacts, "Ann, Ben, Carla, Twin, Twin");
        let csv = String::from_utf8(import::refused_csv(&desk, &lead, state.id).await.unwrap()).unwrap();
        expect![[r#"
            ID,Jméno,E-mail,Firma,Telefon,Refused because
            ,Twin,twin@x.example,,,Several records have its address or name. Merge them first.
            ,Dan,not an address,,,addresses: “not an address” cannot be one.
            ,,,,5,name: A record needs a name.
        "#]].assert_eq(&csv);
    }

    async fn b5_an_import_can_replace_or_leave_what_is_there(db: Db) {
        let office = Office::new(db);
        let desk = office.desk.clone();
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let ann = put(&desk, &lead, RecordKind::Contact, person("Ann", "ann@one.example")).await.record.id;
        let file = || b"Name,Email\nAnn Ash,ann@one.example\nBen,ben@one.example\n".to_vec();
        for (existing, expected) in [(Existing::Leave, "Ann"), (Existing::Fill, "Ann"), (Existing::Replace, "Ann Ash")] {
            let state = import::upload(&desk, &lead, RecordKind::Contact, "x.csv", file()).await.unwrap();
            let plan = Plan { existing, ..state.plan };
            import::preview(&desk, &lead, state.id, Some(plan)).await.unwrap();
            import::go_on(&desk, &lead, state.id).await.unwrap();
            assert_eq!(record::open(&desk, &lead, ann).await.unwrap().record.name, expected, "{existing}");
        }
        assert_eq!(names(&desk, &lead, Listing::default()).await, "Ann Ash, Ben", "no double");
        let state = import::upload(&desk, &lead, RecordKind::Contact, "x.csv", file()).await.unwrap();
        let mut plan = state.plan;
        plan.columns.iter_mut().for_each(|column| column.to = Target::Skip);
        assert_eq!(code(import::preview(&desk, &lead, state.id, Some(plan.clone())).await), "columns.no_name_column");
        plan.columns.pop();
        assert_eq!(code(import::preview(&desk, &lead, state.id, Some(plan)).await), "columns.bad_value");
        let stranger = office.person("other", Level::All, Level::All, &[]).await;
        assert_eq!(code(import::open(&desk, &stranger, state.id).await), "not found", "a file is its uploader's");
        assert_eq!(import::list(&desk, &lead).await.unwrap().len(), 4);
        import::remove(&desk, &lead, state.id).await.unwrap();
        assert_eq!(code(import::go_on(&desk, &lead, state.id).await), "not found");
    }

    async fn b5_two_who_continue_an_import_at_once_import_each_row_once(db: Db) {
        let office = Office::new(db);
        let desk = office.desk.clone();
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let rows: String = (0..170).map(|n| format!("Person {n:03},Firm {}\n", n % 3)).collect();
        let file = format!("Name,Company\n{rows}").into_bytes();
        let state = import::upload(&desk, &lead, RecordKind::Lead, "x.csv", file).await.unwrap();
        let tasks: Vec<_> = (0..4).map(|_| tokio::spawn({
            let (desk, lead, id) = (desk.clone(), lead.clone(), state.id);
            async move {
                for _ in 0..10 {
                    let state = import::go_on(&desk, &lead, id).await.unwrap();
                    if state.done == state.total { break }
                }
            }
        })).collect();
        for task in tasks {
            task.await.unwrap();
        }
        let state = import::open(&desk, &lead, state.id).await.unwrap();
        assert_eq!((state.done, state.outcomes["created"]), (170, 170));
        assert_eq!(record::list(&desk, &lead, Listing { kind: Some(RecordKind::Lead), ..Listing::default() }, 0, 9).await.unwrap().0, 170);
        assert_eq!(names(&desk, &lead, Listing { kind: Some(RecordKind::Account), ..Listing::default() }).await, "Firm 0, Firm 1, Firm 2");
    }

    async fn b5_ten_thousand_lines_are_imported_and_a_file_beyond_the_limit_says_so(db: Db) {
        let office = Office::new(db);
        let desk = office.desk.clone();
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let lines = |n: usize| (0..n).map(|n| format!("Person {n:05},p{n}@firm{}.example,Firm {},+420 {n}\n", n % 100, n % 100)).collect::<String>();
        let upload = async |file: String| import::upload(&desk, &lead, RecordKind::Contact, "x.csv", file.into()).await;
        let head = "Name,Email,Company,Phone\n";
        assert_eq!(code(upload(format!("{head}{}", lines(import::MOST_ROWS + 1))).await), "file.too_many");
        assert_eq!(code(upload("x".repeat(import::LARGEST_FILE + 1)).await), "file.too_long");
        assert_eq!(code(upload(format!("{}\n1\n", "x,".repeat(import::MOST_COLUMNS))).await), "file.too_many");
        let cards = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann\r\nEND:VCARD\r\n".repeat(import::MOST_ROWS + 1);
        assert_eq!(code(upload(cards).await), "file.too_many");
        assert_eq!(import::list(&desk, &lead).await.unwrap().len(), 0, "nothing of them is kept");

        let mut state = upload(format!("{head}{}", lines(10_000))).await.unwrap();
        assert_eq!(state.total, 10_000);
        let mut calls = 0;
        while state.done < state.total {
            state = import::go_on(&desk, &lead, state.id).await.unwrap();
            calls += 1;
        }
        assert_eq!((state.outcomes.clone(), calls), ([("created".to_owned(), 10_000)].into(), 200));
        let count = async |kind| record::list(&desk, &lead, Listing { kind: Some(kind), ..Listing::default() }, 0, 1).await.unwrap().0;
        assert_eq!((count(RecordKind::Contact).await, count(RecordKind::Account).await), (10_000, 100));
    }

    async fn c4_a_web_forms_mail_becomes_one_contact_of_its_account_in_whatever_mailboxes_it_arrives(db: Db) {
        let mut office = Office::new(db);
        let boxes = [office.mailbox("info@acme.example", None).await, office.mailbox("sales@acme.example", None).await];
        let desk = office.desk.clone();
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        put(&desk, &lead, RecordKind::Account, named("Firma s.r.o.")).await;
        let mapping = FormMapping {
            name: vec!["Jméno".into(), "Příjmení".into()],
            address: "E-mail".into(),
            account: "Firma".into(),
            fields: vec![("Phone".into(), "Telefon".into()), ("Message".into(), "Zpráva".into())],
        };
        for mailbox in boxes {
            form_rule(&desk, mailbox, Action::CreateContact { mapping: mapping.clone() }).await;
        }
        let form = |id, text| Mail { from: "Web <web@acme.example>", to: "info@acme.example, sales@acme.example", subject: "Formulář", id, text, ..Mail::default() };
        let first = "Jméno: Jan\nPříjmení: Novák\nE-mail: Jan@Firma.example\nFirma: FIRMA S.R.O.\nZpráva: Dobrý den";
        for mailbox in boxes {
            office.arrives(mailbox, form("f1@acme.example", first)).await;
        }
        let second = "Jméno: J.\nE-mail: jan@firma.example\nTelefon: 777\nZpráva: Ještě něco";
        office.arrives(boxes[0], form("f2@acme.example", second)).await;
        let all = names(&desk, &lead, Listing { kind: Some(RecordKind::Contact), ..Listing::default() }).await;
        assert_eq!((all.as_str(), names(&desk, &lead, Listing { kind: Some(RecordKind::Account), ..Listing::default() }).await.as_str()), ("Jan Novák", "Firma s.r.o."));
        let (_, rows) = record::list(&desk, &lead, Listing { kind: Some(RecordKind::Contact), ..Listing::default() }, 0, 9).await.unwrap();
        let page = record::open(&desk, &lead, rows[0].id).await.unwrap();
        let fields: Vec<String> = page.fields.iter().map(|field| format!("{}: {}", field.label, field.value)).collect();
        assert_eq!(fields, ["Message: Dobrý den", "Phone: 777"], "what is empty is filled, what is there stays");
        assert_eq!((page.record.addresses[0].as_str(), page.record.account.unwrap().1.as_str()), ("jan@firma.example", "Firma s.r.o."));
        assert_eq!(record::threads(&desk, &lead, rows[0].id, 0, 9).await.unwrap().total, 2);
        let thread = thread::list(&desk, &lead, View::All, None, 0, 9).await.unwrap().rows.pop().unwrap();
        let why: Vec<String> = thread::open(&desk, &lead, thread.id).await.unwrap().links.iter().filter(|l| l.record.kind != RecordKind::Case).map(|l| format!("{} {} {}", l.record.name, l.reason, l.detail)).collect();
        assert_eq!(why.join("; "), "Jan Novák rule Web form; Firma s.r.o. contact_of Jan Novák");
    }

    async fn c4_a_form_without_an_address_becomes_one_lead_and_one_without_anything_none(db: Db) {
        let mut office = Office::new(db);
        let boxes = [office.mailbox("info@acme.example", None).await, office.mailbox("sales@acme.example", None).await];
        let desk = office.desk.clone();
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let mapping = FormMapping { name: vec!["Name".into()], address: "E-mail".into(), fields: vec![("Phone".into(), "Phone".into())], ..FormMapping::default() };
        for mailbox in boxes {
            form_rule(&desk, mailbox, Action::CreateLead { mapping: mapping.clone() }).await;
            let form = Mail { from: "web@acme.example", to: "info@acme.example", subject: "Form", id: "f@acme.example", text: "Name: Eva\nPhone: 7", ..Mail::default() };
            office.arrives(mailbox, form).await;
        }
        office.arrives(boxes[0], Mail { from: "web@acme.example", to: "info@acme.example", subject: "Form", id: "g@acme.example", text: "Name:\nPhone: 8", ..Mail::default() }).await;
        assert_eq!(names(&desk, &lead, Listing { kind: Some(RecordKind::Lead), ..Listing::default() }).await, "Eva");
    }

    async fn b5_vcards_become_contacts(db: Db) {
        let office = Office::new(db);
        let desk = office.desk.clone();
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let file = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Žofie Malá\r\nEMAIL:z@one.example\r\nEMAIL:zm@home.example\r\nORG:One\r\nTEL:1\r\nNOTE:met\\nat a fair\r\nEND:VCARD\r\n";
        let state = import::upload(&desk, &lead, RecordKind::Contact, "x.vcf", file.into()).await.unwrap();
        import::go_on(&desk, &lead, state.id).await.unwrap();
        let (_, rows) = record::list(&desk, &lead, Listing { kind: Some(RecordKind::Contact), ..Listing::default() }, 0, 9).await.unwrap();
        let page = record::open(&desk, &lead, rows[0].id).await.unwrap();
        assert_eq!((page.record.name.as_str(), page.record.description.as_str()), ("Žofie Malá", "met\nat a fair"));
        assert_eq!(page.record.addresses, ["z@one.example", "zm@home.example"]);
        assert_eq!((page.record.account.unwrap().1.as_str(), page.fields[0].value.as_str()), ("One", "1"));
    }
}
