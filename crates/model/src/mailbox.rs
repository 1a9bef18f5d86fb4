//! Kinds and states of mailboxes, folders and occurrences.

use crate::words;

words! {
    /// Whom a mailbox belongs to.
    MailboxKind {
        /// A process and its teams: helpdesk@, orders@.
        Group = "group",
        /// One person.
        Personal = "personal",
    }
}

words! {
    /// How a mailbox's mail is received.
    Protocol {
        /// IMAP4rev1 (RFC 3501) or later.
        Imap = "imap",
        /// POP3 (RFC 1939).
        Pop3 = "pop3",
    }
}

words! {
    /// What is done with a mailbox's folders.
    MailboxMode {
        /// The chosen ones are read; what was filed is moved, marked as read or left.
        File = "file",
        /// All are kept as on the server, and the server as here: flags, moves, deletions (IMAP only).
        Synchronise = "synchronise",
    }
}

words! {
    /// How a connection to a mail server is protected.
    Tls {
        /// Not at all: only to this machine itself.
        None = "none",
        /// TLS begun by a command (RFC 3207, RFC 9051 6.2.1); refused if the server does not offer it.
        StartTls = "starttls",
        /// TLS from the first byte (RFC 8314).
        Implicit = "implicit",
    }
}

words! {
    /// Which addresses a server's name may lead to.
    Reach {
        /// Every one: an administrator chose the server.
        Anywhere = "anywhere",
        /// Public ones only: somebody else chose it.
        Public = "public",
    }
}

words! {
    /// From which shared group mailboxes somebody may send.
    GroupMail {
        /// None.
        No = "no",
        /// Those of their teams.
        Team = "team",
        /// All.
        All = "all",
    }
}

words! {
    /// What is done on the server once a message is durably filed.
    AfterFiling {
        /// Move it to the processed folder.
        Move = "move",
        /// Set \Seen.
        MarkRead = "mark_read",
        /// Touch nothing.
        Leave = "leave",
    }
}

words! {
    /// Where an occurrence stands on its way from the server into the archive.
    OccurrenceState {
        /// Its bytes are durable; it waits to be filed.
        Kept = "kept",
        /// It is a message.
        Filed = "filed",
        /// A filter said not to import it.
        Filtered = "filtered",
        /// The parser or the rules gave up; the bytes and the reason are kept.
        Quarantined = "quarantined",
        /// Listed by the server, gone before it could be fetched.
        Vanished = "vanished",
        /// It was filed, and its bytes were cleared here to save room.
        Cleared = "cleared",
    }
}

words! {
    /// What remains to be done on the server for an occurrence.
    SettleState {
        /// Nothing: it was left alone, or came by import.
        None = "none",
        /// Filed; the server is to be told.
        Due = "due",
        /// The server confirmed, or the item was already gone.
        Done = "done",
        /// Given up after repeated refusals; the reason is with the occurrence.
        Failed = "failed",
    }
}

words! {
    /// Why an occurrence is in quarantine.
    QuarantineReason {
        /// It is larger than is taken: only its beginning was kept.
        TooLarge = "too_large",
        /// The parser gave up, or the program ended while it read it.
        Unreadable = "unreadable",
        /// Its stored bytes cannot be put together.
        Damaged = "damaged",
        /// The server lists it and does not give it: there are no bytes.
        Withheld = "withheld",
        /// It was read, and filing it failed.
        NotFiled = "not_filed",
    }
}
