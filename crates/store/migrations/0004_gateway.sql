-- The gateway: kinds and rights of mailboxes, POP3, synchronised mailboxes, sign-in by token, sending, notifications.

-- Whether its holders may connect personal mailboxes of their own.
ALTER TABLE roles ADD COLUMN own_mailboxes BOOLEAN NOT NULL DEFAULT FALSE;
-- From which shared group mailboxes its holders may send: no, team or all.
ALTER TABLE roles ADD COLUMN group_mail TEXT NOT NULL DEFAULT 'no';
UPDATE roles SET own_mailboxes = TRUE, group_mail = 'all' WHERE administrator;
UPDATE roles SET group_mail = 'team' WHERE NOT administrator AND mail IN ('team', 'all');

-- The mailbox somebody writes from if they say nothing.
ALTER TABLE users ADD COLUMN default_mailbox_id BIGINT;

-- May change the mailbox without being administrator.
ALTER TABLE mailboxes ADD COLUMN keeper_id BIGINT REFERENCES users (id);
-- What is done with its folders: 'file' (read the chosen ones, file, settle) or 'synchronise' (all, both ways).
ALTER TABLE mailboxes ADD COLUMN mode TEXT NOT NULL DEFAULT 'file';
-- Its host may be connected to wherever it is ('anywhere': an administrator chose it), or only on public
-- addresses ('public').
ALTER TABLE mailboxes ADD COLUMN reach TEXT NOT NULL DEFAULT 'anywhere';
-- Whether a password may be sent without protection to another machine.
ALTER TABLE mailboxes ADD COLUMN allow_plain BOOLEAN NOT NULL DEFAULT FALSE;
-- Waits for its owner and is switched on as soon as the password is there.
ALTER TABLE mailboxes ADD COLUMN starts BOOLEAN NOT NULL DEFAULT FALSE;
-- When the first message was downloaded or synchronisation began; from then on the protocol is locked.
ALTER TABLE mailboxes ADD COLUMN begun_at BIGINT;
UPDATE mailboxes SET begun_at = (SELECT MIN(o.kept_at) FROM folders f JOIN occurrences o ON o.folder_id = f.id
  WHERE f.mailbox_id = mailboxes.id AND f.read);
-- Whether Lettercase may delete on the server at all.
ALTER TABLE mailboxes ADD COLUMN delete_on_server BOOLEAN NOT NULL DEFAULT FALSE;
-- POP3: days after keeping that a message is deleted on the server; NULL: never.
ALTER TABLE mailboxes ADD COLUMN delete_after_days BIGINT;
-- Of a group mailbox that can send: whether users may send from it, as their role says.
ALTER TABLE mailboxes ADD COLUMN shared BOOLEAN NOT NULL DEFAULT FALSE;
-- Outgoing mail; an empty host: this mailbox does not send. An empty user name: signs in as for receiving.
ALTER TABLE mailboxes ADD COLUMN smtp_host TEXT NOT NULL DEFAULT '';
ALTER TABLE mailboxes ADD COLUMN smtp_port BIGINT NOT NULL DEFAULT 0;
ALTER TABLE mailboxes ADD COLUMN smtp_tls TEXT NOT NULL DEFAULT 'implicit';
ALTER TABLE mailboxes ADD COLUMN smtp_username TEXT NOT NULL DEFAULT '';
-- Always that of this very server, also where the password is the same as for receiving.
ALTER TABLE mailboxes ADD COLUMN smtp_secret {blob};
ALTER TABLE mailboxes ADD COLUMN smtp_grant_id BIGINT;
ALTER TABLE mailboxes ADD COLUMN smtp_reach TEXT NOT NULL DEFAULT 'anywhere';
-- Signs in with this grant of an OAuth provider instead of a password.
ALTER TABLE mailboxes ADD COLUMN grant_id BIGINT;
-- Why the rounds stopped and ask: JSON; NULL: they run.
ALTER TABLE mailboxes ADD COLUMN paused TEXT;
-- Silence longer than this is an alarm; NULL: the usual one. When the alarm of the present silence was given.
ALTER TABLE mailboxes ADD COLUMN alarm_after_s BIGINT;
ALTER TABLE mailboxes ADD COLUMN alarmed_at BIGINT;

-- Whether what lies in its folders when they are first read is history: filed with its own dates, and nothing follows.
ALTER TABLE mailboxes ADD COLUMN history BOOLEAN NOT NULL DEFAULT FALSE;

-- Of synchronised mailboxes: what the server says a folder is for (RFC 6154), and where its flags stand (RFC 7162).
ALTER TABLE folders ADD COLUMN special_use TEXT;
ALTER TABLE folders ADD COLUMN highest_modseq BIGINT NOT NULL DEFAULT 0;
-- Whether the server still lists it.
ALTER TABLE folders ADD COLUMN present BOOLEAN NOT NULL DEFAULT TRUE;
-- What divides the levels of its name; NULL: it has no levels, or nobody asked the server yet.
ALTER TABLE folders ADD COLUMN delimiter TEXT;
-- After a renumbering: items up to this UID are matched with those of earlier numberings before they are new.
ALTER TABLE folders ADD COLUMN match_until BIGINT NOT NULL DEFAULT 0;
-- Somebody said "go on" to the guard: the next renumbering is read without asking.
ALTER TABLE folders ADD COLUMN unguarded BOOLEAN NOT NULL DEFAULT FALSE;
-- Items up to this UID are history: filed with their own dates, and nothing follows from them.
ALTER TABLE folders ADD COLUMN history_until BIGINT NOT NULL DEFAULT 0;

-- Flags on the server, as words in order, divided by spaces: answered deleted draft flagged seen.
ALTER TABLE occurrences ADD COLUMN flags TEXT NOT NULL DEFAULT '';
-- When it was found to have left its folder on the server; NULL: there, as far as we know.
ALTER TABLE occurrences ADD COLUMN gone_at BIGINT;
-- When somebody deleted it for good here; on the server it may stay. NULL: it is shown.
ALTER TABLE occurrences ADD COLUMN hidden_at BIGINT;
-- Why it is in quarantine, as a word; `reason` says it in English.
ALTER TABLE occurrences ADD COLUMN reason_code TEXT;
UPDATE occurrences SET reason_code = CASE WHEN reason LIKE 'it is too large%' THEN 'too_large'
  WHEN reason LIKE 'the server lists%' THEN 'withheld' WHEN reason LIKE 'its stored bytes%' THEN 'damaged'
  WHEN reason LIKE 'it could not be filed%' THEN 'not_filed' ELSE 'unreadable' END WHERE state = 'quarantined';
CREATE INDEX occurrences_refused ON occurrences (folder_id) WHERE settle = 'failed';
CREATE INDEX occurrences_by_mailbox ON occurrences (mailbox_id, id);
CREATE INDEX occurrences_present ON occurrences (folder_id, internal_at, id, flags)
  WHERE gone_at IS NULL AND hidden_at IS NULL AND state = 'filed';

-- What was moved away says so from now on: a copy found in the target is then not taken for that of another message.
UPDATE occurrences SET settle = 'moved' WHERE settle = 'done' AND folder_id IN
  (SELECT id FROM folders WHERE after_filing = 'move' AND processed_folder <> name);

-- What people asked to be done on a server, in order: flags, moves, deletions, messages to be added.
CREATE TABLE operations (
  id BIGINT PRIMARY KEY,
  mailbox_id BIGINT NOT NULL REFERENCES mailboxes (id),
  -- The folder it is about; of an addition, where it goes.
  folder_id BIGINT NOT NULL REFERENCES folders (id),
  occurrence_id BIGINT REFERENCES occurrences (id),
  -- Of a move, where it goes.
  target_id BIGINT REFERENCES folders (id),
  kind TEXT NOT NULL,
  -- JSON, by kind.
  data TEXT NOT NULL,
  -- Of an addition that is no occurrence yet: its bytes (zstd), until it is done.
  raw {blob},
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  error TEXT,
  user_id BIGINT REFERENCES users (id),
  created_at BIGINT NOT NULL,
  done_at BIGINT
);
CREATE INDEX operations_due ON operations (mailbox_id, id) WHERE state = 'due';
CREATE INDEX operations_by_occurrence ON operations (occurrence_id, kind);
CREATE INDEX operations_by_target ON operations (target_id, state);
CREATE INDEX operations_by_folder ON operations (folder_id, kind, state);

-- POP3: the unique ids a maildrop has listed and the number each was given here. Equal ids are told apart by ordinal.
CREATE TABLE uidls (
  folder_id BIGINT NOT NULL REFERENCES folders (id),
  uidvalidity BIGINT NOT NULL,
  uidl TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  uid BIGINT NOT NULL,
  PRIMARY KEY (folder_id, uidvalidity, uidl, ordinal)
);
CREATE UNIQUE INDEX uidls_by_uid ON uidls (folder_id, uidvalidity, uid);

-- Where people let us in with a token instead of a password.
CREATE TABLE providers (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  -- The well-known provider it is, as 'google'; empty: another.
  preset TEXT NOT NULL DEFAULT '',
  authorize_url TEXT NOT NULL,
  token_url TEXT NOT NULL,
  -- Empty: the provider has no device flow.
  device_url TEXT NOT NULL,
  scope TEXT NOT NULL,
  client_id TEXT NOT NULL,
  client_secret {blob},
  created_at BIGINT NOT NULL
);

-- What a provider granted; both tokens sealed.
CREATE TABLE grants (
  id BIGINT PRIMARY KEY,
  provider_id BIGINT NOT NULL REFERENCES providers (id),
  user_id BIGINT REFERENCES users (id),
  access_token {blob} NOT NULL,
  refresh_token {blob},
  expires_at BIGINT,
  refreshed_at BIGINT NOT NULL,
  -- Why the last refresh failed; NULL if it did not.
  error TEXT
);

-- Grants being asked for: the browser or another device is at the provider.
CREATE TABLE grant_requests (
  hash {blob} PRIMARY KEY,
  provider_id BIGINT NOT NULL REFERENCES providers (id),
  user_id BIGINT NOT NULL REFERENCES users (id),
  -- Sealed: the PKCE verifier, or the device code.
  secret {blob} NOT NULL,
  kind TEXT NOT NULL,
  grant_id BIGINT,
  error TEXT,
  expires_at BIGINT NOT NULL
);

-- What somebody is told in the interface.
CREATE TABLE notifications (
  id BIGINT PRIMARY KEY,
  user_id BIGINT NOT NULL REFERENCES users (id),
  kind TEXT NOT NULL,
  mailbox_id BIGINT REFERENCES mailboxes (id),
  thread_id BIGINT REFERENCES threads (id),
  record_id BIGINT REFERENCES records (id),
  -- JSON object of strings.
  data TEXT NOT NULL,
  at BIGINT NOT NULL,
  read_at BIGINT
);
CREATE INDEX notifications_by_user ON notifications (user_id, id);

-- Outgoing mail: a row for each message, one for each recipient.
CREATE TABLE outbox (
  id BIGINT PRIMARY KEY,
  -- Through which mailbox; NULL: the system's outgoing server.
  mailbox_id BIGINT REFERENCES mailboxes (id),
  envelope_from TEXT NOT NULL,
  mid TEXT NOT NULL,
  raw {blob} NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE TABLE outbox_recipients (
  outbox_id BIGINT NOT NULL REFERENCES outbox (id),
  address TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  reply TEXT,
  PRIMARY KEY (outbox_id, address)
);
CREATE INDEX outbox_recipients_due ON outbox_recipients (next_at) WHERE state = 'queued';

-- Processes that make rounds, and until when each is believed to be alive.
CREATE TABLE holders (
  name TEXT PRIMARY KEY,
  expires_at BIGINT NOT NULL
);
-- Which process makes a mailbox's rounds. Each taking has a higher epoch; another process takes over
-- when the holder's time is up.
CREATE TABLE leases (
  mailbox_id BIGINT PRIMARY KEY REFERENCES mailboxes (id),
  holder TEXT NOT NULL,
  epoch BIGINT NOT NULL
);

-- Clearing a mailbox takes bodies that nothing refers to any more, and what hangs on a message.
CREATE INDEX occurrences_by_body ON occurrences (body_id);
CREATE INDEX stream_by_message ON stream (message_id);
CREATE INDEX notifications_by_thread ON notifications (thread_id);
