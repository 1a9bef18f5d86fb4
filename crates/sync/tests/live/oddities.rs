//! What servers say that no RFC expects, as other people's transcripts and their users' questions tell of it: each
//! ends in all messages filed (or the one at fault put aside), and the session in step.

use crate::post_room::{PostRoom, Server, folder, letters};
use model::AfterFiling::Move;
use sync::round::ImapVisit;
use sync::visit::Visit;
use testkit::scripted::{ImapServer, Mailbox, Manner};

const MAILS: usize = 4;
/// A message that is not given is asked for in so many rounds before it is put aside.
const PATIENT_ROUNDS: usize = 8;

/// What becomes of the four messages.
#[derive(Clone, Copy)]
enum End {
    /// All are filed over this one connection, and the next round finds nothing to do.
    InStep,
    /// The connection is given up; over a sound one the rest is filed.
    GivenUp,
    /// One is put aside, after some patience; the others are filed at once.
    OneAside,
}

/// How a server is odd, and what comes of it.
type Scene = (&'static str, fn(&mut Manner), End);

/// The head of a FETCH that brings a message.
fn is_message(line: &str) -> bool {
    line.contains(" FETCH (") && line.ends_with("BODY[] ")
}

/// What the server says first, before each message.
fn before_messages(line: &str, said: &str) -> Option<String> {
    is_message(line).then(|| format!("{said}\r\n{line}"))
}

/// An answer to a command.
fn is_answer(line: &str) -> bool {
    !line.starts_with(['*', '+', ')']) && line.contains(" OK")
}

const SCENES: &[Scene] = &[
    ("RFC822.SIZE is too small", |manner| manner.size_lie = -7, End::InStep),
    ("RFC822.SIZE is too large", |manner| manner.size_lie = 7, End::InStep),
    ("a literal is announced too short", |manner| manner.literal_lie = -3, End::GivenUp),
    ("a literal is announced too long", |manner| manner.literal_lie = 3, End::GivenUp),
    (
        "INTERNALDATE and FLAGS are NIL",
        |manner| {
            manner.oddity = |line| {
                is_message(line).then(|| {
                    line.replace("FLAGS ()", "FLAGS NIL").replace("\"17-Jul-1996 02:44:25 -0700\"", "NIL")
                })
            }
        },
        End::InStep,
    ),
    (
        "INTERNALDATE is no date",
        |manner| manner.oddity = |line| is_message(line).then(|| line.replace("17-Jul-1996", "00-Foo-0000")),
        End::InStep,
    ),
    (
        "INTERNALDATE comes as a literal",
        |manner| {
            manner.oddity = |line| {
                is_message(line).then(|| {
                    line.replace("\"17-Jul-1996 02:44:25 -0700\"", "{26}\r\n17-Jul-1996 02:44:25 -0700")
                })
            }
        },
        End::InStep,
    ),
    (
        "a FETCH has no UID",
        |manner| manner.oddity = |line| is_message(line).then(|| line.replace("UID 3 ", "")),
        End::GivenUp,
    ),
    ("the UID comes after the body", |manner| manner.uid_after_body = true, End::InStep),
    (
        "flags of others come in between",
        |manner| manner.oddity = |line| before_messages(line, "* 2 FETCH (FLAGS (\\Seen))"),
        End::InStep,
    ),
    ("a FETCH is empty", |manner| manner.oddity = |line| before_messages(line, "* 2 FETCH ()"), End::InStep),
    (
        "a message comes that nobody asked for",
        |manner| manner.oddity = |line| before_messages(line, "* 9 FETCH (UID 99 FLAGS () BODY[] \"stray\")"),
        End::InStep,
    ),
    (
        "a message comes whose body is NIL",
        |manner| manner.oddity = |line| before_messages(line, "* 3 FETCH (UID 3 FLAGS () BODY[] NIL)"),
        End::InStep,
    ),
    (
        "parentheses are deep",
        |manner| {
            manner.oddity = |line| {
                before_messages(
                    line,
                    "* 1 FETCH (ENVELOPE ((((((NIL)))))) BODYSTRUCTURE ((\"a\" (\"b\" (\"c\")))))",
                )
            }
        },
        End::InStep,
    ),
    (
        "the server says that it is still here",
        |manner| manner.oddity = |line| before_messages(line, "* OK still here"),
        End::InStep,
    ),
    (
        "an alert stands before each answer",
        |manner| {
            manner.oddity =
                |line| is_answer(line).then(|| format!("* OK [ALERT] mailbox is 92% full\r\n{line}"))
        },
        End::InStep,
    ),
    (
        "words are 8-bit",
        |manner| {
            manner.oddity =
                |line| is_answer(line).then(|| format!("* NO přihrádka je skoro plná\r\n{line} hotovo ✓"))
        },
        End::InStep,
    ),
    (
        "unknown responses come",
        |manner| {
            manner.oddity =
                |line| is_answer(line).then(|| format!("* XFOO (a {{b) \"c\r\n* 7 XBAR\r\n* \r\n{line}"))
        },
        End::InStep,
    ),
    (
        "everything is in lower case",
        |manner| {
            manner.oddity = |line| (line.starts_with('*') && !is_answer(line)).then(|| line.to_lowercase())
        },
        End::InStep,
    ),
    (
        "EXISTS shrinks and grows",
        |manner| {
            manner.oddity =
                |line| line.ends_with(" EXISTS").then(|| format!("{line}\r\n* 2 EXISTS\r\n* 3 EXISTS"))
        },
        End::InStep,
    ),
    (
        "UIDVALIDITY is 0",
        |manner| {
            manner.oddity =
                |line| line.starts_with("* OK [UIDVALIDITY").then(|| "* OK [UIDVALIDITY 0] valid".into())
        },
        End::InStep,
    ),
    (
        "UIDNEXT is missing",
        |manner| manner.oddity = |line| line.starts_with("* OK [UIDNEXT").then(String::new),
        End::InStep,
    ),
    (
        "UIDNEXT is 1",
        |manner| {
            manner.oddity = |line| line.starts_with("* OK [UIDNEXT").then(|| "* OK [UIDNEXT 1] next".into())
        },
        End::InStep,
    ),
    (
        "SEARCH is split over many lines",
        |manner| {
            manner.capabilities = manner.capabilities.replace(" ESEARCH", "");
            manner.oddity = |line| {
                let uids = line.strip_prefix("* SEARCH ")?.split(' ');
                Some(uids.map(|uid| format!("* SEARCH {uid} \r\n")).collect::<String>() + "* SEARCH")
            };
        },
        End::InStep,
    ),
    (
        "ESEARCH counts down and repeats",
        |manner| {
            manner.oddity = |line| line.starts_with("* ESEARCH").then(|| line.replace("1,2,3,4", "4:3,2,1,1"))
        },
        End::InStep,
    ),
    (
        "flags are garbage",
        |manner| {
            manner.oddity =
                |line| is_message(line).then(|| line.replace("FLAGS ()", "FLAGS (\\Recent \\* $ä [x] 4 \\)"))
        },
        End::InStep,
    ),
    (
        "MOVE tells no COPYUID",
        |manner| manner.oddity = |line| line.starts_with("* OK [COPYUID").then(String::new),
        End::InStep,
    ),
    (
        "the delimiter is NIL",
        |manner| manner.oddity = |line| line.starts_with("* LIST").then(|| line.replace("\"/\"", "NIL")),
        End::InStep,
    ),
    (
        "PREAUTH comes after an alert",
        |manner| manner.greeting = "* OK [ALERT] the file monitor is away\r\n* PREAUTH ready".into(),
        End::InStep,
    ),
    (
        "BYE in the middle",
        |manner| {
            manner.oddity = |line| {
                (is_message(line) && line.contains("UID 3 ")).then(|| format!("* BYE enough\r\n{line}"))
            }
        },
        End::GivenUp,
    ),
    (
        "NO to one message only",
        |manner| {
            manner.withheld = vec![3];
            manner.fetch_ends_with = "NO [SERVERBUG] cannot open 3".into();
        },
        End::OneAside,
    ),
    ("OK, and one message is not given", |manner| manner.withheld = vec![3], End::OneAside),
];

fn at(server: &ImapServer) -> Server<'_> {
    Server { host: "127.0.0.1", port: server.address.port(), user: "ann", password: "x" }
}

async fn odd(make_odd: impl Fn(&mut Manner), mailbox: Mailbox) -> ImapServer {
    let mut manner = Manner::default();
    make_odd(&mut manner);
    ImapServer::start(mailbox, manner, Vec::new()).await.unwrap()
}

async fn play((name, make_odd, end): &Scene) -> Result<(), String> {
    let server = odd(make_odd, Mailbox::with_inbox(letters(0..MAILS))).await;
    let room = PostRoom::new().await;
    let id = room.connect(at(&server), vec![folder("INBOX", Move)]).await;
    let source = room.source(id).await;
    let mut visit =
        ImapVisit::begin(&room.receive, &source).await.map_err(|error| format!("{name}: {error}"))?;
    let first = visit.round(&|_, _, _| {}).await;
    let sound;
    let (mut last, mut aside) = (&server, 0);
    match end {
        End::InStep => {
            first.map_err(|error| format!("{name}: {error}"))?;
            let second =
                visit.round(&|_, _, _| {}).await.map_err(|error| format!("{name}, again: {error}"))?;
            if second[0].seen + second[0].filed > 0 {
                return Err(format!("{name}: not in step: {second:?}"));
            }
        }
        End::GivenUp => {
            if let Ok(summaries) = first {
                return Err(format!("{name}: was not given up: {summaries:?}"));
            }
            sound = odd(|_| {}, server.mailbox()).await;
            room.moved_to(id, sound.address.port()).await;
            room.try_round(id).await.map_err(|error| format!("{name}, sound: {error}"))?;
            last = &sound;
        }
        End::OneAside => {
            let mut rounds = 1;
            while room.ledger(id).await.quarantined == 0 && rounds < PATIENT_ROUNDS {
                // Each says that one is withheld, until it is put aside.
                drop(room.try_round(id).await);
                rounds += 1;
            }
            aside = 1;
        }
    }
    let ledger = room.ledger(id).await;
    let filed = MAILS as i64 - aside;
    let found = (ledger.filed, ledger.quarantined, ledger.waiting, ledger.difference);
    if found != (filed, aside, 0, 0) || room.number("SELECT COUNT(*) FROM messages").await != filed {
        return Err(format!("{name}: {ledger:?}"));
    }
    let mailbox = last.mailbox();
    let in_folders = ["INBOX", "Processed"].map(|folder| mailbox.folders[folder].messages.len() as i64);
    (in_folders == [aside, filed])
        .then_some(())
        .ok_or_else(|| format!("{name}: on the server {in_folders:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a14_each_oddity_of_a_server_ends_with_all_filed_or_one_put_aside_and_the_session_in_step() {
    let mut wrong = Vec::new();
    for scene in SCENES {
        if let Err(error) = play(scene).await {
            wrong.push(error);
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), SCENES.len(), wrong.join("\n"));
}

#[tokio::test]
async fn c15_what_a_full_or_closed_target_refuses_stays_is_said_and_is_not_read_again() {
    for refusal in
        ["NO [OVERQUOTA] no room", "NO [NOPERM] closed", "NO [CANNOT] read-only", "BAD what is MOVE"]
    {
        let mailbox = Mailbox::with_inbox(letters(0..MAILS));
        let full = odd(|manner| manner.transfer_ends_with = Some(refusal.to_owned()), mailbox).await;
        let room = PostRoom::new().await;
        let id = room.connect(at(&full), vec![folder("INBOX", Move)]).await;
        for round in 0..3 {
            let summary = room.try_round(id).await.unwrap().remove(0);
            assert_eq!(summary.seen, if round == 0 { MAILS as u64 } else { 0 }, "{refusal}");
            assert!(summary.refused.is_some(), "{refusal}: it is said");
        }
        room.has_each_once(id, MAILS as i64).await;
        let roomy = odd(|_| {}, full.mailbox()).await;
        room.moved_to(id, roomy.address.port()).await;
        room.try_round(id).await.unwrap();
        room.has_each_once(id, MAILS as i64).await;
        assert_eq!(roomy.mailbox().folders["Processed"].messages.len(), MAILS, "{refusal}");
    }
}
