//! Whose mailboxes are: who may connect, see and change them, and what they are told.

use crate::browser::{Browser, PASSWORD, World};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use store::sql::Db;

const SECRET: &str = "tajné heslo 42";

fn personal(address: &str) -> Value {
    json!({
        "kind": "personal", "address": address, "host": "imap.acme.example", "port": 993, "tls": "implicit",
        "username": address, "password": "right"
    })
}

fn group(address: &str) -> Value {
    let mut form = personal(address);
    form["kind"] = json!("group");
    form["process"] = json!("Helpdesk");
    form["teams"] = json!(["Support", "Sales"]);
    form
}

async fn id_of(admin: &mut Browser, login: &str) -> i64 {
    let users = admin.get("/api/v1/users").await.json();
    users.as_array().unwrap().iter().find(|user| user["login"] == login).unwrap()["id"].as_i64().unwrap()
}

/// Lets the holders of a role connect mailboxes of their own.
async fn let_connect(world: &World, admin: &mut Browser, role: &str) {
    let roles = store::people::roles(&mut &world.app.desk.db).await.unwrap();
    let id = roles.into_iter().find(|one| one.name == role).unwrap().id;
    let answer = admin.patch(&format!("/api/v1/roles/{id}"), json!({"own_mailboxes": true})).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

async fn added(browser: &mut Browser, form: Value) -> Value {
    let answer = browser.post("/api/v1/mailboxes", form).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    answer.json()
}

fn path(mailbox: &Value) -> String {
    format!("/api/v1/mailboxes/{}", mailbox["id"])
}

async fn put(browser: &mut Browser, path: &str, body: Value) -> crate::browser::Answer {
    browser.send(Method::PUT, path, Some(body), &[]).await
}

testkit::on_both! {
    async fn a1_a_group_mailbox_is_connected_by_an_administrator_with_process_and_team(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut lead = world.user(&mut ann, "lead", "Lead").await;
        let_connect(&world, &mut ann, "Lead").await;
        let before = world.last_change().await;
        let refused = lead.post("/api/v1/mailboxes", group("press@acme.example")).await;
        assert_eq!(refused.problem(), (403, "forbidden".into()));
        for field in ["process", "teams"] {
            let mut form = group("press@acme.example");
            form.as_object_mut().unwrap().remove(field);
            let answer = ann.post("/api/v1/mailboxes", form).await;
            assert_eq!(answer.json()["fields"][field]["code"], "required", "{}", answer.text());
        }
        assert_eq!(world.last_change().await, before);
        let made = added(&mut ann, group("press@acme.example")).await;
        assert_eq!(made["process"]["name"], "Helpdesk");
        assert_eq!((&made["teams"][0]["name"], &made["teams"][1]["name"]), (&json!("Sales"), &json!("Support")));
        let none = ann.patch(&path(&made), json!({"teams": []})).await;
        assert_eq!(none.json()["fields"]["teams"]["code"], "required");
        assert_eq!(ann.get(&path(&made)).await.json()["teams"], made["teams"]);
    }

    async fn a2_a_personal_mailbox_is_connected_where_the_role_allows_it(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut ben = world.user(&mut ann, "ben", "Own mail").await;
        let refused = ben.post("/api/v1/mailboxes", personal("ben@acme.example")).await;
        assert_eq!(refused.problem(), (403, "forbidden".into()));
        let_connect(&world, &mut ann, "Own mail").await;
        let own = added(&mut ben, personal("ben@acme.example")).await;
        assert_eq!((&own["owner"]["name"], &own["may_edit"]), (&json!("ben"), &json!(true)));
        let mut form = personal("ann@acme.example");
        form["owner_id"] = json!(id_of(&mut ann, "ann@acme.example").await);
        assert_eq!(ben.post("/api/v1/mailboxes", form).await.problem(), (403, "forbidden".into()));

        // An administrator connects it for somebody whose role does not.
        world.user(&mut ann, "carla", "No mail").await;
        let mut form = personal("carla@acme.example");
        form["owner_id"] = json!(id_of(&mut ann, "carla").await);
        assert_eq!(added(&mut ann, form).await["owner"]["name"], "carla");
    }

    async fn a19_others_do_not_learn_that_a_mailbox_is_there(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut ben = world.user(&mut ann, "ben", "Lead").await;
        let made = added(&mut ann, group("press@acme.example")).await;
        let before = world.last_change().await;
        let one = path(&made);
        for (method, path, body) in [
            (Method::GET, one.clone(), json!({})),
            (Method::PATCH, one.clone(), json!({"name": "Mine"})),
            (Method::PUT, format!("{one}/password"), json!({"password": "right"})),
            (Method::POST, format!("{one}/scan"), json!({})),
            (Method::GET, format!("{one}/ledger"), json!({})),
        ] {
            let answer = ben.send(method.clone(), &path, Some(body), &[]).await;
            assert_eq!(answer.problem(), (404, "not_found".into()), "{method} {path}");
        }
        let mut form = group("press@acme.example");
        form["mailbox_id"] = made["id"].clone();
        assert_eq!(ben.post("/api/v1/mailboxes/test", form).await.problem().0, 404);
        assert_eq!(ben.get("/api/v1/mailboxes").await.json()["rows"], json!([]));
        let heard = ben.get("/api/v1/changes?limit=200").await.json();
        assert!(heard["rows"].as_array().unwrap().iter().all(|row| row["kind"] != "mailbox"), "{heard}");
        assert_eq!(world.last_change().await, before);
    }

    async fn a19_a_keeper_edits_it_without_being_administrator_and_gets_no_mail_by_it(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut ben = world.user(&mut ann, "ben", "No mail").await;
        let ben_id = id_of(&mut ann, "ben").await;
        let mut form = group("press@acme.example");
        form["keeper_id"] = json!(ben_id);
        let one = path(&added(&mut ann, form).await);
        let kept = ben.get("/api/v1/mailboxes").await.json()["rows"][0].clone();
        assert_eq!((&kept["keeper"]["name"], &kept["may_edit"]), (&json!("ben"), &json!(true)));
        let change = json!({"name": "Press office", "folders": [{"name": "Press"}], "active": true,
            "outgoing": {"host": "smtp.acme.example", "port": 465, "tls": "implicit"}});
        let changed = ben.patch(&one, change).await;
        assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
        assert_eq!(changed.json()["name"], "Press office");
        assert_eq!(ben.post(&format!("{one}/scan"), json!({})).await.status, StatusCode::ACCEPTED);
        let mut form = group("press@acme.example");
        form["mailbox_id"] = kept["id"].clone();
        assert_eq!(ben.post("/api/v1/mailboxes/test", form).await.json()["ok"], true);
        for change in [
            json!({"kind": "personal", "owner_id": ben_id}),
            json!({"owner_id": ben_id}),
            json!({"keeper_id": null}),
            json!({"teams": ["Ben's"]}),
            json!({"process": "Other"}),
        ] {
            assert_eq!(ben.patch(&one, change.clone()).await.problem(), (403, "forbidden".into()), "{change}");
        }
        assert_eq!(ben.get("/api/v1/session").await.json()["user"]["rights"]["mail"], "no");
        assert_eq!(ben.get("/api/v1/threads?view=all").await.json()["total"], 0);

        // They hear of it as long as they keep it.
        let heard = |page: Value| page["rows"].as_array().unwrap().iter().any(|row| row["kind"] == "mailbox");
        assert!(heard(ben.get("/api/v1/changes?limit=200").await.json()));
        ann.patch(&one, json!({"keeper_id": null})).await;
        assert!(!heard(ben.get("/api/v1/changes?limit=200").await.json()));
        assert_eq!(ben.get(&one).await.problem().0, 404);
    }

    async fn a19_an_owner_always_enters_password_and_folders_and_no_more(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut ben = world.user(&mut ann, "ben", "Own mail").await;
        let mut form = personal("ben@acme.example");
        form["owner_id"] = json!(id_of(&mut ann, "ben").await);
        let one = path(&added(&mut ann, form).await);
        assert_eq!(ben.get(&one).await.json()["may_edit"], false);
        let change = json!({"password": "new", "folders": [{"name": "Handover"}], "active": true, "is_default": true});
        assert_eq!(ben.patch(&one, change).await.status, StatusCode::OK);
        for change in [json!({"host": "evil.example"}), json!({"name": "x"}), json!({"delete_on_server": true})] {
            assert_eq!(ben.patch(&one, change.clone()).await.problem(), (403, "forbidden".into()), "{change}");
        }
        assert_eq!(ann.get(&one).await.json()["host"], "imap.acme.example");
    }

    async fn a19_a_mailbox_belongs_to_a_person_or_a_team(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let carla = {
            world.user(&mut ann, "carla", "No mail").await;
            id_of(&mut ann, "carla").await
        };
        let mut form = personal("ann@acme.example");
        form["teams"] = json!(["Support"]);
        assert_eq!(ann.post("/api/v1/mailboxes", form).await.json()["fields"]["teams"]["code"], "not_group");
        let one = path(&added(&mut ann, group("press@acme.example")).await);
        let ownerless = ann.patch(&one, json!({"kind": "personal"})).await;
        assert_eq!(ownerless.json()["fields"]["owner_id"]["code"], "required");
        let hers = ann.patch(&one, json!({"kind": "personal", "owner_id": carla})).await.json();
        assert_eq!((&hers["owner"]["name"], &hers["teams"]), (&json!("carla"), &json!([])));
        let teamless = ann.patch(&one, json!({"kind": "group"})).await;
        assert_eq!(teamless.json()["fields"]["teams"]["code"], "required");
        let back = ann.patch(&one, json!({"kind": "group", "teams": ["Support"]})).await.json();
        assert_eq!((&back["owner"], &back["teams"][0]["name"]), (&Value::Null, &json!("Support")));
    }

    async fn a3_a_mailbox_waits_for_its_owner_who_fills_in_the_password(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut ben = world.user(&mut ann, "ben", "Own mail").await;
        let ben_id = id_of(&mut ann, "ben").await;
        let mut form = personal("ben@acme.example");
        form.as_object_mut().unwrap().remove("password");
        form["owner_id"] = json!(ben_id);
        form["active"] = json!(true);
        let waiting = added(&mut ann, form).await;
        let one = path(&waiting);
        let looks = |m: &Value| (m["waiting_for_owner"].clone(), m["active"].clone(), m["starts"].clone());
        assert_eq!(looks(&waiting), (json!(true), json!(false), json!(true)));
        assert_eq!(waiting["state"]["phase"], "off");
        let on = ben.patch(&one, json!({"active": true})).await;
        assert_eq!(on.json()["fields"]["password"]["code"], "password_needed");

        // The owner is told; nobody else is.
        let told = ben.get("/api/v1/notifications").await.json();
        assert_eq!((&told["total"], &told["unread"]), (&json!(1), &json!(1)));
        let first = &told["rows"][0];
        assert_eq!(first["kind"], "mailbox_waiting_for_owner");
        assert_eq!(first["data"], json!({"address": "ben@acme.example", "name": "ben@acme.example"}));
        assert_eq!(first["mailbox_id"], waiting["id"]);
        assert_eq!(ann.get("/api/v1/notifications").await.json()["total"], 0);

        // A wrong one is not stored; the form can be tried again.
        let before = world.last_change().await;
        let wrong = put(&mut ben, &format!("{one}/password"), json!({"password": SECRET})).await.json();
        assert_eq!((&wrong["ok"], &wrong["saved"]), (&json!(false), &json!(false)));
        assert_eq!((&wrong["error"]["stage"], &wrong["error"]["code"]), (&json!("login"), &json!("wrong_password")));
        assert_eq!(world.last_change().await, before);
        assert_eq!(ann.get(&one).await.json()["has_password"], false);
        let right = put(&mut ben, &format!("{one}/password"), json!({"password": "right"})).await.json();
        assert_eq!((&right["ok"], &right["saved"]), (&json!(true), &json!(true)));
        assert_eq!(looks(&ann.get(&one).await.json()), (json!(false), json!(true), json!(false)));

        // Another server: forgotten, off, and waiting again.
        let moved = ann.patch(&one, json!({"host": "imap2.acme.example"})).await.json();
        assert_eq!(looks(&moved), (json!(true), json!(false), json!(false)));
        assert_eq!(ben.get("/api/v1/notifications").await.json()["unread"], 2);
        put(&mut ben, &format!("{one}/password"), json!({"password": "right"})).await;
        assert_eq!(looks(&ann.get(&one).await.json()), (json!(false), json!(false), json!(false)));
    }

    async fn a3_the_owner_gets_a_mail_too_where_mail_of_the_system_goes_out(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        world.user(&mut ann, "ben", "Own mail").await;
        let ben = id_of(&mut ann, "ben").await;
        ann.patch(&format!("/api/v1/users/{ben}"), json!({"addresses": ["ben@acme.example"]})).await;
        let mut form = personal("ben@acme.example");
        form.as_object_mut().unwrap().remove("password");
        form["owner_id"] = json!(ben);
        let queued = async || {
            let text = "SELECT COUNT(*), MAX(address) FROM outbox_recipients";
            let row = world.app.desk.db.query_one(text, store::params![]).await.unwrap();
            (row.get::<i64>(0).unwrap(), row.get::<Option<String>>(1).unwrap())
        };
        added(&mut ann, form.clone()).await;
        assert_eq!(queued().await, (0, None), "nobody has said through what it would go out");
        let server = json!({"address": "noreply@acme.example", "host": "smtp.acme.example", "username": "n", "password": "p"});
        assert_eq!(put(&mut ann, "/api/v1/settings/outgoing", server).await.status, StatusCode::OK);
        added(&mut ann, form).await;
        assert_eq!(queued().await, (1, Some("ben@acme.example".into())));
    }

    async fn a3_t31_only_the_addressee_reads_and_hears_of_a_notification(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut ben = world.user(&mut ann, "ben", "Own mail").await;
        let mut carla = world.user(&mut ann, "carla", "Lead").await;
        let mut form = personal("ben@acme.example");
        form.as_object_mut().unwrap().remove("password");
        form["owner_id"] = json!(id_of(&mut ann, "ben").await);
        added(&mut ann, form).await;
        let mut heard = Vec::new();
        for browser in [&mut ann, &mut ben, &mut carla] {
            let page = browser.get("/api/v1/changes?limit=200").await.json();
            let rows = page["rows"].as_array().unwrap().iter();
            heard.push(rows.filter(|row| row["kind"] == "notification").count());
        }
        assert_eq!(heard, [0, 1, 0]);
        let id = ben.get("/api/v1/notifications").await.json()["rows"][0]["id"].clone();
        assert_eq!(carla.post("/api/v1/notifications/read", json!({"up_to": id})).await.status, StatusCode::NO_CONTENT);
        assert_eq!(ben.get("/api/v1/notifications").await.json()["unread"], 1);
        assert_eq!(ben.post("/api/v1/notifications/read", json!({"up_to": id})).await.status, StatusCode::NO_CONTENT);
        let read = ben.get("/api/v1/notifications").await.json();
        assert_eq!((&read["unread"], &read["rows"][0]["read"]), (&json!(0), &json!(true)));
    }

    async fn a4_several_mailboxes_one_default_and_the_same_address_twice(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let first = path(&added(&mut ann, personal("ann@acme.example")).await);
        let second = path(&added(&mut ann, personal("ann@acme.example")).await);
        let third = path(&added(&mut ann, personal("sales@acme.example")).await);
        let defaults = async |ann: &mut Browser| {
            let mut marks = Vec::new();
            for path in [&first, &second, &third] {
                marks.push(ann.get(path).await.json()["is_default"].as_bool().unwrap());
            }
            marks
        };
        assert_eq!(defaults(&mut ann).await, [true, false, false]);
        ann.patch(&second, json!({"is_default": true, "active": true})).await;
        assert_eq!(defaults(&mut ann).await, [false, true, false]);
        let none = ann.patch(&second, json!({"is_default": false})).await;
        assert_eq!(none.json()["fields"]["is_default"]["code"], "choose_another");
        // One that is switched off hands it to one that is fetched; where there is none it keeps it.
        ann.patch(&third, json!({"active": true})).await;
        ann.patch(&second, json!({"active": false})).await;
        assert_eq!(defaults(&mut ann).await, [false, false, true]);
        ann.patch(&third, json!({"active": false})).await;
        assert_eq!(defaults(&mut ann).await, [false, false, true]);
        // One that goes to somebody else is theirs, and no longer one's default.
        world.user(&mut ann, "ben", "Own mail").await;
        let ben = id_of(&mut ann, "ben").await;
        ann.patch(&third, json!({"owner_id": ben})).await;
        assert_eq!(defaults(&mut ann).await, [true, false, false]);
        let mut ben = world.stranger();
        ben.sign_in("ben", PASSWORD).await;
        assert_eq!(ben.get(&third).await.json()["is_default"], true);
    }

    async fn a8_a19_a_keeper_cannot_move_mail_they_may_not_read_into_a_mailbox_of_their_own(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let mut ben = world.user(&mut ann, "ben", "Own mail").await;
        world.user(&mut ann, "carla", "Own mail").await;
        let_connect(&world, &mut ann, "Own mail").await;
        let (ben_id, carla_id) = (id_of(&mut ann, "ben").await, id_of(&mut ann, "carla").await);
        let own = added(&mut ben, personal("ben@acme.example")).await;
        let mut kept = Vec::new();
        for address in ["carla@acme.example", "carla.old@acme.example"] {
            let mut form = personal(address);
            (form["owner_id"], form["keeper_id"]) = (json!(carla_id), json!(ben_id));
            kept.push(added(&mut ann, form).await);
        }
        let before = world.last_change().await;
        let path = format!("{}/move-messages", path(&kept[0]));
        let into = |mailbox: &Value| json!({"to_mailbox_id": mailbox["id"], "to_folder": "Old"});
        assert_eq!(ben.post(&path, into(&own)).await.problem(), (403, "forbidden".into()));
        assert_eq!(world.last_change().await, before);
        assert_eq!(ben.post(&path, into(&kept[1])).await.json()["operations"], 0);
        assert_eq!(ann.post(&path, into(&own)).await.json()["operations"], 0, "she may read all mail");
    }
}
