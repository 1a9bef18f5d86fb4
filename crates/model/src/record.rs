//! Kinds and states of records.

use serde::{Deserialize, Serialize};

/// Declares an enum whose variants have one fixed word each, the same in SQL, API and interface.
#[macro_export]
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),* }

        impl $name {
            /// All variants, in the order of declaration.
            pub const ALL: &'static [$name] = &[$($name::$variant),*];
            /// The variant's word in SQL, API and interface.
            pub fn word(self) -> &'static str { match self { $($name::$variant => $word),* } }
            /// The variant of this word, if there is one.
            pub fn of(word: &str) -> Option<Self> { match word { $($word => Some($name::$variant),)* _ => None } }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.word()) }
        }
    };
}

words! {
    /// What a record is.
    RecordKind {
        /// A company the CRM knows.
        Account = "account",
        /// A person, with addresses, often of an account.
        Contact = "contact",
        /// Somebody who may become a customer.
        Lead = "lead",
        /// A deal.
        Opportunity = "opportunity",
        /// Work to be finished.
        Case = "case",
    }
}

words! {
    /// Where a case stands. Snoozed is a property (`snoozed_until`), not a status.
    CaseStatus {
        /// Somebody here has to act.
        Open = "open",
        /// Somebody outside has to act.
        Waiting = "waiting",
        /// Finished; a new mail of the customer opens it again.
        Closed = "closed",
    }
}

words! {
    /// How urgent a case is.
    Priority {
        /// It can wait.
        Low = "low",
        /// As most.
        Normal = "normal",
        /// Before others.
        High = "high",
    }
}

words! {
    /// How far an opportunity has come.
    Stage {
        /// Nobody has looked into it.
        New = "new",
        /// There is something to it.
        Qualified = "qualified",
        /// They have our offer.
        Proposal = "proposal",
        /// They talk about terms.
        Negotiation = "negotiation",
        /// They bought.
        Won = "won",
        /// They did not.
        Lost = "lost",
    }
}

words! {
    /// Where a lead stands.
    LeadStatus {
        /// Nobody has looked into it.
        New = "new",
        /// Somebody talks with them.
        Contacted = "contacted",
        /// They became a contact, which has taken over.
        Converted = "converted",
        /// Nothing will come of it.
        Lost = "lost",
    }
}

words! {
    /// Who gets a new case.
    Distribution {
        /// Nobody: whoever takes it.
        None = "none",
        /// Always the same user.
        Direct = "direct",
        /// The team's members in turn.
        RoundRobin = "round_robin",
        /// Whoever has the fewest open cases.
        LeastBusy = "least_busy",
    }
}

words! {
    /// Why a message's place in its thread is not to be trusted.
    Unverified {
        /// The writer has taken no part in the thread before.
        Stranger = "stranger",
        /// The server that received it says that the sender is forged.
        AuthFail = "auth_fail",
    }
}

words! {
    /// What the server that received a message says of its sender (RFC 8601).
    Verdict {
        /// The domain of its writer's address stands behind it.
        Pass = "pass",
        /// It does not: forged, or broken on its way.
        Fail = "fail",
        /// The domain says nothing that could be checked.
        None = "none",
        /// Nobody who is believed says anything.
        Unknown = "",
    }
}

words! {
    /// Why a thread is linked to a record, from the most to the least trusted.
    LinkReason {
        /// A person said so.
        ByHand = "by_hand",
        /// A rule said so.
        Rule = "rule",
        /// It answers a mail of ours, whose Message-ID we signed.
        Token = "token",
        /// It answers a message that is linked to it.
        Reply = "reply",
        /// The thread's first mail created this case.
        CreatedCase = "created_case",
        /// The sender's address is one of the contact's.
        From = "from",
        /// A Reply-To address is one of the contact's.
        ReplyTo = "reply_to",
        /// A recipient's address is one of the contact's.
        To = "to",
        /// An address in Cc is one of the contact's.
        Cc = "cc",
        /// The account of a contact linked for another reason.
        ContactOf = "contact_of",
        /// The domain of the sender's address is the account's.
        Domain = "domain",
        /// Its number stands in the subject or the text: a suggestion, never a link of the machine's.
        Number = "number",
    }
}

impl LinkReason {
    /// How sure this reason makes the link, in percent.
    pub fn confidence(self) -> i64 {
        match self {
            LinkReason::ByHand | LinkReason::CreatedCase => 100,
            LinkReason::Rule | LinkReason::Token => 99,
            LinkReason::Reply => 97,
            LinkReason::From => 95,
            LinkReason::ReplyTo => 90,
            LinkReason::To => 85,
            LinkReason::ContactOf => 80,
            LinkReason::Cc => 75,
            LinkReason::Domain => 60,
            LinkReason::Number => 40,
        }
    }
}

words! {
    /// How far a role's holder may look, per kind of record and for mail.
    Level {
        /// Nothing.
        No = "no",
        /// What is theirs.
        Own = "own",
        /// What is their teams'.
        Team = "team",
        /// Everything.
        All = "all",
    }
}

/// A person's or list's address as written: display name and mail address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Person {
    /// Display name, decoded; empty if none.
    pub name: String,
    /// Mail address as written.
    pub address: String,
}
