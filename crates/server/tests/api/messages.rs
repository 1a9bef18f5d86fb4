//! Bodies, bytes and files of messages: whatever a stranger sends, nothing of it runs or calls home.

use crate::browser::{Answer, Browser, World};
use crate::office::{Mail, Office};
use axum::http::StatusCode;
use serde_json::json;
use store::sql::Db;

const EVIL: Mail = Mail {
    from: "\"<img src=x>\" <eve@evil.example>",
    to: "helpdesk@acme.example",
    subject: "<script>alert(1)</script>",
    id: "e@evil.example",
    answers: "",
    kind: "multipart/related; boundary=b",
    text: "--b\nContent-Type: text/html; charset=utf-8\n\n\
           <p style=\"color:red;background:url(https://track.example/a.png)\" onclick=\"alert(1)\">Hello</p>\
           <script>alert(2)</script><iframe src=https://evil.example></iframe><form action=https://evil.example>\
           <input name=p></form><img src=\"https://track.example/1.gif\"><img src=\"cid:pic@x\"><img src=x onerror=alert(3)>\
           <a href=\"javascript:alert(4)\">j</a><a href=\"https://ok.example/\">ok</a><base href=https://evil.example>\
           <meta http-equiv=refresh content=0>\n\
           --b\nContent-Type: image/png\nContent-ID: <pic@x>\nContent-Disposition: inline; filename=a.png\n\
           Content-Transfer-Encoding: base64\n\niVBORw0KGgo=\n\
           --b\nContent-Type: text/html\nContent-ID: <page@x>\nContent-Disposition: attachment; filename=\"../x.html\"\n\n\
           <script>alert(5)</script>\n--b--",
};

const PLAIN: Mail = Mail {
    subject: "Re: lamp",
    id: "p@firm.example",
    kind: "",
    text: "See https://a.example/x?a=1&b=2 <b>\n\nOn Monday, Ben <ben@beta.example> wrote:\n> old words",
    ..EVIL
};

const INVITATION: Mail = Mail {
    subject: "Invitation: stand-up",
    id: "i@firm.example",
    kind: "multipart/alternative; boundary=b",
    text: "--b\nContent-Type: text/plain; charset=utf-8\n\nPlease come.\n\
           --b\nContent-Type: text/calendar; charset=utf-8; method=REQUEST\n\n\
           BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1@firm.example\nSUMMARY:Stand-up\\, daily\n\
           DTSTART;TZID=Europe/Prague:20260302T140000\nDTEND;TZID=Europe/Prague:20260302T143000\nLOCATION:Room 2\n\
           RRULE:FREQ=WEEKLY;BYDAY=MO,FR;COUNT=10\nORGANIZER;CN=Eve:mailto:eve@evil.example\n\
           ATTENDEE;PARTSTAT=ACCEPTED;CN=Ben:mailto:ben@acme.example\nEND:VEVENT\nEND:VCALENDAR\n--b--",
    ..EVIL
};

/// A message of Outlook: its text and its file stand in a winmail.dat (MS-OXTNEF) of more than 2 KiB.
fn winmail() -> Mail {
    let attribute = |level: u8, id: u32, data: &[u8]| {
        let length = u32::try_from(data.len()).unwrap();
        [&[level][..], &id.to_le_bytes(), &length.to_le_bytes(), data, &[0, 0]].concat()
    };
    let body = format!("What Outlook wrote. {}\0", "More of it. ".repeat(400));
    let tnef = [
        &0x223e_9f78_u32.to_le_bytes()[..],
        &[1, 0],
        &attribute(1, 0x0002_800c, body.as_bytes()),
        &attribute(2, 0x0006_9002, &[0; 14]),
        &attribute(2, 0x0001_8010, b"plan.txt\0"),
        &attribute(2, 0x0006_800f, b"the plan"),
    ]
    .concat();
    let lines = tnef
        .chunks(20)
        .map(|line| line.iter().map(|byte| format!("={byte:02X}")).collect::<String>() + "=\n");
    let text = format!(
        "--b\nContent-Type: application/ms-tnef; name=winmail.dat\nContent-Disposition: attachment; filename=winmail.dat\n\
         Content-Transfer-Encoding: quoted-printable\n\n{}\n--b--",
        lines.collect::<String>()
    );
    let kind = "multipart/mixed; boundary=b";
    Mail {
        subject: "From Outlook",
        id: "w@firm.example",
        kind,
        text: Box::leak(text.into_boxed_str()),
        ..EVIL
    }
}

/// The id of the only message that arrives.
async fn arrived(world: &World, ann: &mut Browser, mail: Mail) -> i64 {
    let mut office = Office::at(world.app.desk.clone());
    let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
    office.arrives(helpdesk, mail).await;
    let id = ann.get("/api/v1/threads").await.json()["rows"][0]["id"].clone();
    ann.get(&format!("/api/v1/threads/{id}")).await.json()["entries"][0]["id"].as_i64().unwrap()
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).unwrap_or_else(|| panic!("no {name}: {answer:?}")).to_str().unwrap()
}

testkit::on_both! {
    async fn t01_a_hostile_body_is_shown_and_harmless(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let id = arrived(&world, &mut ann, EVIL).await;
        let body = ann.get(&format!("/api/v1/messages/{id}/body.html")).await;
        assert_eq!(body.status, StatusCode::OK);
        assert_eq!(header(&body, "content-type"), "text/html; charset=utf-8");
        assert_eq!(
            header(&body, "content-security-policy"),
            "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'none'; base-uri 'none'; \
             frame-ancestors 'self'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
        );
        assert_eq!(header(&body, "referrer-policy"), "no-referrer");
        assert_eq!(header(&body, "x-content-type-options"), "nosniff");
        let text = body.text().to_lowercase();
        assert!(text.contains("hello") && text.contains("color:red"), "{text}");
        for active in ["<script", "onclick", "onerror", "<iframe", "<form", "<input", "javascript:", "track.example", "evil.example", "refresh"] {
            assert!(!text.contains(active), "{active} in {text}");
        }
        assert!(text.contains(&format!("src=\"/api/v1/messages/{id}/inline/pic%40x\"")), "{text}");
        assert!(text.contains("<a href=\"https://ok.example/\""), "{text}");

        let shown = ann.get(&format!("/api/v1/messages/{id}/body.html?images=1")).await;
        assert!(header(&shown, "content-security-policy").contains("img-src 'self' data: https:; "));
        assert!(shown.text().contains("https://track.example/1.gif"), "{}", shown.text());
        assert!(!shown.text().contains("onerror"));
        assert_eq!(ann.get(&format!("/api/v1/messages/{id}/body.html?images=2")).await.problem().0, 422);

        let page = ann.get(&format!("/api/v1/messages/{id}")).await.json();
        assert_eq!(page["blocked_remote"], 2);
        assert_eq!(page["from"]["name"], "<img src=x>", "data, not markup");
        assert!(page["why"].as_array().unwrap().iter().any(|step| step["step"] == "case"), "{page}");
    }

    async fn t05_files_are_saved_never_opened_as_pages(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let id = arrived(&world, &mut ann, EVIL).await;
        let page = ann.get(&format!("/api/v1/messages/{id}")).await.json();
        let files = page["attachments"].as_array().unwrap();
        let html = files.iter().find(|file| file["content_type"] == "text/html").unwrap();
        assert_eq!(html["name"], "x.html");
        let saved = ann.get(html["url"].as_str().unwrap()).await;
        assert!(saved.text().contains("alert(5)"), "the exact bytes");
        assert_eq!(header(&saved, "content-type"), "application/octet-stream");
        assert_eq!(header(&saved, "content-disposition"), "attachment; filename=\"x.html\"; filename*=UTF-8''x.html");
        assert_eq!(header(&saved, "x-content-type-options"), "nosniff");
        assert!(header(&saved, "content-security-policy").ends_with("sandbox"));
        let picture = ann.get(&format!("/api/v1/messages/{id}/inline/pic%40x")).await;
        assert_eq!((header(&picture, "content-type"), &picture.body[..4]), ("image/png", &b"\x89PNG"[..]));
        assert_eq!(ann.get(&format!("/api/v1/messages/{id}/inline/page%40x")).await.problem().0, 404);
        assert_eq!(ann.get(&format!("/api/v1/messages/{id}/attachments/9")).await.problem().0, 404);
        let raw = ann.get(&format!("/api/v1/messages/{id}/raw")).await;
        assert_eq!(raw.body[..], EVIL.bytes()[..]);
        assert_eq!(header(&raw, "content-type"), "message/rfc822");
        assert!(header(&raw, "content-disposition").starts_with("attachment; filename=\"message-"));
    }

    async fn plain_text_is_shown_with_links_and_folded_quotes(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let id = arrived(&world, &mut ann, PLAIN).await;
        let body = ann.get(&format!("/api/v1/messages/{id}/body.html")).await.text();
        assert!(body.contains("<a href=\"https://a.example/x?a=1&amp;b=2\" rel=\"noopener noreferrer\">"), "{body}");
        assert!(body.contains("&lt;b&gt;") && body.contains("<details>") && body.contains("&gt; old words"), "{body}");
        let page = ann.get(&format!("/api/v1/messages/{id}")).await.json();
        assert_eq!(page["reply_text"], "See https://a.example/x?a=1&b=2 <b>");
        assert_eq!((&page["message_id"], &page["blocked_remote"]), (&json!("p@firm.example"), &json!(0)));
    }

    async fn b9_quotes_of_html_mail_are_folded_and_not_cut(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let html = Mail {
            kind: "text/html; charset=utf-8",
            text: "<p>Ano</p><p>Dne 3. 5. 2021 v 10:00 Ann napsala:</p><blockquote>jak?</blockquote>",
            ..PLAIN
        };
        let id = arrived(&world, &mut ann, html).await;
        let body = ann.get(&format!("/api/v1/messages/{id}/body.html")).await.text();
        let (shown, folded) = body.split_once("<details><summary>").unwrap();
        assert!(shown.contains("Ano") && folded.contains("napsala:") && folded.contains("jak?"), "{body}");
    }

    async fn b10_an_invitation_is_told_without_a_calendar(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let id = arrived(&world, &mut ann, INVITATION).await;
        let page = ann.get(&format!("/api/v1/messages/{id}")).await.json();
        let event = &page["invitations"][0];
        assert_eq!((&event["method"], &event["summary"]), (&json!("request"), &json!("Stand-up, daily")));
        assert_eq!(event["start"], json!({ "at": "2026-03-02T14:00:00", "zone": "Europe/Prague" }));
        assert_eq!((&event["location"], &event["organizer"]["name"]), (&json!("Room 2"), &json!("Eve")));
        let (guest, repeat) = (&event["attendees"][0], &event["repeat"]);
        assert_eq!((&guest["person"]["address"], &guest["answer"]), (&json!("ben@acme.example"), &json!("accepted")));
        assert_eq!((&repeat["frequency"], &repeat["weekdays"]), (&json!("weekly"), &json!([0, 4])));
        assert_eq!((&repeat["count"], &page["text"]), (&json!(10), &json!("Please come.")));
    }

    async fn b10_a_winmail_dat_shows_its_text_and_its_files(db: Db) {
        let world = World::new(db);
        let mut ann = world.set_up().await;
        let id = arrived(&world, &mut ann, winmail()).await;
        let page = ann.get(&format!("/api/v1/messages/{id}")).await.json();
        assert!(page["text"].as_str().unwrap().starts_with("What Outlook wrote."), "{page}");
        assert!(page["text_preview"].as_str().unwrap().starts_with("What Outlook wrote."), "{page}");
        let files: Vec<_> = page["attachments"].as_array().unwrap().iter().map(|file| file["name"].clone()).collect();
        assert_eq!(files, [json!("winmail.dat"), json!("plan.txt")]);
        let body = ann.get(&format!("/api/v1/messages/{id}/body.html")).await.text();
        assert!(body.contains("What Outlook wrote."), "{body}");
        assert_eq!(ann.get(&format!("/api/v1/messages/{id}/attachments/1")).await.body[..], *b"the plan");
    }
}
