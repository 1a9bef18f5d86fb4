//! What somebody may do with one mailbox: what they hold of it decides.
//!
//! An administrator may everything. A keeper may what concerns the connection and the folders, and so
//! may an owner whose role lets users connect mailboxes; any owner may enter the password, choose the
//! folders and switch the mailbox on and off. Neither kind, people nor teams are a keeper's to change:
//! they decide who reads the mail, and keeping a mailbox is no right to read it.

use super::{MailboxChange, NewMailbox};
use crate::Refusal;
use crate::may::{Actor, Verb};
use model::MailboxKind;
use store::mailboxes::Mailbox;

/// What somebody holds of a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Nothing; to them it is not there.
    Nothing,
    /// It is theirs, and others set it up.
    Owner,
    /// They keep it, or it is theirs and their role lets them set it up.
    Keeper,
    /// They are administrator.
    Administrator,
}

/// Parts of a mailbox by who may change them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Password, folders, on and off; looking at its state, asking for a round.
    Access,
    /// Address, servers, what is done after filing, sending.
    Settings,
    /// Kind, owner, keeper, process, teams; clearing it.
    Belonging,
}

impl Hold {
    /// What `actor` holds of a mailbox.
    pub fn of(actor: &Actor, mailbox: &Mailbox) -> Hold {
        let is = |user: Option<model::UserId>| user.is_some() && user == actor.user;
        match () {
            () if actor.administrator => Hold::Administrator,
            () if is(mailbox.keeper) => Hold::Keeper,
            () if is(mailbox.owner) && actor.connects_own => Hold::Keeper,
            () if is(mailbox.owner) => Hold::Owner,
            () => Hold::Nothing,
        }
    }

    /// Whether they may change this part.
    ///
    /// # Errors
    /// `NotFound` where they may not even know of the mailbox.
    pub fn may(self, part: Part) -> Result<(), Refusal> {
        let allowed = match part {
            Part::Access => self != Hold::Nothing,
            Part::Settings => matches!(self, Hold::Keeper | Hold::Administrator),
            Part::Belonging => self == Hold::Administrator,
        };
        match (allowed, self) {
            (true, _) => Ok(()),
            (false, Hold::Nothing) => Err(Refusal::NotFound),
            (false, Hold::Owner) => Err(Refusal::Forbidden(
                "You may enter the password, choose the folders and switch it on and off. The rest is set up by an \
                 administrator.",
            )),
            (false, _) => {
                Err(Refusal::Forbidden("Only an administrator changes whose a mailbox is, and clears it."))
            }
        }
    }
}

/// Whether somebody may add this mailbox.
pub(super) fn may_add(actor: &Actor, new: &NewMailbox) -> Result<(), Refusal> {
    actor.may(Verb::AddMailbox)?;
    let someone_elses = new.owner.is_some() && new.owner != actor.user;
    if new.kind == MailboxKind::Group || someone_elses || new.keeper.is_some() {
        actor.may(Verb::ManageMailboxes)?;
    }
    Ok(())
}

/// Whether somebody may change all that is to be changed.
pub(super) fn may_change(hold: Hold, change: &MailboxChange) -> Result<(), Refusal> {
    hold.may(Part::Access)?;
    let MailboxChange { kind, owner, keeper, process, teams, .. } = change;
    if kind.is_some() || owner.is_some() || keeper.is_some() || process.is_some() || teams.is_some() {
        hold.may(Part::Belonging)?;
    }
    match only_access(change) {
        true => Ok(()),
        false => hold.may(Part::Settings),
    }
}

/// Whether nothing is to be changed but password, grant, folders, on and off, and the default.
fn only_access(change: &MailboxChange) -> bool {
    let MailboxChange {
        kind: _,
        owner: _,
        keeper: _,
        process: _,
        teams: _,
        password: _,
        grant: _,
        folders: _,
        active: _,
        is_default: _,
        address,
        name,
        protocol,
        mode,
        host,
        port,
        tls,
        username,
        allow_plain,
        delete_on_server,
        delete_after_days,
        outgoing,
        shared,
        create_cases,
        authserv_id,
    } = change;
    address.is_none()
        && name.is_none()
        && protocol.is_none()
        && mode.is_none()
        && host.is_none()
        && port.is_none()
        && tls.is_none()
        && username.is_none()
        && allow_plain.is_none()
        && delete_on_server.is_none()
        && delete_after_days.is_none()
        && outgoing.is_none()
        && shared.is_none()
        && create_cases.is_none()
        && authserv_id.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::UserId;

    /// Every hold × every part, as a table that is read by people: `x` may, `.` may not.
    #[test]
    fn a19_what_owner_keeper_and_administrator_may_change() {
        let mut table = String::new();
        for hold in [Hold::Nothing, Hold::Owner, Hold::Keeper, Hold::Administrator] {
            let parts = [Part::Access, Part::Settings, Part::Belonging];
            let marks: String =
                parts.map(|part| if hold.may(part).is_ok() { 'x' } else { '.' }).into_iter().collect();
            table.push_str(&format!("{:<14} {marks}\n", format!("{hold:?}")));
        }
        expect_test::expect![[r#"
            Nothing        ...
            Owner          x..
            Keeper         xx.
            Administrator  xxx
        "#]]
        .assert_eq(&table);
    }

    #[test]
    fn a19_what_somebody_holds_follows_from_who_they_are() {
        let actor = |user, connects_own, administrator| Actor {
            user: Some(UserId(user)),
            connects_own,
            administrator,
            ..Actor::machine()
        };
        let owner = Some(UserId(1));
        let mailbox =
            Mailbox { owner, keeper: Some(UserId(2)), ..Mailbox::new(MailboxKind::Personal, "a@b.example") };
        assert_eq!(Hold::of(&actor(1, false, false), &mailbox), Hold::Owner);
        assert_eq!(Hold::of(&actor(1, true, false), &mailbox), Hold::Keeper);
        assert_eq!(Hold::of(&actor(2, false, false), &mailbox), Hold::Keeper);
        assert_eq!(Hold::of(&actor(3, true, false), &mailbox), Hold::Nothing);
        assert_eq!(Hold::of(&actor(3, false, true), &mailbox), Hold::Administrator);
        assert!(matches!(Hold::Nothing.may(Part::Access), Err(Refusal::NotFound)));
        assert!(matches!(Hold::Keeper.may(Part::Belonging), Err(Refusal::Forbidden(_))));
    }
}
