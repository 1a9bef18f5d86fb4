-- Filing: who is trusted in a thread, suggestions, rules and filters, labels, templates, distribution, automatic
-- replies, jobs, notification settings.

-- Records -------------------------------------------------------------------------------------------

-- Of an opportunity its stage, of a lead its status; a word. NULL: neither.
ALTER TABLE records ADD COLUMN stage TEXT;
-- Of an opportunity: worth in hundredths of its currency (ISO 4217), and the day it is expected to close.
ALTER TABLE records ADD COLUMN amount BIGINT;
ALTER TABLE records ADD COLUMN currency TEXT;
ALTER TABLE records ADD COLUMN closes_on TEXT;
-- Of a converted lead: the contact it became; its account is that contact's.
ALTER TABLE records ADD COLUMN converted_into BIGINT REFERENCES records (id);
-- Of a case: out of sight until then; when an answer is due; when somebody first answered.
ALTER TABLE records ADD COLUMN snoozed_until BIGINT;
ALTER TABLE records ADD COLUMN due_at BIGINT;
ALTER TABLE records ADD COLUMN first_reply_at BIGINT;
-- Of a case: the person who wrote first. Answers to an automatic reply and reopening go by it.
ALTER TABLE records ADD COLUMN customer TEXT NOT NULL DEFAULT '';
-- Of a case: when it was noticed that an answer is overdue; NULL: it is not.
ALTER TABLE records ADD COLUMN overdue_at BIGINT;
-- Of a case: the one it continues, which was closed too long ago to be opened again.
ALTER TABLE records ADD COLUMN continues_id BIGINT REFERENCES records (id);
-- Of a case nobody could be given: how its team shares it as soon as somebody can (round_robin, least_busy); '': it is not waiting.
ALTER TABLE records ADD COLUMN waits_for TEXT NOT NULL DEFAULT '';
CREATE INDEX records_waiting ON records (team_id, id) WHERE waits_for <> '';
CREATE INDEX records_by_stage ON records (kind, stage, last_at, id) WHERE merged_into IS NULL;
CREATE INDEX records_by_assignee ON records (assignee_id, kind, status);
CREATE INDEX records_by_team ON records (team_id, kind);
CREATE INDEX records_snoozed ON records (snoozed_until) WHERE snoozed_until IS NOT NULL;
CREATE INDEX records_due ON records (due_at) WHERE due_at IS NOT NULL;

-- Further accounts of a contact; the first one is records.account_id.
CREATE TABLE record_accounts (
  record_id BIGINT NOT NULL REFERENCES records (id),
  account_id BIGINT NOT NULL REFERENCES records (id),
  PRIMARY KEY (record_id, account_id)
);
CREATE INDEX record_accounts_by_account ON record_accounts (account_id);
CREATE INDEX records_by_merged ON records (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX followers_by_user ON followers (user_id, record_id);

-- A file of records that somebody uploaded: its rows, and how far they were imported.
CREATE TABLE imports (
  id BIGINT PRIMARY KEY,
  user_id BIGINT REFERENCES users (id),
  name TEXT NOT NULL,
  -- JSON: names of the columns; what becomes of each, of which kind, and of records that are there already.
  columns TEXT NOT NULL,
  plan TEXT NOT NULL,
  total BIGINT NOT NULL,
  -- Rows before this one are done.
  next BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX imports_by_user ON imports (user_id, id);
CREATE TABLE import_rows (
  import_id BIGINT NOT NULL REFERENCES imports (id),
  position BIGINT NOT NULL,
  -- JSON: its cells, in the order of the columns.
  cells TEXT NOT NULL,
  -- created, changed, same, left, refused; '' until it was tried. Why it was refused: a code and a sentence.
  outcome TEXT NOT NULL,
  reason TEXT NOT NULL,
  record_id BIGINT,
  PRIMARY KEY (import_id, position)
);
CREATE INDEX import_rows_by_outcome ON import_rows (import_id, outcome, position);

-- Threads and messages --------------------------------------------------------------------------------

-- Of a thread without a case: who is in charge (assignee_id is there already). Filed to an area of work by hand.
ALTER TABLE threads ADD COLUMN team_id BIGINT REFERENCES teams (id);
ALTER TABLE threads ADD COLUMN process_id BIGINT REFERENCES processes (id);
ALTER TABLE threads ADD COLUMN snoozed_until BIGINT;
-- When somebody outside wrote last, when one of us did, and which user that was (NULL: not known which).
ALTER TABLE threads ADD COLUMN last_in_at BIGINT;
ALTER TABLE threads ADD COLUMN last_out_at BIGINT;
ALTER TABLE threads ADD COLUMN answered_by BIGINT REFERENCES users (id);
CREATE INDEX threads_snoozed ON threads (snoozed_until) WHERE snoozed_until IS NOT NULL;
CREATE INDEX threads_by_process ON threads (process_id, last_at, id);
CREATE INDEX threads_by_team ON threads (team_id, last_at, id);

-- The thread that its messages were taken out of by a person, or that a copy of a message was kept from for the sake
-- of its readers: the two never become one by themselves.
ALTER TABLE threads ADD COLUMN parted_from BIGINT;
CREATE INDEX threads_by_parted ON threads (parted_from) WHERE parted_from IS NOT NULL;

-- Which of us wrote it (of outgoing mail), where that is known.
ALTER TABLE messages ADD COLUMN user_id BIGINT REFERENCES users (id);
-- What the mailbox's own server says of the sender: pass, fail, none; '' where nobody trusted says anything.
ALTER TABLE messages ADD COLUMN auth TEXT NOT NULL DEFAULT '';
-- Why its place in the thread is not to be trusted: stranger, auth_fail; '': it is.
ALTER TABLE messages ADD COLUMN unverified TEXT NOT NULL DEFAULT '';
-- Which rules were tried (see rule_sets) and what they did: JSON; '' where none were.
ALTER TABLE messages ADD COLUMN trace TEXT NOT NULL DEFAULT '';
-- The message a bounce speaks of.
ALTER TABLE messages ADD COLUMN bounce_of BIGINT;
CREATE INDEX messages_by_bounce ON messages (bounce_of) WHERE bounce_of IS NOT NULL;

-- The authserv-id whose Authentication-Results are believed (RFC 8601); '': none.
ALTER TABLE mailboxes ADD COLUMN authserv_id TEXT NOT NULL DEFAULT '';

-- Links somebody may make: not sure enough to be made by the machine.
CREATE TABLE suggestions (
  id BIGINT PRIMARY KEY,
  thread_id BIGINT NOT NULL REFERENCES threads (id),
  record_id BIGINT NOT NULL REFERENCES records (id),
  message_id BIGINT REFERENCES messages (id),
  reason TEXT NOT NULL,
  detail TEXT NOT NULL,
  confidence BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  dismissed_at BIGINT,
  UNIQUE (thread_id, record_id)
);
CREATE INDEX suggestions_by_record ON suggestions (record_id);

CREATE TABLE labels (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  -- One of six muted hues, as a word.
  hue TEXT NOT NULL
);
CREATE TABLE thread_labels (
  thread_id BIGINT NOT NULL REFERENCES threads (id),
  label_id BIGINT NOT NULL REFERENCES labels (id),
  PRIMARY KEY (thread_id, label_id)
);
CREATE INDEX thread_labels_by_label ON thread_labels (label_id, thread_id);

-- Addresses that a user got or lost: threads with messages of theirs after this one wait for their tokens.
CREATE TABLE access_due (
  user_id BIGINT NOT NULL REFERENCES users (id),
  address TEXT NOT NULL,
  after_message_id BIGINT NOT NULL,
  PRIMARY KEY (user_id, address)
);

-- Rules and filters -----------------------------------------------------------------------------------

CREATE TABLE rules (
  id BIGINT PRIMARY KEY,
  -- rule or filter.
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  -- Of a rule: its mailbox, and one of its folders or all. Of a filter: NULL is global, or all of its user's mailboxes.
  mailbox_id BIGINT REFERENCES mailboxes (id),
  folder_id BIGINT REFERENCES folders (id),
  -- Whose filter it is; NULL: the administrators'.
  user_id BIGINT REFERENCES users (id),
  position BIGINT NOT NULL,
  enabled BOOLEAN NOT NULL,
  -- all or any; with no condition it matches every message.
  match TEXT NOT NULL,
  -- JSON: see model::rule.
  conditions TEXT NOT NULL,
  actions TEXT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by BIGINT REFERENCES users (id),
  -- How often it matched, and when last.
  hits BIGINT NOT NULL,
  hit_at BIGINT,
  -- Why it was switched off by itself: what it needs and was removed (user, team, process, label, template,
  -- webhook, folder), and how that was called; NULL: it was not.
  missing TEXT,
  missing_name TEXT
);
CREATE INDEX rules_by_place ON rules (mailbox_id, position);

-- What was tried on messages: lists of rules as they were, each once, so that a message names one.
CREATE TABLE rule_sets (
  id BIGINT PRIMARY KEY,
  hash {blob} NOT NULL UNIQUE,
  -- JSON: [{"id": …, "version": …, "kind": …, "name": …}]
  content TEXT NOT NULL,
  -- The day on which a message was last tried with it; those unused for longest are forgotten.
  used_at BIGINT NOT NULL
);
CREATE INDEX rule_sets_by_use ON rule_sets (used_at, id);

-- Which rule said that an occurrence is not to be imported; its state is 'filtered', its bytes stay. Of one
-- that waits to be filed: somebody wants it filed all the same, and no filter is tried on it.
ALTER TABLE occurrences ADD COLUMN rule_id BIGINT;
CREATE INDEX occurrences_filtered ON occurrences (mailbox_id, id) WHERE state = 'filtered';

-- Templates, automatic replies, jobs -------------------------------------------------------------------

CREATE TABLE templates (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE template_texts (
  template_id BIGINT NOT NULL REFERENCES templates (id),
  language TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (template_id, language)
);

-- Answers first mails with this template; NULL: does not.
ALTER TABLE mailboxes ADD COLUMN auto_reply_id BIGINT REFERENCES templates (id);
-- Every mail that a machine sent in answer, of mailboxes and rules: who is answered how often is counted here.
CREATE TABLE auto_replies (
  id BIGINT PRIMARY KEY,
  mailbox_id BIGINT NOT NULL REFERENCES mailboxes (id),
  -- Lower case.
  address TEXT NOT NULL,
  -- Counts even when the thread is no more.
  thread_id BIGINT NOT NULL,
  case_id BIGINT,
  template_id BIGINT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX auto_replies_by_address ON auto_replies (address, at);
CREATE INDEX auto_replies_by_thread ON auto_replies (thread_id);
CREATE INDEX auto_replies_by_mailbox ON auto_replies (mailbox_id, at);

-- Effects outside of the database that are due, written in the commit that decided them: webhooks.
CREATE TABLE jobs (
  id BIGINT PRIMARY KEY,
  kind TEXT NOT NULL,
  -- JSON, by kind.
  data TEXT NOT NULL,
  -- due, done, failed.
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  error TEXT,
  created_at BIGINT NOT NULL,
  done_at BIGINT
);
CREATE INDEX jobs_due ON jobs (next_at, id) WHERE state = 'due';
CREATE INDEX jobs_by_state ON jobs (state, id);

-- Distribution -------------------------------------------------------------------------------------------

-- Who gets a new case of the mailbox: none, direct, round_robin, least_busy; of direct: this user.
ALTER TABLE mailboxes ADD COLUMN distribution TEXT NOT NULL DEFAULT 'none';
ALTER TABLE mailboxes ADD COLUMN distribution_user_id BIGINT REFERENCES users (id);
-- The team that shares its cases; NULL: its first one.
ALTER TABLE mailboxes ADD COLUMN distribution_team_id BIGINT REFERENCES teams (id);
-- Minutes within which a first answer is due; NULL: no target.
ALTER TABLE mailboxes ADD COLUMN reply_within_min BIGINT;
-- A mail to a case closed for more days than this begins a new one that continues it; NULL: always opens it again.
ALTER TABLE mailboxes ADD COLUMN reopen_within_days BIGINT DEFAULT 30;
-- Of a team, as users.working_hours: targets are counted in them.
ALTER TABLE teams ADD COLUMN working_hours TEXT NOT NULL DEFAULT '';
-- The member who got the last case in turn; 0: nobody yet.
ALTER TABLE teams ADD COLUMN turn BIGINT NOT NULL DEFAULT 0;
-- Who is away, from and until when (until NULL: until further notice), and who gets their cases meanwhile.
ALTER TABLE users ADD COLUMN away_from BIGINT;
ALTER TABLE users ADD COLUMN away_until BIGINT;
ALTER TABLE users ADD COLUMN deputy_id BIGINT REFERENCES users (id);
-- Open cases they take at most; NULL: any number.
ALTER TABLE users ADD COLUMN capacity BIGINT;
-- JSON: {"zone": "Europe/Prague", "days": {"1": ["08:00", "16:30"], …}}; '': always.
ALTER TABLE users ADD COLUMN working_hours TEXT NOT NULL DEFAULT '';

-- Notifications --------------------------------------------------------------------------------------------

-- How often it happened since they last read it: several mails of one thread are one line.
ALTER TABLE notifications ADD COLUMN count BIGINT NOT NULL DEFAULT 1;
-- When a mail last told of the same.
ALTER TABLE notifications ADD COLUMN mailed_at BIGINT;

-- Where somebody wants to be told of an event; no row: as the event's default says.
CREATE TABLE notification_settings (
  user_id BIGINT NOT NULL REFERENCES users (id),
  event TEXT NOT NULL,
  app BOOLEAN NOT NULL,
  mail BOOLEAN NOT NULL,
  PRIMARY KEY (user_id, event)
);

-- What is sent ------------------------------------------------------------------------------------------

-- Of mail that stands in a thread: the message it is there.
ALTER TABLE outbox ADD COLUMN message_id BIGINT;
-- Who wrote it and gets a copy in the folder of sent mail as soon as a server has taken it; NULL: nobody, or it is
-- asked for.
ALTER TABLE outbox ADD COLUMN copy_for_id BIGINT REFERENCES users (id);
CREATE INDEX outbox_by_message ON outbox (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX outbox_recipients_in_data ON outbox_recipients (next_at) WHERE state = 'in_data';
-- Addresses that rules may report to; each has a secret that what is sent there is signed with.
CREATE TABLE webhooks (
  id BIGINT PRIMARY KEY,
  url TEXT NOT NULL UNIQUE,
  -- Sealed.
  secret {blob} NOT NULL,
  -- Whether anything is sent there.
  enabled BOOLEAN NOT NULL DEFAULT TRUE,
  created_at BIGINT NOT NULL
);
