//! Synchronised mailboxes: both ways, with and without what servers offer for it, cut at every line.

use crate::others::server;
use crate::post_room::{PostRoom, Server, folder, letter, letters};
use desk::mailbox::folders as verbs;
use desk::may::Actor;
use model::AfterFiling::Leave;
use model::{Flag, FlagChange, Flags, FolderId, MailboxId, OccurrenceId};
use std::collections::HashMap;
use store::folders::contents::{FolderMessage, ListedFolder};
use testkit::dovecot::{Dovecot, Options};
use testkit::scripted::{Cut, Fault, ImapServer, Mailbox, Manner};

/// What servers without any of it lack: then UIDs and flags are compared.
const PLAIN: &[&str] =
    &["CONDSTORE", "QRESYNC", "LIST-STATUS", "ENABLE", "MOVE", "SPECIAL-USE", "LIST-EXTENDED", "ESEARCH"];

fn without(capabilities: &[&str]) -> Dovecot {
    let without = capabilities.iter().map(|&name| name.to_owned()).collect();
    Dovecot::try_start(&Options { without, ..Options::default() }).unwrap()
}

impl PostRoom {
    pub async fn tree(&self, id: MailboxId) -> Vec<ListedFolder> {
        verbs::tree(self.desk(), &Actor::machine(), id).await.unwrap().folders
    }

    pub async fn folder_id(&self, id: MailboxId, name: &str) -> FolderId {
        self.tree(id).await.into_iter().find(|folder| folder.name == name).unwrap().id
    }

    /// What is shown of a folder, newest first.
    pub async fn shown(&self, id: MailboxId, name: &str) -> Vec<FolderMessage> {
        let folder = self.folder_id(id, name).await;
        let all = verbs::messages(self.desk(), &Actor::machine(), id, folder, (0, 200)).await.unwrap();
        assert_eq!(all.0 as usize, all.1.len(), "the count is that of the list");
        all.1
    }

    /// What is shown of a folder, as subject and flags, by subject.
    pub async fn subjects(&self, id: MailboxId, name: &str) -> Vec<String> {
        let shown = self.shown(id, name).await;
        let line = |one: &FolderMessage| format!("{} {}", one.subject, one.flags.words()).trim().to_owned();
        let mut lines: Vec<String> = shown.iter().map(line).collect();
        lines.sort();
        lines
    }

    async fn occurrence(&self, id: MailboxId, folder: &str, subject: &str) -> OccurrenceId {
        self.shown(id, folder).await.iter().find(|one| one.subject == subject).unwrap().occurrence
    }

    async fn flag(&self, id: MailboxId, of: &[OccurrenceId], add: &[Flag], remove: &[Flag]) {
        let change = FlagChange { add: add.to_vec(), remove: remove.to_vec() };
        verbs::flag(self.desk(), &Actor::machine(), id, of, change).await.unwrap();
    }

    async fn move_to(&self, id: MailboxId, of: &[OccurrenceId], folder: &str) {
        let target = self.folder_id(id, folder).await;
        verbs::move_to(self.desk(), &Actor::machine(), id, of, target).await.unwrap();
    }

    async fn delete(&self, id: MailboxId, of: &[OccurrenceId]) {
        verbs::delete(self.desk(), &Actor::machine(), id, of).await.unwrap();
    }

    async fn due(&self) -> i64 {
        self.number("SELECT COUNT(*) FROM operations WHERE state = 'due'").await
    }

    /// No occurrence of a message is shown twice where the server has it once.
    async fn in_all(&self, id: MailboxId) -> i64 {
        self.tree(id).await.iter().map(|folder| folder.total).sum()
    }
}

/// Flags on the server, by subject.
fn server_flags(dovecot: &Dovecot, user: &str, folder: &str) -> Vec<String> {
    let said =
        dovecot.doveadm(&["-f", "tab", "fetch", "-u", user, "hdr.subject flags", "mailbox", folder]).unwrap();
    let mut lines: Vec<String> = said
        .lines()
        .skip(1)
        .map(|line| {
            let (subject, flags) = line.split_once('\t').unwrap();
            format!("{} {}", subject.trim(), Flags::of_imap(&flags.split(' ').collect::<Vec<_>>()).words())
                .trim()
                .to_owned()
        })
        .collect();
    lines.sort();
    lines
}

async fn both(test: impl AsyncFn(PostRoom)) {
    test(PostRoom::new().await).await;
    test(PostRoom::on_postgres().await).await;
}

/// Flags, in both directions, and both at once.
async fn flags_go_both_ways(room: PostRoom, dovecot: Dovecot) {
    dovecot.fill("ann", "INBOX", letters(0..4)).unwrap();
    let id = room.connect_synchronised(server(&dovecot, "ann")).await;
    room.try_round(id).await.unwrap();
    assert_eq!(room.subjects(id, "INBOX").await, ["Order 0", "Order 1", "Order 2", "Order 3"]);
    let begun = room.number("SELECT COUNT(*) FROM mailboxes WHERE begun_at IS NOT NULL").await;
    assert_eq!(begun, 1, "from now on the protocol is locked");
    dovecot.add_flags("ann", "INBOX", "UID 1", "\\Seen \\Flagged").unwrap();
    dovecot.add_flags("ann", "INBOX", "UID 2", "\\Answered").unwrap();
    room.try_round(id).await.unwrap();
    let said = ["Order 0 flagged seen", "Order 1 answered", "Order 2", "Order 3"];
    assert_eq!(room.subjects(id, "INBOX").await, said);
    // Shown here at once, and on the server with the next round; one flag of the same message changes there.
    let two = [room.occurrence(id, "INBOX", "Order 0").await, room.occurrence(id, "INBOX", "Order 2").await];
    room.flag(id, &two, &[Flag::Seen, Flag::Answered], &[Flag::Flagged]).await;
    dovecot.add_flags("ann", "INBOX", "UID 3", "\\Flagged").unwrap();
    let here = ["Order 0 answered seen", "Order 1 answered", "Order 2 answered seen", "Order 3"];
    assert_eq!(room.subjects(id, "INBOX").await, here);
    room.try_round(id).await.unwrap();
    assert_eq!(room.due().await, 0);
    assert_eq!(server_flags(&dovecot, "ann", "INBOX"), here);
    assert_eq!(room.subjects(id, "INBOX").await, here);
    let unseen = room.tree(id).await.iter().find(|folder| folder.name == "INBOX").unwrap().unseen;
    assert_eq!(unseen, 2);
}

#[tokio::test]
async fn a15_flags_go_both_ways() {
    both(async |room| flags_go_both_ways(room, Dovecot::start()).await).await;
}

#[tokio::test]
async fn a15_without_condstore_flags_go_both_ways() {
    both(async |room| flags_go_both_ways(room, without(PLAIN)).await).await;
}

#[tokio::test]
async fn a15_with_condstore_and_without_qresync_flags_go_both_ways() {
    flags_go_both_ways(PostRoom::new().await, without(&["QRESYNC"])).await;
}

/// Moves, of others and ours; none shows a message twice.
async fn moves_go_both_ways(room: PostRoom, dovecot: Dovecot) {
    dovecot.fill("ann", "INBOX", letters(0..6)).unwrap();
    dovecot.create_folder("ann", "Orders/Účty").unwrap();
    let id = room.connect_synchronised(server(&dovecot, "ann")).await;
    room.try_round(id).await.unwrap();
    // Somebody else moves and deletes.
    dovecot.doveadm(&["move", "-u", "ann", "Orders/Účty", "mailbox", "INBOX", "UID", "1:2"]).unwrap();
    dovecot.expunge("ann", "INBOX", "UID 3").unwrap();
    room.try_round(id).await.unwrap();
    assert_eq!(room.subjects(id, "INBOX").await, ["Order 3", "Order 4", "Order 5"]);
    assert_eq!(room.subjects(id, "Orders/Účty").await, ["Order 0", "Order 1"]);
    assert_eq!(room.number("SELECT COUNT(*) FROM messages").await, 6, "the archive keeps them all");
    // We do: it is shown in its new folder at once.
    let back = [room.occurrence(id, "Orders/Účty", "Order 0").await];
    let there =
        [room.occurrence(id, "INBOX", "Order 4").await, room.occurrence(id, "INBOX", "Order 5").await];
    room.flag(id, &there, &[Flag::Seen], &[]).await;
    room.move_to(id, &back, "INBOX").await;
    room.move_to(id, &there, "Orders/Účty").await;
    for _ in 0..2 {
        assert_eq!(room.subjects(id, "INBOX").await, ["Order 0", "Order 3"]);
        assert_eq!(room.subjects(id, "Orders/Účty").await, ["Order 1", "Order 4 seen", "Order 5 seen"]);
        room.try_round(id).await.unwrap();
        assert_eq!(room.due().await, 0);
    }
    assert_eq!(server_flags(&dovecot, "ann", "INBOX"), ["Order 0", "Order 3"]);
    assert_eq!(server_flags(&dovecot, "ann", "Orders/Účty"), ["Order 1", "Order 4 seen", "Order 5 seen"]);
    assert_eq!(room.in_all(id).await, 5);
    room.has_each_once(id, 6).await;
}

#[tokio::test]
async fn a15_moves_go_both_ways_and_double_nothing() {
    both(async |room| moves_go_both_ways(room, Dovecot::start()).await).await;
}

#[tokio::test]
async fn a15_without_condstore_and_move_moves_go_both_ways() {
    both(async |room| moves_go_both_ways(room, without(PLAIN)).await).await;
}

#[tokio::test]
async fn a15_without_uidplus_a_moved_message_is_shown_once_and_nobody_elses_mail_is_expunged() {
    let (dovecot, room) = (without(&["MOVE", "UIDPLUS"]), PostRoom::new().await);
    dovecot.fill("ann", "INBOX", letters(0..3)).unwrap();
    dovecot.add_flags("ann", "INBOX", "UID 3", "\\Deleted").unwrap();
    let id = room.connect_synchronised(server(&dovecot, "ann")).await;
    room.try_round(id).await.unwrap();
    let one = [room.occurrence(id, "INBOX", "Order 0").await];
    room.move_to(id, &one, "Sent").await;
    room.try_round(id).await.unwrap();
    room.try_round(id).await.unwrap();
    assert_eq!(room.subjects(id, "INBOX").await, ["Order 1", "Order 2 deleted"]);
    assert_eq!(room.subjects(id, "Sent").await, ["Order 0"]);
    assert_eq!(dovecot.count("ann", "INBOX").unwrap(), 3);
}

#[tokio::test]
async fn a15_drafts_sent_and_deleted_items_are_kept_and_make_no_case() {
    both(async |room| {
        let dovecot = Dovecot::start();
        for (number, folder) in ["INBOX", "Drafts", "Sent", "Trash", "Junk", "Old"].into_iter().enumerate() {
            dovecot.fill("ann", folder, letters(number..number + 1)).unwrap();
        }
        let id = room.connect_synchronised(server(&dovecot, "ann")).await;
        room.try_round(id).await.unwrap();
        let tree: Vec<_> = room
            .tree(id)
            .await
            .into_iter()
            .map(|folder| (folder.name, folder.special_use.unwrap_or_default(), folder.total))
            .collect();
        let expected = [
            ("Drafts", "drafts"),
            ("INBOX", ""),
            ("Junk", "junk"),
            ("Old", ""),
            ("Sent", "sent"),
            ("Trash", "trash"),
        ];
        assert_eq!(tree, expected.map(|(name, special)| (name.to_owned(), special.to_owned(), 1)));
        let cases = "SELECT COUNT(*) FROM records WHERE kind = 'case'";
        assert_eq!(room.number(cases).await, 1, "what came to INBOX, and nothing that was there before");
        let sent = "SELECT COUNT(*) FROM messages WHERE direction = 'out' AND subject = 'Order 2'";
        assert_eq!((room.number(sent).await, room.number("SELECT COUNT(*) FROM messages").await), (1, 6));
        // What others file into other folders is today's mail; what they throw away is not.
        dovecot.deliver("ann", "Old", letter(10)).unwrap();
        dovecot.deliver("ann", "Trash", letter(11)).unwrap();
        dovecot.deliver("ann", "Sent", letter(12)).unwrap();
        room.try_round(id).await.unwrap();
        assert_eq!(room.number(cases).await, 2);
    })
    .await;
}

#[tokio::test]
async fn a15_new_renamed_and_removed_folders_are_followed() {
    for dovecot in [Dovecot::start(), without(PLAIN)] {
        let room = PostRoom::new().await;
        dovecot.fill("ann", "Orders/2025", letters(0..5)).unwrap();
        let id = room.connect_synchronised(server(&dovecot, "ann")).await;
        room.try_round(id).await.unwrap();
        assert_eq!(room.subjects(id, "Orders/2025").await.len(), 5);
        dovecot.doveadm(&["mailbox", "rename", "-u", "ann", "Orders/2025", "Archiv 2025"]).unwrap();
        dovecot.fill("ann", "Bills", letters(5..6)).unwrap();
        room.try_round(id).await.unwrap();
        let names = async || room.tree(id).await.into_iter().map(|folder| folder.name).collect::<Vec<_>>();
        let expected = ["Archiv 2025", "Bills", "Drafts", "INBOX", "Junk", "Sent", "Trash"];
        assert_eq!(names().await, expected);
        assert_eq!(room.subjects(id, "Archiv 2025").await.len(), 5);
        dovecot.doveadm(&["mailbox", "delete", "-u", "ann", "Bills"]).unwrap();
        room.try_round(id).await.unwrap();
        assert_eq!(names().await, [&expected[..1], &expected[2..]].concat());
        assert_eq!(room.number("SELECT COUNT(*) FROM messages").await, 6);
        assert_eq!(room.in_all(id).await, 5);
    }
}

#[tokio::test]
async fn a15_a_renumbered_folder_shows_each_message_once_with_its_flags() {
    let (dovecot, room) = (Dovecot::start(), PostRoom::new().await);
    dovecot.fill("ann", "Orders", letters(0..4)).unwrap();
    let id = room.connect_synchronised(server(&dovecot, "ann")).await;
    room.try_round(id).await.unwrap();
    let one = [room.occurrence(id, "Orders", "Order 1").await];
    room.flag(id, &one, &[Flag::Flagged], &[]).await;
    dovecot.renumber("ann", "Orders").unwrap();
    room.try_round(id).await.unwrap();
    room.try_round(id).await.unwrap();
    let expected = ["Order 0", "Order 1 flagged", "Order 2", "Order 3"];
    assert_eq!(room.subjects(id, "Orders").await, expected);
    assert_eq!(server_flags(&dovecot, "ann", "Orders"), expected);
    assert_eq!((room.due().await, room.in_all(id).await), (0, 4));
}

#[tokio::test]
async fn a15_a_draft_is_added_to_its_folder_and_shown_when_the_server_has_it() {
    both(async |room| {
        let dovecot = Dovecot::start();
        let id = room.connect_synchronised(server(&dovecot, "ann")).await;
        room.try_round(id).await.unwrap();
        let drafts = room.folder_id(id, "Drafts").await;
        let text = String::from_utf8(letter(7)).unwrap().replace("\r\n", "\n").into_bytes();
        let flags = Flags::of(&[Flag::Draft, Flag::Seen]);
        verbs::append(room.desk(), &Actor::machine(), id, drafts, text, flags).await.unwrap();
        room.try_round(id).await.unwrap();
        assert_eq!(room.subjects(id, "Drafts").await, ["Order 7 draft seen"]);
        assert_eq!(server_flags(&dovecot, "ann", "Drafts"), ["Order 7 draft seen"]);
        assert_eq!(room.number("SELECT COUNT(*) FROM operations WHERE raw IS NOT NULL").await, 0);
    })
    .await;
}

async fn deleted(room: &PostRoom, dovecot: &Dovecot, on_server: bool) -> MailboxId {
    dovecot.fill("ann", "INBOX", letters(0..3)).unwrap();
    let id = room.connect_synchronised(server(dovecot, "ann")).await;
    if on_server {
        room.run("UPDATE mailboxes SET delete_on_server = TRUE").await;
    }
    room.try_round(id).await.unwrap();
    let two = [room.occurrence(id, "INBOX", "Order 0").await, room.occurrence(id, "INBOX", "Order 1").await];
    room.delete(id, &two).await;
    assert_eq!(room.subjects(id, "Trash").await, ["Order 0", "Order 1"]);
    room.try_round(id).await.unwrap();
    assert_eq!((dovecot.count("ann", "INBOX").unwrap(), dovecot.count("ann", "Trash").unwrap()), (1, 2));
    let one = [room.occurrence(id, "Trash", "Order 0").await];
    room.delete(id, &one).await;
    assert_eq!(room.subjects(id, "Trash").await, ["Order 1"]);
    room.try_round(id).await.unwrap();
    room.try_round(id).await.unwrap();
    assert_eq!(room.subjects(id, "Trash").await, ["Order 1"]);
    assert_eq!(room.number("SELECT COUNT(*) FROM messages").await, 3, "the archive keeps it");
    id
}

#[tokio::test]
async fn a16_what_is_deleted_from_deleted_items_goes_from_the_server_where_that_is_switched_on() {
    both(async |room| {
        let dovecot = Dovecot::start();
        dovecot.fill("ann", "Trash", letters(8..9)).unwrap();
        dovecot.add_flags("ann", "Trash", "ALL", "\\Deleted").unwrap();
        let id = room.connect_synchronised(server(&dovecot, "ann")).await;
        room.try_round(id).await.unwrap();
        room.run("UPDATE mailboxes SET active = FALSE").await;
        drop(room);
        let room = PostRoom::new().await;
        dovecot.expunge("ann", "Trash", "ALL").unwrap();
        deleted(&room, &dovecot, true).await;
        assert_eq!(dovecot.count("ann", "Trash").unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn a16_without_the_switch_it_stays_on_the_server_and_is_not_shown_again() {
    both(async |room| {
        let dovecot = Dovecot::start();
        let id = deleted(&room, &dovecot, false).await;
        assert_eq!(dovecot.count("ann", "Trash").unwrap(), 2);
        // Nor when it gets another number.
        dovecot.renumber("ann", "Trash").unwrap();
        room.try_round(id).await.unwrap();
        assert_eq!(room.subjects(id, "Trash").await, ["Order 1"]);
    })
    .await;
}

#[tokio::test]
async fn a16_other_peoples_deleted_mail_is_not_removed_with_ours() {
    let (dovecot, room) = (Dovecot::start(), PostRoom::new().await);
    dovecot.fill("ann", "Trash", letters(0..2)).unwrap();
    dovecot.add_flags("ann", "Trash", "UID 1", "\\Deleted").unwrap();
    let id = room.connect_synchronised(server(&dovecot, "ann")).await;
    room.run("UPDATE mailboxes SET delete_on_server = TRUE").await;
    room.try_round(id).await.unwrap();
    let one = [room.occurrence(id, "Trash", "Order 1").await];
    room.delete(id, &one).await;
    room.try_round(id).await.unwrap();
    assert_eq!(server_flags(&dovecot, "ann", "Trash"), ["Order 0 deleted"]);
}

#[tokio::test]
async fn a16_switched_off_again_before_the_round_nothing_is_removed_and_the_reason_is_shown() {
    let (dovecot, room) = (Dovecot::start(), PostRoom::new().await);
    dovecot.fill("ann", "Trash", letters(0..1)).unwrap();
    let id = room.connect_synchronised(server(&dovecot, "ann")).await;
    room.run("UPDATE mailboxes SET delete_on_server = TRUE").await;
    room.try_round(id).await.unwrap();
    let one = [room.occurrence(id, "Trash", "Order 0").await];
    room.delete(id, &one).await;
    room.run("UPDATE mailboxes SET delete_on_server = FALSE").await;
    room.try_round(id).await.unwrap();
    assert_eq!(dovecot.count("ann", "Trash").unwrap(), 1);
    let tree = verbs::tree(room.desk(), &Actor::machine(), id).await.unwrap();
    assert!(tree.failed[0].error.contains("switched off"), "{tree:?}");
}

#[tokio::test]
async fn a15_what_the_server_refuses_is_tried_twenty_times_then_shown_and_undone() {
    let (dovecot, room) = (Dovecot::start(), PostRoom::new().await);
    dovecot.fill("ann", "INBOX", letters(0..1)).unwrap();
    let id = room.connect_synchronised(server(&dovecot, "ann")).await;
    room.try_round(id).await.unwrap();
    let one = [room.occurrence(id, "INBOX", "Order 0").await];
    room.move_to(id, &one, "Sent").await;
    room.run("UPDATE folders SET name = 'not//possible' WHERE name = 'Sent'").await;
    let source = room.source(id).await;
    let mut visit = sync::visit::begin(&room.receive, &source).await.unwrap();
    for _ in 0..20 {
        assert_eq!(room.due().await, 1);
        visit.round(&|_, _, _| {}).await.unwrap();
    }
    assert_eq!(room.due().await, 0);
    let tree = verbs::tree(room.desk(), &Actor::machine(), id).await.unwrap();
    assert_eq!((tree.failed.len(), tree.failed[0].kind.as_str()), (1, "move"));
    assert_eq!(room.subjects(id, "INBOX").await, ["Order 0"]);
}

/// Two mailboxes: an old one that is switched off, and where its mail goes.
async fn moved_messages(room: PostRoom, dovecot: Dovecot, synchronised: bool) {
    dovecot.fill("ann", "INBOX", letters(0..30)).unwrap();
    // The same twice stays twice.
    dovecot.fill("ann", "INBOX", letters(0..1)).unwrap();
    dovecot.add_flags("ann", "INBOX", "ALL", "\\Seen").unwrap();
    let old = room.connect(server(&dovecot, "ann"), vec![folder("INBOX", Leave)]).await;
    room.try_round(old).await.unwrap();
    room.run("UPDATE mailboxes SET active = FALSE").await;
    let new = match synchronised {
        true => room.connect_synchronised(server(&dovecot, "ben")).await,
        false => room.connect(server(&dovecot, "ben"), vec![folder("Old/Ann", Leave)]).await,
    };
    room.run(&format!("UPDATE mailboxes SET create_cases = FALSE WHERE id = {old}")).await;
    let moved = verbs::move_messages(room.desk(), &Actor::machine(), old, new, "Old/Ann").await.unwrap();
    let again = verbs::move_messages(room.desk(), &Actor::machine(), old, new, "Old/Ann").await.unwrap();
    assert_eq!((moved, again), (31, 0));
    room.try_round(new).await.ok();
    room.try_round(new).await.unwrap();
    assert_eq!((room.due().await, dovecot.count("ben", "Old/Ann").unwrap()), (0, 31));
    assert_eq!(room.number("SELECT COUNT(*) FROM messages").await, 30);
    assert_eq!(room.in_all(old).await, 0);
    assert_eq!(room.shown(new, "Old/Ann").await.len(), 31);
    let dates = dovecot.doveadm(&["fetch", "-u", "ben", "date.received", "mailbox", "Old/Ann"]).unwrap();
    let before = dovecot.doveadm(&["fetch", "-u", "ann", "date.received", "mailbox", "INBOX"]).unwrap();
    let sorted = |said: &str| {
        let mut lines: Vec<String> =
            said.lines().filter(|line| line.contains(':')).map(String::from).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&dates), sorted(&before), "the times of arrival are kept");
    let flags = server_flags(&dovecot, "ben", "Old/Ann");
    assert!(flags.iter().all(|line| !line.contains("seen")), "flags are left out: {flags:?}");
    assert_eq!(room.number("SELECT COUNT(*) FROM records WHERE kind = 'case'").await, 30, "no further cases");
}

#[tokio::test]
async fn a8_moved_messages_show_up_once_after_the_next_synchronisation() {
    both(async |room| moved_messages(room, Dovecot::start(), true).await).await;
}

#[tokio::test]
async fn a8_moved_messages_are_known_by_a_mailbox_that_files_too() {
    moved_messages(PostRoom::new().await, Dovecot::start(), false).await;
}

#[tokio::test]
async fn a8_old_mail_in_a_new_place_makes_no_case() {
    let (dovecot, room) = (Dovecot::start(), PostRoom::new().await);
    dovecot.fill("ann", "INBOX", letters(0..3)).unwrap();
    let old = room.connect(server(&dovecot, "ann"), vec![folder("INBOX", Leave)]).await;
    room.run("UPDATE mailboxes SET create_cases = FALSE").await;
    room.try_round(old).await.unwrap();
    let new = room.connect(server(&dovecot, "ben"), vec![folder("INBOX", Leave)]).await;
    room.try_round(new).await.unwrap();
    verbs::move_messages(room.desk(), &Actor::machine(), old, new, "INBOX").await.unwrap();
    room.try_round(new).await.unwrap();
    dovecot.deliver("ben", "INBOX", letter(5)).unwrap();
    room.try_round(new).await.unwrap();
    assert_eq!(dovecot.count("ben", "INBOX").unwrap(), 4);
    assert_eq!(room.number("SELECT COUNT(*) FROM records WHERE kind = 'case'").await, 1);
}

#[tokio::test]
async fn a7_what_is_cleared_goes_from_the_server_only_where_that_is_switched_on() {
    for on in [false, true] {
        let (dovecot, room) = (Dovecot::start(), PostRoom::new().await);
        dovecot.fill("ann", "INBOX", letters(0..5)).unwrap();
        let id = room.connect(server(&dovecot, "ann"), vec![folder("INBOX", Leave)]).await;
        room.try_round(id).await.unwrap();
        room.run(&format!("UPDATE mailboxes SET active = FALSE, delete_on_server = {on}")).await;
        // Somebody else flags one that is not cleared.
        dovecot.deliver("ann", "INBOX", letter(9)).unwrap();
        dovecot.add_flags("ann", "INBOX", "UID 6", "\\Deleted").unwrap();
        let occurrences: Vec<OccurrenceId> =
            room.shown(id, "INBOX").await.iter().map(|one| one.occurrence).collect();
        let desk = room.desk();
        let mut tx = desk.db.begin().await.unwrap();
        let mailbox = store::mailboxes::mailbox(&mut tx, id).await.unwrap().unwrap();
        verbs::clear_on_server(desk, &mut tx, &Actor::machine(), &mailbox, &occurrences).await.unwrap();
        tx.commit().await.unwrap();
        let owing = store::rounds::active(&mut &desk.db).await.unwrap();
        assert_eq!(owing.len(), usize::from(on));
        for source in owing {
            let mut visit = sync::visit::begin(&room.receive, &source).await.unwrap();
            visit.round(&|_, _, _| {}).await.unwrap();
        }
        assert!(store::rounds::active(&mut &desk.db).await.unwrap().is_empty());
        assert_eq!(dovecot.count("ann", "INBOX").unwrap(), if on { 1 } else { 6 });
    }
}

const MAILS: usize = 3;

/// A server without news of its own, with the folders that matter.
async fn scripted(manner: &Manner, faults: Vec<Fault>) -> ImapServer {
    let mut mailbox = Mailbox::with_inbox(letters(0..MAILS));
    for (uid_validity, name) in [(33, "Orders"), (44, "Trash")] {
        let empty = testkit::scripted::Folder { uid_validity, uid_next: 1, messages: Vec::new() };
        mailbox.folders.insert(name.into(), empty);
    }
    ImapServer::start(mailbox, manner.clone(), faults).await.unwrap()
}

fn at<'a>(server: &ImapServer) -> Server<'a> {
    Server { host: "127.0.0.1", port: server.address.port(), user: "ann", password: "x" }
}

/// How often each subject is on the server, by folder, with flags.
fn on_server(server: &ImapServer) -> HashMap<(String, String), Vec<String>> {
    let mut all: HashMap<(String, String), Vec<String>> = HashMap::new();
    for (name, folder) in &server.mailbox().folders {
        for message in &folder.messages {
            let text = String::from_utf8_lossy(&message.body).into_owned();
            let subject = text.split("Subject: ").nth(1).unwrap().lines().next().unwrap().to_owned();
            let flags = Flags::of_imap(&message.flags).words();
            all.entry((name.clone(), subject)).or_default().push(flags);
        }
    }
    all
}

/// Each kind of operation, and the connection cut at every place of the round that carries it out: the
/// rounds after it bring it to its end, once.
async fn survives_every_cut(manner: Manner) {
    let prepared = async |faults: Vec<Fault>| {
        let room = PostRoom::new().await;
        let whole = scripted(&manner, Vec::new()).await;
        let id = room.connect_synchronised(at(&whole)).await;
        room.run("UPDATE mailboxes SET delete_on_server = TRUE").await;
        room.try_round(id).await.unwrap();
        let of = async |number: usize| [room.occurrence(id, "INBOX", &format!("Order {number}")).await];
        room.flag(id, &of(0).await, &[Flag::Seen], &[]).await;
        room.move_to(id, &of(1).await, "Orders").await;
        room.delete(id, &of(2).await).await;
        let orders = room.folder_id(id, "Orders").await;
        verbs::append(room.desk(), &Actor::machine(), id, orders, letter(7), Flags::default()).await.unwrap();
        let nameless = letter(8).split(|byte| *byte == b'\n').skip(1).collect::<Vec<_>>().join(&b'\n');
        verbs::append(room.desk(), &Actor::machine(), id, orders, nameless, Flags::default()).await.unwrap();
        // The same mail on a server that will break.
        let broken = ImapServer::start(whole.mailbox(), manner.clone(), faults).await.unwrap();
        room.moved_to(id, broken.address.port()).await;
        (room, id, broken)
    };
    let (room, id, server) = prepared(Vec::new()).await;
    room.try_round(id).await.unwrap();
    assert_eq!(room.due().await, 0);
    let expected = on_server(&server);
    assert_eq!(expected.len(), MAILS + 2, "{expected:?}");
    assert!(expected.values().all(|copies| copies.len() == 1), "{expected:?}");
    // Up to the second list of folders: the reading that follows is cut elsewhere.
    let recording = server.recording(0).unwrap();
    let said = String::from_utf8_lossy(&recording.bytes).into_owned();
    let lists: Vec<usize> = said.match_indices("* LIST ").map(|(at, _)| at).collect();
    let end = lists[lists.len() / 2] as u64 + 60;
    let cuts: Vec<u64> = recording.boundaries.into_iter().filter(|place| *place <= end).collect();
    assert!(cuts.len() > 20, "{}", cuts.len());
    for cut in cuts {
        let (room, id, server) = prepared(vec![Fault::Cut { at: cut, how: Cut::Fin }]).await;
        drop(room.try_round(id).await);
        room.try_round(id).await.unwrap();
        room.try_round(id).await.unwrap();
        assert_eq!(room.due().await, 0, "cut after {cut} bytes");
        assert_eq!(on_server(&server), expected, "cut after {cut} bytes");
        let here = room.in_all(id).await;
        assert_eq!(here as usize, MAILS + 2, "cut after {cut} bytes");
    }
}

#[tokio::test]
async fn a15_c12_a_connection_cut_anywhere_leaves_each_operation_done_once() {
    survives_every_cut(Manner::default()).await;
}

#[tokio::test]
async fn a15_c13_without_move_a_connection_cut_anywhere_leaves_each_operation_done_once() {
    let capabilities = Manner::default().capabilities.replace(" MOVE", "");
    survives_every_cut(Manner { capabilities, ..Manner::default() }).await;
}
