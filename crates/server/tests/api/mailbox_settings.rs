//! What a mailbox is set to: protocol, folders, deleting, sending, and where its servers may be.

use crate::browser::{Browser, World};
use axum::http::{Method, StatusCode};
use desk::mailbox as verbs;
use model::{MailboxId, Reach, Time};
use serde_json::{Value, json};
use store::mailboxes;
use store::sql::Db;

fn form() -> Value {
    json!({
        "kind": "group", "address": "orders@acme.example", "host": "imap.acme.example", "port": 993, "tls": "implicit",
        "username": "orders", "password": "right", "process": "Sales", "teams": ["Sales"]
    })
}

async fn added(browser: &mut Browser, more: Value) -> (MailboxId, String) {
    let mut form = form();
    form.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = browser.post("/api/v1/mailboxes", form).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    let id = answer.json()["id"].as_i64().unwrap();
    (MailboxId(id), format!("/api/v1/mailboxes/{id}"))
}

async fn put(browser: &mut Browser, path: &str, body: Value) -> crate::browser::Answer {
    browser.send(Method::PUT, path, Some(body), &[]).await
}

fn smtp() -> Value {
    json!({"host": "smtp.acme.example", "port": 465, "tls": "implicit"})
}

/// Whether a password is stored for sending, and for receiving.
fn passwords(mailbox: &Value) -> (bool, bool) {
    (mailbox["outgoing"]["has_password"].as_bool().unwrap(), mailbox["has_password"].as_bool().unwrap())
}

testkit::on_both! {
    async fn a6_protocol_is_locked_after_the_first_download(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let (id, path) = added(&mut ann, json!({})).await;
        let pop3 = ann.patch(&path, json!({"protocol": "pop3", "port": 995, "password": "right"})).await.json();
        assert_eq!((&pop3["protocol"], &pop3["protocol_locked"]), (&json!("pop3"), &json!(false)));
        assert_eq!(pop3["folders"][0]["after_filing"], "leave", "nothing can be moved by POP3");
        ann.patch(&path, json!({"protocol": "imap", "mode": "synchronise"})).await;
        let mut tx = world.app.desk.db.begin().await.unwrap();
        mailboxes::begun(&mut tx, id, Time(1)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(ann.get(&path).await.json()["protocol_locked"], true);
        let before = world.last_change().await;
        for change in [json!({"protocol": "pop3", "mode": "file"}), json!({"mode": "file"})] {
            let refused = ann.patch(&path, change).await;
            assert_eq!(refused.problem(), (409, "protocol_locked".into()));
            assert_eq!(refused.json()["params"], json!({"address": "orders@acme.example", "protocol": "imap", "mode": "synchronise"}));
            let detail = refused.json()["detail"].as_str().unwrap().to_owned();
            assert!(detail.contains("Set this mailbox inactive, add a new one for the same address"), "{detail}");
        }
        assert_eq!(world.last_change().await, before);
        // The way out works: off, another one of the same address; and a server may move.
        assert_eq!(ann.patch(&path, json!({"active": false, "host": "imap2.acme.example"})).await.status, StatusCode::OK);
        added(&mut ann, json!({"protocol": "pop3", "port": 995})).await;
    }

    async fn a9_a_failed_test_names_step_code_and_remedy_and_saves_nothing(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let before = world.last_change().await;
        let mut form = form();
        form["password"] = json!("wrong");
        let failed = ann.post("/api/v1/mailboxes/test", form.clone()).await.json();
        let step = failed["steps"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(step, json!({"stage": "login", "ok": false, "code": "wrong_password", "params": {"host": "imap.acme.example"}}));
        assert!(failed["steps"].as_array().unwrap()[..4].iter().all(|step| step["ok"] == true));
        assert_eq!((&failed["error"]["code"], &failed["error"]["remedy"]), (&json!("wrong_password"), &json!("Check both.")));
        assert_eq!((&failed["folders"], &failed["notes"]), (&json!([]), &json!([])));
        form["password"] = json!("right");
        let good = ann.post("/api/v1/mailboxes/test", form).await.json();
        assert_eq!((&good["ok"], &good["error"], &good["steps"][5]["stage"]), (&json!(true), &Value::Null, &json!("list")));
        assert_eq!(world.last_change().await, before);
    }

    async fn a12_after_filing_is_set_per_folder_and_nothing_is_moved_into_a_folder_that_is_read(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let folders = json!([
            {"name": "INBOX", "after_filing": "move", "processed_folder": "Trash"},
            {"name": "Orders", "after_filing": "mark_read"},
            {"name": "Invoices", "after_filing": "leave"},
            {"name": "Press"}
        ]);
        let (_, path) = added(&mut ann, json!({"folders": folders})).await;
        let shown = ann.get(&path).await.json()["folders"].clone();
        let set: Vec<(&Value, &Value)> =
            shown.as_array().unwrap().iter().map(|f| (&f["after_filing"], &f["processed_folder"])).collect();
        assert_eq!(set, [
            (&json!("move"), &json!("Trash")),
            (&json!("mark_read"), &Value::Null),
            (&json!("leave"), &Value::Null),
            (&json!("move"), &json!("Processed")),
        ]);
        let circle = ann.patch(&path, json!({"folders": [{"name": "INBOX", "processed_folder": "Press"}, {"name": "Press"}]})).await;
        assert_eq!(circle.json()["fields"]["folders"]["code"], "processed_is_read");
        assert_eq!(circle.json()["fields"]["folders"]["params"]["folder"], "INBOX");
        assert_eq!(ann.get(&path).await.json()["folders"], shown);
    }

    async fn a13_a_new_mailbox_is_off_and_is_switched_on_only_with_a_password(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let (_, path) = added(&mut ann, json!({})).await;
        assert_eq!(ann.get(&path).await.json()["active"], false);
        assert!(store::rounds::active(&mut &world.app.desk.db).await.unwrap().is_empty());
        ann.patch(&path, json!({"active": true})).await;
        assert_eq!(store::rounds::active(&mut &world.app.desk.db).await.unwrap().len(), 1);
        let (_, path) = added(&mut ann, json!({"password": ""})).await;
        let refused = ann.patch(&path, json!({"active": true})).await;
        assert_eq!(refused.json()["fields"]["password"]["code"], "password_needed");
    }

    async fn a16_nothing_is_deleted_on_the_server_unless_it_is_switched_on(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let (_, path) = added(&mut ann, json!({})).await;
        let off = ann.get(&path).await.json();
        assert_eq!((&off["delete_on_server"], &off["delete_after_days"]), (&json!(false), &Value::Null));
        let code = |answer: crate::browser::Answer| answer.json()["fields"]["delete_after_days"]["code"].clone();
        assert_eq!(code(ann.patch(&path, json!({"delete_on_server": true, "delete_after_days": 14})).await), "needs_pop3");
        let pop3 = json!({"protocol": "pop3", "port": 995, "password": "right"});
        ann.patch(&path, pop3).await;
        assert_eq!(code(ann.patch(&path, json!({"delete_after_days": 14})).await), "needs_delete_on_server");
        let on = ann.patch(&path, json!({"delete_on_server": true, "delete_after_days": 14})).await.json();
        assert_eq!((&on["delete_on_server"], &on["delete_after_days"]), (&json!(true), &json!(14)));
        let off = ann.patch(&path, json!({"delete_on_server": false})).await.json();
        assert_eq!((&off["delete_on_server"], &off["delete_after_days"]), (&json!(false), &Value::Null));
    }

    async fn a3_a_stored_password_is_not_sent_to_a_changed_outgoing_server(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        // The same user: the password that is entered with it counts for both.
        let (id, path) = added(&mut ann, json!({"outgoing": smtp()})).await;
        assert_eq!(passwords(&ann.get(&path).await.json()), (true, true));
        for (field, value) in [("host", json!("evil.example")), ("port", json!(587)), ("tls", json!("starttls"))] {
            let mut elsewhere = smtp();
            elsewhere[field] = value;
            let moved = ann.patch(&path, json!({"outgoing": elsewhere})).await.json();
            assert_eq!(passwords(&moved), (false, true), "{field}");
            assert_eq!(mailboxes::outgoing_secret(&mut &world.app.desk.db, id).await.unwrap(), None);
            let again = ann.patch(&path, json!({"outgoing": smtp(), "password": "right"})).await.json();
            assert_eq!(passwords(&again), (true, true));
        }
        // Another server for receiving: the password for sending stays where it was entered for.
        let moved = ann.patch(&path, json!({"host": "imap2.acme.example"})).await.json();
        assert_eq!(passwords(&moved), (true, false));
        // A user of its own has a password of its own, and never that of receiving.
        let mut own = smtp();
        own["username"] = json!("sender");
        let without = ann.patch(&path, json!({"outgoing": own, "password": "right"})).await.json();
        assert_eq!(passwords(&without), (false, true));
        own["password"] = json!("sender's");
        assert_eq!(passwords(&ann.patch(&path, json!({"outgoing": own})).await.json()), (true, true));
        assert!(!ann.get(&path).await.text().contains("sender's"));
    }

    async fn a17_the_systems_mail_goes_through_the_group_mailbox_of_its_address(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let setting = "/api/v1/settings/outgoing";
        assert_eq!(ann.get(setting).await.json()["resolved"]["kind"], "none");
        let (id, path) = added(&mut ann, json!({})).await;
        let silent = put(&mut ann, setting, json!({"address": "orders@acme.example"})).await;
        assert_eq!(silent.json()["fields"]["address"]["code"], "no_such_mailbox", "it has no outgoing server");
        ann.patch(&path, json!({"outgoing": smtp(), "password": "right"})).await;
        let through = put(&mut ann, setting, json!({"address": "Orders@Acme.example"})).await.json();
        assert_eq!(through["resolved"], json!({"kind": "mailbox", "mailbox_id": id.0}));
        ann.patch(&path, json!({"outgoing": null})).await;
        assert_eq!(ann.get(setting).await.json()["resolved"]["kind"], "none");

        let mut own = json!({"address": "noreply@acme.example", "host": "smtp.acme.example", "port": 465, "tls": "implicit", "username": "noreply", "password": "geheim"});
        let server = put(&mut ann, setting, own.clone()).await;
        assert!(!server.text().contains("geheim"));
        assert_eq!((&server.json()["resolved"]["kind"], &server.json()["has_password"]), (&json!("server"), &json!(true)));
        own.as_object_mut().unwrap().remove("password");
        assert_eq!(put(&mut ann, setting, own.clone()).await.json()["has_password"], true);
        own["host"] = json!("evil.example");
        let moved = put(&mut ann, setting, own).await.json();
        assert_eq!((&moved["has_password"], &moved["resolved"]["kind"]), (&json!(false), &json!("none")));
        let kept = store::settings::get(&mut &world.app.desk.db, "outgoing").await.unwrap().unwrap();
        assert!(!kept.contains("geheim"), "{kept}");
    }

    async fn a18_from_a_shared_group_mailbox_users_send_as_their_role_says(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let alone = ann.post("/api/v1/mailboxes", {
            let mut form = form();
            form["shared"] = json!(true);
            form
        }).await;
        assert_eq!(alone.json()["fields"]["shared"]["code"], "needs_outgoing");
        added(&mut ann, json!({"shared": true, "outgoing": smtp()})).await;
        added(&mut ann, json!({"shared": true, "outgoing": smtp(), "address": "press@acme.example", "teams": ["Press"]})).await;
        added(&mut ann, json!({"outgoing": smtp(), "address": "quiet@acme.example"})).await;
        let teams = ann.get("/api/v1/teams").await.json();
        let sales = teams.as_array().unwrap().iter().find(|team| team["name"] == "Sales").unwrap()["id"].clone();
        let mut senders = Vec::new();
        for role in ["No mail", "Agent", "Lead"] {
            let mut user = world.user(&mut ann, role.split(' ').next().unwrap(), role).await;
            let me = user.get("/api/v1/session").await.json()["user"]["id"].clone();
            ann.patch(&format!("/api/v1/users/{me}"), json!({"teams": [sales]})).await;
            senders.push(user.get("/api/v1/me/senders").await.json().as_array().unwrap().len());
        }
        assert_eq!(senders, [0, 1, 1]);
        let all = ann.get("/api/v1/me/senders").await.json();
        let addresses: Vec<&Value> = all.as_array().unwrap().iter().map(|one| &one["address"]).collect();
        assert_eq!(addresses, ["orders@acme.example", "press@acme.example"]);
    }

    async fn a2_t08_a_user_reaches_public_servers_and_those_that_were_allowed(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut ben = world.user(&mut ann, "ben", "Own mail").await;
        let roles = ann.get("/api/v1/roles").await.json();
        let role = roles.as_array().unwrap().iter().find(|role| role["name"] == "Own mail").unwrap()["id"].clone();
        ann.patch(&format!("/api/v1/roles/{role}"), json!({"own_mailboxes": true})).await;
        let mut own = form();
        own.as_object_mut().unwrap().retain(|key, _| !["process", "teams"].contains(&key.as_str()));
        own["kind"] = json!("personal");
        let made = ben.post("/api/v1/mailboxes", own).await.json();
        let id = MailboxId(made["id"].as_i64().unwrap());
        let reach = async || verbs::login(&world.app.desk, id).await.unwrap().unwrap().reach;
        assert_eq!(reach().await, Reach::Public);
        assert_eq!(put(&mut ben, "/api/v1/settings/allowed-hosts", json!({"hosts": []})).await.problem().0, 403);
        put(&mut ann, "/api/v1/settings/allowed-hosts", json!({"hosts": ["IMAP.acme.example"]})).await;
        assert_eq!(reach().await, Reach::Anywhere);
        put(&mut ann, "/api/v1/settings/allowed-hosts", json!({"hosts": []})).await;
        assert_eq!(reach().await, Reach::Public);
        // An administrator's choice of the server counts until somebody else chooses another.
        let path = format!("/api/v1/mailboxes/{id}");
        ann.patch(&path, json!({"host": "10.0.0.5", "password": "right"})).await;
        assert_eq!(reach().await, Reach::Anywhere);
        ben.patch(&path, json!({"name": "Mine", "password": "right"})).await;
        assert_eq!(reach().await, Reach::Anywhere);
        ben.patch(&path, json!({"host": "10.0.0.6", "password": "right"})).await;
        assert_eq!(reach().await, Reach::Public);
        let plain = ben.patch(&path, json!({"tls": "none", "password": "right"})).await;
        assert_eq!(plain.json()["fields"]["tls"]["code"], "plain_refused");
        let chosen = ben.patch(&path, json!({"tls": "none", "allow_plain": true, "password": "right"})).await;
        assert_eq!(chosen.json()["allow_plain"], true, "by explicit choice");
    }

    async fn a2_a18_roles_say_who_connects_mailboxes_and_sends_and_the_last_administrator_stays(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut ben = world.user(&mut ann, "ben", "Lead").await;
        let made = ann.post("/api/v1/roles", json!({"name": "Press", "mail": "team", "group_mail": "all"})).await;
        assert_eq!(made.status, StatusCode::CREATED);
        let role = made.json();
        assert_eq!((&role["records"], &role["own_mailboxes"], &role["group_mail"]), (&json!("no"), &json!(false), &json!("all")));
        assert_eq!(ann.post("/api/v1/roles", json!({"name": "Press"})).await.problem(), (409, "role_taken".into()));
        let path = format!("/api/v1/roles/{}", role["id"]);
        assert_eq!(ben.patch(&path, json!({"administrator": true})).await.problem().0, 403);
        assert_eq!(ben.post("/api/v1/roles", json!({"name": "Mine"})).await.problem().0, 403);
        assert_eq!(ann.patch(&path, json!({"own_mailboxes": true})).await.json()["own_mailboxes"], true);
        let roles = ann.get("/api/v1/roles").await.json();
        let administrator = format!("/api/v1/roles/{}", roles[0]["id"]);
        let last = ann.patch(&administrator, json!({"administrator": false})).await;
        assert_eq!(last.problem(), (409, "last_administrator".into()));
        assert_eq!(ann.get("/api/v1/roles").await.json()[0]["administrator"], true);
        assert_eq!(ann.patch("/api/v1/roles/99", json!({"name": "x"})).await.problem().0, 404);
    }
}
