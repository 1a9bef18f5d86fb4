//! The addresses somebody may write from.
//!
//! Their own mailboxes that send, and of the group mailboxes that are shared for sending none, those of
//! their teams or all, as the role says. Being keeper or administrator gives none.

use crate::may::{Actor, Verb};
use crate::{Desk, Refusal};
use model::{GroupMail, MailboxKind};
use store::mailboxes::{self, Mailbox};
use store::people;

/// The mailboxes `actor` may send from, the default first, then their own, then those of groups.
pub async fn may_send_from(desk: &Desk, actor: &Actor) -> Result<Vec<Mailbox>, Refusal> {
    actor.may(Verb::SeeMailboxes)?;
    let user = actor.person()?;
    let mut reader = desk.db.snapshot().await?;
    let default = people::default_mailbox(&mut reader, user).await?;
    let mut found = mailboxes::that_send(&mut reader, user).await?;
    found.retain(|mailbox| may_send(actor, mailbox));
    found.sort_by_key(|mailbox| (Some(mailbox.id) != default, mailbox.kind == MailboxKind::Group));
    Ok(found)
}

/// Whether somebody may send from a mailbox.
pub fn may_send(actor: &Actor, mailbox: &Mailbox) -> bool {
    let theirs = mailbox.teams.iter().any(|(team, _)| actor.teams.contains(team));
    mailbox.outgoing.is_some()
        && match (mailbox.kind, actor.group_mail) {
            (MailboxKind::Personal, _) => mailbox.owner.is_some() && mailbox.owner == actor.user,
            (MailboxKind::Group, GroupMail::No) => false,
            (MailboxKind::Group, GroupMail::Team) => mailbox.shared && theirs,
            (MailboxKind::Group, GroupMail::All) => mailbox.shared,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{TeamId, Tls, UserId};
    use store::mailboxes::Outgoing;

    fn group(shared: bool, team: i64) -> Mailbox {
        let outgoing = Outgoing {
            host: "smtp.acme.example".into(),
            port: 465,
            tls: Tls::Implicit,
            username: String::new(),
            reach: model::Reach::Anywhere,
            has_secret: true,
            grant: None,
        };
        Mailbox {
            shared,
            outgoing: Some(outgoing),
            teams: vec![(TeamId(team), String::new())],
            ..Mailbox::new(MailboxKind::Group, "press@acme.example")
        }
    }

    #[test]
    fn a18_from_a_shared_group_mailbox_sends_whom_the_role_lets() {
        let actor = |group_mail| Actor {
            user: Some(UserId(1)),
            group_mail,
            teams: vec![TeamId(7)],
            ..Actor::machine()
        };
        let may = |level, mailbox: &Mailbox| may_send(&actor(level), mailbox);
        let (theirs, others, unshared) = (group(true, 7), group(true, 8), group(false, 7));
        let table = [GroupMail::No, GroupMail::Team, GroupMail::All]
            .map(|level| [may(level, &theirs), may(level, &others), may(level, &unshared)]);
        assert_eq!(table, [[false, false, false], [true, false, false], [true, true, false]]);
        let silent = Mailbox { outgoing: None, ..theirs };
        assert!(!may(GroupMail::All, &silent));
        let own = Mailbox { owner: Some(UserId(1)), kind: MailboxKind::Personal, ..group(false, 7) };
        assert!(may(GroupMail::No, &own));
        assert!(!may(GroupMail::All, &Mailbox { owner: Some(UserId(2)), ..own }));
    }
}
