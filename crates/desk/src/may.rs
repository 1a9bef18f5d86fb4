//! Who may do what, in one table.
//!
//! An [`Actor`] is a person (or the machine itself) with the levels of their role; [`Verb`] names
//! every act; [`Verb::needs`] is the table. A verb that is allowed still shows and touches only what
//! the actor may see: lists, searches and events fold [`Actor::mail_access`] into their SQL, and a
//! single thing outside of it is `NotFound`, never `Forbidden`, so that nobody learns it exists.
//!
//! Decided against rights that are computed where they are used: the routes of the API ask this table
//! before a handler runs, and the verbs of `desk` ask it again, because the command line and the
//! rounds come in by other doors.

use crate::Refusal;
use model::{GroupMail, Level, MailboxId, TeamId, UserId};
use store::changes::{MailboxesHeard, RecordsHeard};
pub use store::people::Access;

/// Who asks.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The user, or `None` for the machine: rounds and command line.
    pub user: Option<UserId>,
    /// Name for streams and logs of what happened; empty for the machine.
    pub name: String,
    /// Sets up mailboxes, people and roles.
    pub administrator: bool,
    /// How far they see mail.
    pub mail: Level,
    /// How far they see records.
    pub records: Level,
    /// Whether they may connect personal mailboxes of their own.
    pub connects_own: bool,
    /// From which shared group mailboxes they may send.
    pub group_mail: GroupMail,
    /// The teams they are in.
    pub teams: Vec<TeamId>,
    /// The group mailboxes of their teams.
    pub team_mailboxes: Vec<MailboxId>,
    /// Their personal mailboxes.
    pub own_mailboxes: Vec<MailboxId>,
}

impl Actor {
    /// The machine itself: may do everything, is nobody.
    pub fn machine() -> Actor {
        Actor {
            user: None,
            name: String::new(),
            administrator: true,
            mail: Level::All,
            records: Level::All,
            connects_own: true,
            group_mail: GroupMail::All,
            teams: Vec::new(),
            team_mailboxes: Vec::new(),
            own_mailboxes: Vec::new(),
        }
    }

    /// Which threads they may see. An administrator sees what their role's mail level gives, as
    /// everybody else: setting up mailboxes is no right to read mail (the built-in role gives both).
    pub fn mail_access(&self) -> Access {
        let mut tokens: Vec<String> = Vec::new();
        match self.mail {
            Level::All => return Access::All,
            Level::No => return Access::Tokens(tokens),
            Level::Team => {
                tokens.extend(self.team_mailboxes.iter().map(|id| format!("m{id}")));
                tokens.extend(self.teams.iter().map(|id| format!("t{id}")));
            }
            Level::Own => {}
        }
        tokens.extend(self.own_mailboxes.iter().map(|id| format!("m{id}")));
        tokens.extend(self.user.iter().map(|id| format!("u{id}")));
        tokens.sort();
        tokens.dedup();
        Access::Tokens(tokens)
    }

    /// Which records they may see: with less than all, what is assigned to them, what they follow, and
    /// (level team) what their teams are in charge of. Who sees all records and not all mail sees only those
    /// cases whose mail they see, or that concern them: a case is called as its mail.
    pub fn records_heard(&self) -> RecordsHeard {
        match (self.records, self.user) {
            (Level::All, Some(user)) if self.mail != Level::All => {
                RecordsHeard::AllBut(user, self.teams.clone(), self.mail_access())
            }
            (Level::All, _) => RecordsHeard::All,
            (Level::Team, Some(user)) => RecordsHeard::Of(user, self.teams.clone()),
            (Level::Own, Some(user)) => RecordsHeard::Of(user, Vec::new()),
            (Level::No, _) | (_, None) => RecordsHeard::None,
        }
    }

    /// Whether they see all mail of a mailbox.
    pub fn sees_mailbox(&self, id: MailboxId) -> bool {
        match self.mail_access() {
            Access::All => true,
            Access::Tokens(tokens) => tokens.contains(&format!("m{id}")),
        }
    }

    /// Whether they see accounts, contacts, leads and opportunities that do not concern them.
    pub fn sees_records(&self) -> bool {
        matches!(self.records_heard(), RecordsHeard::All | RecordsHeard::AllBut(..))
    }

    /// Which mailboxes they hear of: their own and those they keep.
    pub fn mailboxes_heard(&self) -> MailboxesHeard {
        match self.user {
            _ if self.administrator => MailboxesHeard::All,
            Some(user) => MailboxesHeard::Of(user),
            None => MailboxesHeard::None,
        }
    }

    /// Whether they may do `verb` at all; the sentence of the refusal is for them to read.
    pub fn may(&self, verb: Verb) -> Result<(), Refusal> {
        let allowed = match verb.needs() {
            Needs::SignedIn => true,
            Needs::Mail => self.mail != Level::No,
            Needs::Records => self.records != Level::No,
            Needs::MailAndRecords => self.mail != Level::No && self.records != Level::No,
            Needs::OwnMailboxes => self.administrator || self.connects_own,
            Needs::Administrator => self.administrator,
        };
        match allowed {
            true => Ok(()),
            false => Err(Refusal::Forbidden(verb.needs().sentence())),
        }
    }

    /// The user, or a refusal where only a person can act (their own settings, read marks).
    pub fn person(&self) -> Result<UserId, Refusal> {
        self.user.ok_or(Refusal::Forbidden("Only a person can do this."))
    }
}

model::words! {
    /// Every act that asks for permission.
    Verb {
        /// Views, threads, messages, search: an empty world for who may see no mail.
        ReadMail = "read_mail",
        /// Flag, move, delete and add messages in folders on the server.
        ChangeFolders = "change_folders",
        /// Mark a thread read or unread for oneself.
        MarkRead = "mark_read",
        /// Answer a thread by mail, from an address one may send from.
        Reply = "reply",
        /// The texts that answers are made from.
        ReadTemplates = "read_templates",
        /// Change them, and say which mailbox answers by itself.
        ManageTemplates = "manage_templates",
        /// Write an internal note into a thread.
        NoteOnThread = "note_on_thread",
        /// Hand a thread to somebody or a team, file it to an area of work.
        HandThread = "hand_thread",
        /// Tie a thread to a record, or untie it.
        LinkThread = "link_thread",
        /// Put a thread out of sight until later.
        SnoozeThread = "snooze_thread",
        /// Make a case of a thread by hand.
        CreateCase = "create_case",
        /// Lists and pages of records and cases.
        ReadRecords = "read_records",
        /// Create accounts, contacts, leads, opportunities.
        CreateRecord = "create_record",
        /// Change them.
        ChangeRecord = "change_record",
        /// Write a note into a record's stream.
        NoteOnRecord = "note_on_record",
        /// Follow a record, or no longer.
        FollowRecord = "follow_record",
        /// Assign, close, reopen, rename a case.
        ChangeCase = "change_case",
        /// Put a label on a thread or take it off, and make a new label.
        LabelThread = "label_thread",
        /// Rename and remove labels.
        ManageLabels = "manage_labels",
        /// Rules and filters: one's own, those of mailboxes one keeps, as administrator all but others' own.
        ManageRules = "manage_rules",
        /// Names of users, teams and processes, to assign and to filter.
        SeePeople = "see_people",
        /// Users, roles, teams, processes.
        ManagePeople = "manage_people",
        /// One's own mailboxes and those one keeps: their settings as far as one may, state, tests, scans.
        SeeMailboxes = "see_mailboxes",
        /// Connect a personal mailbox of one's own.
        AddMailbox = "add_mailbox",
        /// All mailboxes: connect a group's or somebody else's, say whose they are, clear them.
        ManageMailboxes = "manage_mailboxes",
        /// Settings of the whole system: how it sends, which servers inside may be named.
        ChangeSystem = "change_system",
        /// What one is told, and that one has read it.
        ReadNotifications = "read_notifications",
        /// See and retry what could not be understood.
        ManageQuarantine = "manage_quarantine",
        /// One's own language, theme, name.
        ChangeSettings = "change_settings",
        /// One's own API tokens.
        ManageTokens = "manage_tokens",
        /// The feed of changes and the live events.
        FollowChanges = "follow_changes",
    }
}

/// What a verb asks of the actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Being somebody.
    SignedIn,
    /// A mail level above no.
    Mail,
    /// A records level above no.
    Records,
    /// Both.
    MailAndRecords,
    /// A role that lets users connect mailboxes.
    OwnMailboxes,
    /// Being administrator.
    Administrator,
}

impl Needs {
    fn sentence(self) -> &'static str {
        match self {
            Needs::SignedIn => "Sign in first.",
            Needs::Mail => "Your role gives no access to mail. An administrator can change it.",
            Needs::Records => "Your role gives no access to records. An administrator can change it.",
            Needs::MailAndRecords => {
                "This needs access to mail and to records. An administrator can change your role."
            }
            Needs::OwnMailboxes => {
                "Your role does not let you connect a mailbox. An administrator can do it, or change the role."
            }
            Needs::Administrator => "Only an administrator can do this.",
        }
    }
}

impl Verb {
    /// The table.
    pub fn needs(self) -> Needs {
        match self {
            Verb::ReadMail => Needs::SignedIn,
            Verb::ChangeFolders => Needs::Mail,
            Verb::MarkRead => Needs::Mail,
            Verb::Reply => Needs::Mail,
            Verb::ReadTemplates => Needs::Mail,
            Verb::ManageTemplates => Needs::Administrator,
            Verb::NoteOnThread => Needs::Mail,
            Verb::HandThread => Needs::Mail,
            Verb::LinkThread => Needs::MailAndRecords,
            Verb::SnoozeThread => Needs::Mail,
            Verb::CreateCase => Needs::MailAndRecords,
            Verb::ReadRecords => Needs::SignedIn,
            Verb::CreateRecord => Needs::Records,
            Verb::ChangeRecord => Needs::Records,
            Verb::NoteOnRecord => Needs::Records,
            Verb::FollowRecord => Needs::Records,
            Verb::ChangeCase => Needs::Records,
            Verb::LabelThread => Needs::Mail,
            Verb::ManageLabels => Needs::Administrator,
            Verb::ManageRules => Needs::SignedIn,
            Verb::SeePeople => Needs::SignedIn,
            Verb::ManagePeople => Needs::Administrator,
            Verb::SeeMailboxes => Needs::SignedIn,
            Verb::AddMailbox => Needs::OwnMailboxes,
            Verb::ManageMailboxes => Needs::Administrator,
            Verb::ChangeSystem => Needs::Administrator,
            Verb::ReadNotifications => Needs::SignedIn,
            Verb::ManageQuarantine => Needs::Administrator,
            Verb::ChangeSettings => Needs::SignedIn,
            Verb::ManageTokens => Needs::SignedIn,
            Verb::FollowChanges => Needs::SignedIn,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(administrator: bool, mail: Level, records: Level) -> Actor {
        Actor {
            user: Some(UserId(7)),
            administrator,
            mail,
            records,
            connects_own: mail == Level::Own,
            teams: vec![TeamId(1)],
            team_mailboxes: vec![MailboxId(3)],
            own_mailboxes: vec![MailboxId(4)],
            ..Actor::machine()
        }
    }

    /// Every verb × every kind of role, as a table that is read by people: `x` may, `.` may not.
    #[test]
    fn e1_every_verb_for_every_role() {
        let roles = [
            actor(true, Level::All, Level::All),
            actor(true, Level::No, Level::No),
            actor(false, Level::All, Level::All),
            actor(false, Level::Team, Level::All),
            actor(false, Level::Own, Level::Team),
            actor(false, Level::No, Level::Own),
            actor(false, Level::Own, Level::No),
            actor(false, Level::No, Level::No),
        ];
        let mut table = String::new();
        for verb in Verb::ALL {
            let marks: String =
                roles.iter().map(|role| if role.may(*verb).is_ok() { 'x' } else { '.' }).collect();
            table.push_str(&format!("{:<18} {marks}\n", verb.word()));
        }
        expect_test::expect![[r#"
            read_mail          xxxxxxxx
            change_folders     x.xxx.x.
            mark_read          x.xxx.x.
            reply              x.xxx.x.
            read_templates     x.xxx.x.
            manage_templates   xx......
            note_on_thread     x.xxx.x.
            hand_thread        x.xxx.x.
            link_thread        x.xxx...
            snooze_thread      x.xxx.x.
            create_case        x.xxx...
            read_records       xxxxxxxx
            create_record      x.xxxx..
            change_record      x.xxxx..
            note_on_record     x.xxxx..
            follow_record      x.xxxx..
            change_case        x.xxxx..
            label_thread       x.xxx.x.
            manage_labels      xx......
            manage_rules       xxxxxxxx
            see_people         xxxxxxxx
            manage_people      xx......
            see_mailboxes      xxxxxxxx
            add_mailbox        xx..x.x.
            manage_mailboxes   xx......
            change_system      xx......
            read_notifications xxxxxxxx
            manage_quarantine  xx......
            change_settings    xxxxxxxx
            manage_tokens      xxxxxxxx
            follow_changes     xxxxxxxx
        "#]]
        .assert_eq(&table);
    }

    #[test]
    fn e2_mail_access_follows_the_level_of_the_role() {
        let access = |mail| actor(false, mail, Level::All).mail_access();
        let tokens = |list: &[&str]| Access::Tokens(list.iter().map(|t| t.to_string()).collect());
        assert_eq!(access(Level::No), tokens(&[]));
        assert_eq!(access(Level::Own), tokens(&["m4", "u7"]));
        assert_eq!(access(Level::Team), tokens(&["m3", "m4", "t1", "u7"]));
        assert_eq!(access(Level::All), Access::All);
    }

    #[test]
    fn the_machine_may_everything_but_has_no_settings() {
        let machine = Actor::machine();
        assert!(Verb::ALL.iter().all(|verb| machine.may(*verb).is_ok()));
        assert!(matches!(machine.person(), Err(Refusal::Forbidden(_))));
    }
}
