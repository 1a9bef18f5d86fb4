//! Rules and filters: what is asked of a message, and what is done with it.
//!
//! One shape for SQL (JSON columns of `rules`), the decision and the API. A condition is a field, a
//! test and a value; an action is a word with its own parameters.

use crate::{
    CaseStatus, Distribution, LabelId, Priority, ProcessId, RuleId, TeamId, TemplateId, UserId, words,
};
use serde::{Deserialize, Serialize};

words! {
    /// Whether it files mail, or keeps mail away.
    RuleKind {
        /// Of one mailbox, for all of its folders or one; any action.
        Rule = "rule",
        /// Skips or moves, before anything else: global, of one personal mailbox, of a person's whole inbox.
        Filter = "filter",
    }
}

words! {
    /// How many of the conditions have to hold. Without conditions each message matches.
    Matching {
        /// Each.
        All = "all",
        /// One is enough.
        Any = "any",
    }
}

words! {
    /// What a condition looks at.
    RuleField {
        /// Writers: name and address of From and Sender.
        From = "from",
        /// Name and address of To.
        To = "to",
        /// Name and address of Cc.
        Cc = "cc",
        /// To, Cc and the address it was delivered to.
        Recipient = "recipient",
        /// Name and address of Reply-To.
        ReplyTo = "reply_to",
        /// The subject, decoded.
        Subject = "subject",
        /// The text (of HTML what is read), its beginning up to a limit.
        Body = "body",
        /// A header field named by the condition, decoded.
        Header = "header",
        /// Bytes of the whole message.
        Size = "size",
        /// Names of its attachments.
        Attachment = "attachment",
        /// What its own server says of the sender: pass, fail, none.
        Auth = "auth",
        /// What kind of mail it is: person, auto_reply, bounce, list, invitation, report.
        Nature = "nature",
        /// Its language as guessed: cs, sk, pl, de, en.
        Language = "language",
    }
}

words! {
    /// How a condition compares. Text is compared folded: case and accents do not count, except by regex.
    RuleTest {
        /// It contains the value.
        Contains = "contains",
        /// It does not.
        NotContains = "not_contains",
        /// It is the value.
        Equals = "equals",
        /// It is not.
        NotEquals = "not_equals",
        /// It begins with the value.
        Begins = "begins",
        /// It ends with it.
        Ends = "ends",
        /// The regular expression matches, in linear time; case does not count unless it says `(?-i)`.
        Regex = "regex",
        /// Size: more than so many bytes.
        Over = "over",
        /// Size: fewer.
        Under = "under",
        /// There is one at all; the value is not looked at.
        Exists = "exists",
        /// There is none.
        Missing = "missing",
    }
}

/// One question about a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// What it looks at.
    pub field: RuleField,
    /// Of field `header`: the header's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub header: String,
    /// How it compares.
    pub test: RuleTest,
    /// What it compares with.
    #[serde(default)]
    pub value: String,
}

words! {
    /// Whose address decides.
    Side {
        /// The writer's.
        From = "from",
        /// The recipients'.
        To = "to",
    }
}

/// Where the parts of a record come from in a web form's mail: the label before the value in the text
/// ("E-mail", "Jméno"), or `@from`, `@reply_to`, `@subject`, `@body`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FormMapping {
    /// The record's name; several are joined with a blank (first name, last name).
    pub name: Vec<String>,
    /// Its mail address.
    pub address: String,
    /// The name of its company, which becomes or is found as its account; empty: none.
    pub account: String,
    /// Fields: what it is called in the record, and where it comes from.
    pub fields: Vec<(String, String)>,
}

/// Who is to act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "snake_case", deny_unknown_fields)]
pub enum Assignment {
    /// One user.
    User {
        /// Who.
        user: UserId,
    },
    /// A team: one of its members as `by` says, with `none` the team as a whole.
    Team {
        /// Which.
        team: TeamId,
        /// How one of them is chosen.
        by: Distribution,
    },
}

/// What a rule does with a message that matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Make a case of it, unless its thread has one: subject → name, text → description.
    CreateCase {
        /// Its process; without one the mailbox's.
        #[serde(default)]
        process: Option<ProcessId>,
        /// Its team; without one the mailbox's.
        #[serde(default)]
        team: Option<TeamId>,
        /// How urgent it is; without one normal.
        #[serde(default)]
        priority: Option<Priority>,
    },
    /// Change the case it belongs to: its thread's, else the one whose number it bears.
    UpdateCase {
        /// Its new status.
        #[serde(default)]
        status: Option<CaseStatus>,
        /// Its new urgency.
        #[serde(default)]
        priority: Option<Priority>,
    },
    /// Link it to the contact with the writer's or a recipient's address.
    LinkContact {
        /// Whose.
        by: Side,
    },
    /// Link it to the account of the writer's or a recipient's address or domain.
    LinkAccount {
        /// Whose.
        by: Side,
    },
    /// Make a contact of a web form's mail, or find it by its address, and link it.
    CreateContact {
        /// Where its parts are.
        mapping: FormMapping,
    },
    /// Make a lead of it.
    CreateLead {
        /// Where its parts are.
        mapping: FormMapping,
    },
    /// Nobody's unread mail; with \Seen on the server where the mailbox is synchronised.
    MarkRead,
    /// Give the case (or the thread, where it has none) to somebody.
    Assign {
        /// To whom.
        assignment: Assignment,
    },
    /// Put a label on the thread.
    Label {
        /// Which.
        label: LabelId,
    },
    /// Answer with a template, as automatic replies are: never to machines, and not too often.
    Reply {
        /// Which.
        template: TemplateId,
    },
    /// Tell another system over HTTPS.
    Webhook {
        /// Where.
        url: String,
    },
    /// Do not import it. The occurrence is counted as skipped, its bytes stay.
    Skip,
    /// Move it to this folder on its server once it is filed (IMAP).
    Move {
        /// The folder's name.
        folder: String,
    },
    /// Try no further rules.
    Stop,
}

words! {
    /// What a rule may need that can be taken away.
    RuleNeed {
        /// A user who is active.
        User = "user",
        /// A team.
        Team = "team",
        /// A process.
        Process = "process",
        /// A label.
        Label = "label",
        /// A template.
        Template = "template",
        /// A webhook.
        Webhook = "webhook",
        /// The one folder it is for.
        Folder = "folder",
    }
}

/// Why a rule was switched off by itself: what it needs is no longer there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What it was.
    pub what: RuleNeed,
    /// What it was called.
    pub name: String,
}

/// A rule as it was when it was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriedRule {
    /// Which.
    pub id: RuleId,
    /// Its version then.
    pub version: i64,
    /// Rule or filter.
    pub kind: RuleKind,
    /// Its name then.
    pub name: String,
    /// Whose filter it is; others are not shown it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
}

/// A rule that matched, on what, and what it did: for people to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// Its place among the rules that were tried.
    pub tried: usize,
    /// The conditions that held, with what of the message they held on (cut).
    pub on: Vec<(Condition, String)>,
    /// The actions, as they were, each with its outcome's word and detail.
    pub did: Vec<Done>,
}

/// What became of an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The action.
    pub action: Action,
    /// `done`, or why it was not done, as a word: `has_case`, `no_contact`, `is_machine`, …
    pub result: String,
    /// What it speaks of: a number, a name, an address; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}
