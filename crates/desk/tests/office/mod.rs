//! A small company for stories: people with roles, mailboxes, and mail that arrives in them.
#![allow(dead_code)]

use desk::clock::Clock;
use desk::may::Actor;
use desk::receive::{Channel, Filed, Item, Place, Receive};
use desk::seal::Seal;
use desk::{Desk, sign_in};
use intake::plan::{Mailbox as Decides, Origin};
use model::{AfterFiling, GroupMail, Level, MailboxId, MailboxKind, RoleId, TeamId, Time, Tls, UserId};
use store::folders::Folder;
use store::mailboxes::{self, Mailbox, Outgoing};
use store::people::{self, NewUser};
use store::sql::Db;

/// 2026-03-02 08:00 UTC.
pub const MORNING: Time = Time(1_772_438_400_000_000);

/// The company.
pub struct Office {
    /// Its desk; the clock stands at [`MORNING`] until it is moved.
    pub desk: Desk,
    /// Receives mail.
    pub receive: Receive,
    uid: i64,
}

/// A letter as somebody writes it.
#[derive(Clone, Default)]
pub struct Mail {
    /// From, as written.
    pub from: &'static str,
    /// To, as written.
    pub to: &'static str,
    /// Subject.
    pub subject: &'static str,
    /// Message-ID without <>.
    pub id: &'static str,
    /// In-Reply-To without <>; empty for none.
    pub answers: &'static str,
    /// The text, or with a Content-Type of its own everything behind it.
    pub text: &'static str,
    /// Content-Type; empty for plain text.
    pub kind: &'static str,
}

/// A customer asks the helpdesk.
pub const QUESTION: Mail = Mail {
    from: "Ann <ann@firm.example>",
    to: "helpdesk@acme.example",
    subject: "Where is my order?",
    id: "1@firm.example",
    answers: "",
    text: "I wait.",
    kind: "",
};

impl Mail {
    /// The bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let kind = if self.kind.is_empty() { "text/plain; charset=utf-8" } else { self.kind };
        let answers = match self.answers {
            "" => String::new(),
            id => format!("In-Reply-To: <{id}>\r\nReferences: <{id}>\r\n"),
        };
        format!(
            "From: {}\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: <{}>\r\n{answers}\
             Date: Mon, 2 Mar 2026 08:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n{}\r\n",
            self.from,
            self.to,
            self.subject,
            self.id,
            self.text.replace('\n', "\r\n"),
        )
        .into_bytes()
    }
}

impl Office {
    /// A company on an empty database.
    pub fn new(db: Db) -> Office {
        let dir = std::env::temp_dir().join(format!("lettercase-office-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let key = dir.join(format!("{:x}.key", std::ptr::from_ref(&db) as usize));
        let seal = Seal::open_or_create(&key).unwrap();
        Office::at(Desk { db, clock: Clock::fixed(MORNING), seal })
    }

    /// The company of a desk that is there.
    pub fn at(desk: Desk) -> Office {
        Office { receive: Receive::new(desk.clone()), desk, uid: 0 }
    }

    /// The same, giving its letters numbers after this one.
    pub fn numbered_from(self, uid: i64) -> Office {
        Office { uid, ..self }
    }

    /// Somebody with a role of these levels, in these teams; their address is `<login>@acme.example`.
    pub async fn person(&self, login: &str, mail: Level, records: Level, teams: &[TeamId]) -> Actor {
        let mut tx = self.desk.db.begin().await.unwrap();
        let role = people::Role {
            id: RoleId(0),
            name: format!("{login}'s"),
            administrator: false,
            mail,
            records,
            own_mailboxes: false,
            group_mail: GroupMail::No,
        };
        let role = people::add_role(&mut tx, &role).await.unwrap();
        let new = NewUser { login, name: login, password_hash: "-", role, language: "en", at: MORNING };
        let id = people::add_user(&mut tx, new).await.unwrap();
        people::set_teams(&mut tx, id, teams).await.unwrap();
        people::set_addresses(&mut tx, id, &[format!("{login}@acme.example")]).await.unwrap();
        tx.commit().await.unwrap();
        self.actor(id).await
    }

    /// The actor again, after their teams or mailboxes changed.
    pub async fn actor(&self, id: UserId) -> Actor {
        sign_in::actor(&self.desk.db, id).await.unwrap().unwrap()
    }

    /// A team.
    pub async fn team(&self, name: &str) -> TeamId {
        let mut tx = self.desk.db.begin().await.unwrap();
        let (id, _) = people::team_named(&mut tx, name).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    /// A group mailbox that makes cases, of a team.
    pub async fn mailbox(&self, address: &str, team: Option<TeamId>) -> MailboxId {
        let new = Mailbox {
            name: address.split('@').next().unwrap().to_owned(),
            host: "localhost".to_owned(),
            port: 143,
            tls: Tls::None,
            username: "u".to_owned(),
            create_cases: true,
            active: true,
            ..Mailbox::new(MailboxKind::Group, address)
        };
        let mut tx = self.desk.db.begin().await.unwrap();
        let id = mailboxes::add(&mut tx, &new, MORNING).await.unwrap();
        mailboxes::set_teams(&mut tx, id, &Vec::from_iter(team)).await.unwrap();
        let inbox = [("INBOX".to_owned(), AfterFiling::Leave, None)];
        mailboxes::choose_folders(&mut tx, id, &inbox).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    /// A mailbox makes no cases any more.
    pub async fn no_cases(&self, mailbox: MailboxId) {
        let mut tx = self.desk.db.begin().await.unwrap();
        let mut changed = mailboxes::mailbox(&mut tx, mailbox).await.unwrap().unwrap();
        changed.create_cases = false;
        mailboxes::change(&mut tx, &changed).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A letter arrives now, and a second passes.
    pub async fn arrives(&mut self, mailbox: MailboxId, mail: Mail) {
        self.bytes_arrive(mailbox, mail.bytes()).await;
    }

    /// Bytes arrive now, and a second passes.
    pub async fn bytes_arrive(&mut self, mailbox: MailboxId, raw: Vec<u8>) {
        let filed = self.comes(mailbox, raw).await;
        assert_eq!((filed.filed, filed.quarantined), (1, 0));
    }

    /// Letters arrive in one batch, as the mailbox's first ones.
    pub async fn arrive_together(&self, mailbox: MailboxId, letters: Vec<Vec<u8>>) {
        let count = letters.len() as u64;
        let filed = self.file(mailbox, 1, letters).await;
        assert_eq!((filed.filed, filed.quarantined), (count, 0));
    }

    /// Bytes come, whatever becomes of them, and a second passes.
    pub async fn comes(&mut self, mailbox: MailboxId, raw: Vec<u8>) -> Filed {
        self.uid += 1;
        let filed = self.file(mailbox, self.uid, vec![raw]).await;
        self.desk.clock.advance_s(1);
        filed
    }

    /// What waits in a mailbox is filed, as the next round does.
    pub async fn files_waiting(&self, mailbox: MailboxId) -> Filed {
        let (channel, folder) = self.channel(mailbox).await;
        self.receive.file_waiting(&channel, &folder).await.unwrap()
    }

    async fn channel(&self, mailbox: MailboxId) -> (Channel, Folder) {
        let mut sql = &self.desk.db;
        let box_ = mailboxes::mailbox(&mut sql, mailbox).await.unwrap().unwrap();
        let folder = store::folders::read_folders(&mut sql, mailbox).await.unwrap().remove(0);
        let channel = Channel {
            id: mailbox,
            mailbox: Decides {
                create_cases: box_.create_cases,
                team: box_.teams.first().map(|(id, _)| *id),
                authserv_id: box_.authserv_id.clone(),
                ..Decides::new(box_.kind, &box_.address)
            },
            origin: Origin::Live,
        };
        (channel, folder)
    }

    /// Lets a group's mailbox send, and its people send from it.
    pub async fn sends(&self, id: MailboxId) {
        let mut tx = self.desk.db.begin().await.unwrap();
        let mut mailbox = mailboxes::mailbox(&mut tx, id).await.unwrap().unwrap();
        mailbox.shared = true;
        mailbox.outgoing = Some(Outgoing {
            host: "smtp.acme.example".into(),
            port: 465,
            tls: Tls::Implicit,
            username: String::new(),
            reach: model::Reach::Anywhere,
            has_secret: false,
            grant: None,
        });
        mailboxes::change(&mut tx, &mailbox).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn file(&self, mailbox: MailboxId, uid: i64, letters: Vec<Vec<u8>>) -> Filed {
        let (channel, mut folder) = self.channel(mailbox).await;
        let (place, count) = (Place { mailbox, folder: folder.id, uidvalidity: 1 }, letters.len() as i64);
        let item = |(raw, uid)| Item { uid, internal_at: self.desk.clock.now(), raw, aside: None };
        let items = letters.into_iter().zip(uid..).map(item);
        let mut opened: Vec<_> = items.map(|item| self.receive.open(&place, item)).collect();
        self.receive.keep(&mut folder, &mut opened, uid + count - 1).await.unwrap();
        self.receive.file(&channel, &folder, opened).await.unwrap()
    }
}
