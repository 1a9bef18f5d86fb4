-- The spine: people, mailboxes, bytes, messages, threads, records, links, streams, changes, search.
-- Ids come from `counters`, in order of arrival, and are never reused. Times are microseconds UTC.

CREATE TABLE counters (
  name TEXT PRIMARY KEY,
  next BIGINT NOT NULL
);

CREATE TABLE settings (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

-- People and access ---------------------------------------------------------------------------

CREATE TABLE roles (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  administrator BOOLEAN NOT NULL,
  mail TEXT NOT NULL,
  records TEXT NOT NULL
);

CREATE TABLE users (
  id BIGINT PRIMARY KEY,
  login TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  role_id BIGINT NOT NULL REFERENCES roles (id),
  active BOOLEAN NOT NULL,
  language TEXT NOT NULL,
  theme TEXT NOT NULL,
  density TEXT NOT NULL,
  shortcuts BOOLEAN NOT NULL,
  -- Messages up to this one count as read by a new user.
  read_before BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE user_addresses (
  user_id BIGINT NOT NULL REFERENCES users (id),
  address TEXT NOT NULL,
  PRIMARY KEY (user_id, address)
);
CREATE INDEX user_addresses_by_address ON user_addresses (address);

CREATE TABLE teams (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);

CREATE TABLE team_members (
  team_id BIGINT NOT NULL REFERENCES teams (id),
  user_id BIGINT NOT NULL REFERENCES users (id),
  PRIMARY KEY (team_id, user_id)
);
CREATE INDEX team_members_by_user ON team_members (user_id);

CREATE TABLE sessions (
  hash {blob} PRIMARY KEY,
  user_id BIGINT NOT NULL REFERENCES users (id),
  csrf TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);

CREATE TABLE tokens (
  id BIGINT PRIMARY KEY,
  hash {blob} NOT NULL UNIQUE,
  user_id BIGINT NOT NULL REFERENCES users (id),
  name TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  used_at BIGINT,
  expires_at BIGINT
);

CREATE TABLE sign_in_failures (
  id BIGINT PRIMARY KEY,
  login TEXT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX sign_in_failures_by_login ON sign_in_failures (login, at);

CREATE TABLE processes (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);

-- Mailboxes and what came from them -------------------------------------------------------------

CREATE TABLE mailboxes (
  id BIGINT PRIMARY KEY,
  kind TEXT NOT NULL,
  address TEXT NOT NULL,
  name TEXT NOT NULL,
  owner_id BIGINT REFERENCES users (id),
  process_id BIGINT REFERENCES processes (id),
  protocol TEXT NOT NULL,
  host TEXT NOT NULL,
  port BIGINT NOT NULL,
  tls TEXT NOT NULL,
  username TEXT NOT NULL,
  secret {blob},
  create_cases BOOLEAN NOT NULL,
  active BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  -- State of the rounds, written by them.
  last_success_at BIGINT,
  last_error TEXT
);
CREATE INDEX mailboxes_by_address ON mailboxes (address);

CREATE TABLE mailbox_teams (
  mailbox_id BIGINT NOT NULL REFERENCES mailboxes (id),
  team_id BIGINT NOT NULL REFERENCES teams (id),
  PRIMARY KEY (mailbox_id, team_id)
);

CREATE TABLE folders (
  id BIGINT PRIMARY KEY,
  mailbox_id BIGINT NOT NULL REFERENCES mailboxes (id),
  name TEXT NOT NULL,
  -- Only folders with read = TRUE are ever selected for fetching.
  read BOOLEAN NOT NULL,
  after_filing TEXT NOT NULL,
  processed_folder TEXT,
  -- Identity of the numbering on the server (RFC 9051 2.3.1.1); 0 before the first visit.
  uidvalidity BIGINT NOT NULL,
  -- Every UID up to and including this one is an occurrence.
  cursor BIGINT NOT NULL,
  -- All UIDs the server has listed under this UIDVALIDITY, as a sequence set.
  listed TEXT NOT NULL,
  -- UIDs being taken apart right now and how often that was begun; emptied when they are kept.
  attempt TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  scanned_at BIGINT,
  UNIQUE (mailbox_id, name)
);

-- Bytes of parts, once each. coding: 0 plain, 1 zstd.
CREATE TABLE blobs (
  id BIGINT PRIMARY KEY,
  hash {blob} NOT NULL UNIQUE,
  size_bytes BIGINT NOT NULL,
  coding BIGINT NOT NULL,
  data {blob} NOT NULL
);

-- Bodies (all after the header block), once each: text between the parts, and the parts' hashes.
CREATE TABLE bodies (
  id BIGINT PRIMARY KEY,
  hash {blob} NOT NULL UNIQUE,
  size_bytes BIGINT NOT NULL,
  skeleton {blob} NOT NULL
);

CREATE TABLE body_parts (
  body_id BIGINT NOT NULL REFERENCES bodies (id),
  blob_id BIGINT NOT NULL REFERENCES blobs (id),
  PRIMARY KEY (body_id, blob_id)
);
CREATE INDEX body_parts_by_blob ON body_parts (blob_id);

CREATE TABLE threads (
  id BIGINT PRIMARY KEY,
  subject TEXT NOT NULL,
  snippet TEXT NOT NULL,
  from_name TEXT NOT NULL,
  from_address TEXT NOT NULL,
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  last_message_id BIGINT NOT NULL,
  messages BIGINT NOT NULL,
  attachments BIGINT NOT NULL,
  links BIGINT NOT NULL,
  -- The case this thread belongs to, its status and assignee again, so that views are one index walk.
  case_id BIGINT,
  case_status TEXT,
  assignee_id BIGINT,
  merged_into BIGINT
);
CREATE INDEX threads_by_last ON threads (last_at, id) WHERE merged_into IS NULL;
CREATE INDEX threads_by_status ON threads (case_status, last_at, id) WHERE merged_into IS NULL;
CREATE INDEX threads_by_assignee ON threads (assignee_id, case_status, last_at, id) WHERE merged_into IS NULL;
CREATE INDEX threads_unlinked ON threads (last_at, id) WHERE merged_into IS NULL AND links = 0;
CREATE INDEX threads_by_case ON threads (case_id);

CREATE TABLE messages (
  id BIGINT PRIMARY KEY,
  -- BLAKE3 over Message-ID and what the writer wrote; two messages never share one.
  identity {blob} NOT NULL UNIQUE,
  thread_id BIGINT NOT NULL REFERENCES threads (id),
  direction TEXT NOT NULL,
  -- Message-ID as written, without <>; '' if there is none.
  mid TEXT NOT NULL,
  in_reply_to TEXT NOT NULL,
  refs TEXT NOT NULL,
  subject TEXT NOT NULL,
  from_name TEXT NOT NULL,
  from_address TEXT NOT NULL,
  -- Date of the header where it has one, else the server's.
  sent_at BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  size_bytes BIGINT NOT NULL,
  snippet TEXT NOT NULL,
  has_html BOOLEAN NOT NULL,
  attachments BIGINT NOT NULL,
  -- JSON: {"bounce": …, "auto_reply": …, "list_id": …, "defects": […]}
  marks TEXT NOT NULL,
  -- JSON: the plan, as steps: why it was filed as it was.
  plan TEXT NOT NULL,
  filed_at BIGINT NOT NULL
);
CREATE INDEX messages_by_thread ON messages (thread_id, sent_at, id);
CREATE INDEX messages_by_mid ON messages (mid);

CREATE TABLE occurrences (
  id BIGINT PRIMARY KEY,
  mailbox_id BIGINT NOT NULL REFERENCES mailboxes (id),
  folder_id BIGINT NOT NULL REFERENCES folders (id),
  uidvalidity BIGINT NOT NULL,
  uid BIGINT NOT NULL,
  -- BLAKE3 of the whole message as the server sent it; what `verify` compares with.
  hash {blob} NOT NULL,
  size_bytes BIGINT NOT NULL,
  internal_at BIGINT NOT NULL,
  -- The header block, zstd; differs between copies of one message.
  header {blob} NOT NULL,
  body_id BIGINT REFERENCES bodies (id),
  state TEXT NOT NULL,
  reason TEXT,
  attempts BIGINT NOT NULL,
  message_id BIGINT REFERENCES messages (id),
  settle TEXT NOT NULL,
  settle_attempts BIGINT NOT NULL,
  settle_error TEXT,
  kept_at BIGINT NOT NULL,
  UNIQUE (folder_id, uidvalidity, uid)
);
CREATE INDEX occurrences_by_message ON occurrences (message_id);
CREATE INDEX occurrences_kept ON occurrences (folder_id, id) WHERE state = 'kept';
CREATE INDEX occurrences_quarantined ON occurrences (id) WHERE state = 'quarantined';
CREATE INDEX occurrences_due ON occurrences (folder_id, id) WHERE settle = 'due';
CREATE INDEX occurrences_by_state ON occurrences (folder_id, state);
CREATE INDEX occurrences_by_hash ON occurrences (folder_id, hash);

CREATE TABLE participants (
  message_id BIGINT NOT NULL REFERENCES messages (id),
  role TEXT NOT NULL,
  position BIGINT NOT NULL,
  name TEXT NOT NULL,
  -- Lower case.
  address TEXT NOT NULL,
  PRIMARY KEY (message_id, role, position)
);
CREATE INDEX participants_by_address ON participants (address, message_id);

CREATE TABLE attachments (
  message_id BIGINT NOT NULL REFERENCES messages (id),
  position BIGINT NOT NULL,
  name TEXT NOT NULL,
  content_type TEXT NOT NULL,
  content_id TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  hash {blob} NOT NULL,
  inline BOOLEAN NOT NULL,
  PRIMARY KEY (message_id, position)
);

-- Every Message-ID a thread's messages have or refer to (first 16 bytes of its BLAKE3).
CREATE TABLE thread_ids (
  mid {blob} PRIMARY KEY,
  thread_id BIGINT NOT NULL REFERENCES threads (id)
);
CREATE INDEX thread_ids_by_thread ON thread_ids (thread_id);

-- Who may see a thread without the right to see all: 'm<mailbox>' and 'u<user>'.
CREATE TABLE thread_access (
  token TEXT NOT NULL,
  thread_id BIGINT NOT NULL REFERENCES threads (id),
  last_at BIGINT NOT NULL,
  PRIMARY KEY (token, thread_id)
);
CREATE INDEX thread_access_by_last ON thread_access (token, last_at, thread_id);
CREATE INDEX thread_access_by_thread ON thread_access (thread_id);

CREATE TABLE thread_reads (
  user_id BIGINT NOT NULL REFERENCES users (id),
  thread_id BIGINT NOT NULL REFERENCES threads (id),
  -- Messages up to this one are read.
  message_id BIGINT NOT NULL,
  PRIMARY KEY (user_id, thread_id)
);

-- Records -----------------------------------------------------------------------------------------

CREATE TABLE records (
  id BIGINT PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  -- The name as it is searched: folded.
  folded TEXT NOT NULL,
  -- Of a contact, lead, opportunity: its account. Of a case: the account it concerns.
  account_id BIGINT,
  external_id TEXT,
  -- JSON: [{"label": …, "value": …}]
  fields TEXT NOT NULL,
  description TEXT NOT NULL,
  merged_into BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  -- Its newest message, 0 if none.
  last_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  -- Of cases only.
  number BIGINT UNIQUE,
  status TEXT,
  priority TEXT,
  process_id BIGINT REFERENCES processes (id),
  team_id BIGINT REFERENCES teams (id),
  assignee_id BIGINT REFERENCES users (id),
  closed_at BIGINT
);
CREATE INDEX records_by_name ON records (kind, folded, id) WHERE merged_into IS NULL;
CREATE INDEX records_by_last ON records (kind, last_at, id) WHERE merged_into IS NULL;
CREATE INDEX records_by_account ON records (account_id, kind);
CREATE UNIQUE INDEX records_by_external_id ON records (kind, external_id);
CREATE INDEX records_by_status ON records (kind, status, last_at, id) WHERE merged_into IS NULL;

CREATE TABLE record_addresses (
  record_id BIGINT NOT NULL REFERENCES records (id),
  address TEXT NOT NULL,
  PRIMARY KEY (record_id, address)
);
CREATE INDEX record_addresses_by_address ON record_addresses (address);

CREATE TABLE record_domains (
  record_id BIGINT NOT NULL REFERENCES records (id),
  domain TEXT NOT NULL,
  PRIMARY KEY (record_id, domain)
);
CREATE INDEX record_domains_by_domain ON record_domains (domain);

CREATE TABLE links (
  id BIGINT PRIMARY KEY,
  record_id BIGINT NOT NULL REFERENCES records (id),
  thread_id BIGINT NOT NULL REFERENCES threads (id),
  -- The message that made the link; NULL when a person made it.
  message_id BIGINT,
  reason TEXT NOT NULL,
  detail TEXT NOT NULL,
  confidence BIGINT NOT NULL,
  user_id BIGINT REFERENCES users (id),
  created_at BIGINT NOT NULL,
  UNIQUE (thread_id, record_id)
);
CREATE INDEX links_by_record ON links (record_id, thread_id);

CREATE TABLE followers (
  record_id BIGINT NOT NULL REFERENCES records (id),
  user_id BIGINT NOT NULL REFERENCES users (id),
  PRIMARY KEY (record_id, user_id)
);

-- What happened to a record or in a thread: messages, notes, changes.
CREATE TABLE stream (
  id BIGINT PRIMARY KEY,
  record_id BIGINT REFERENCES records (id),
  thread_id BIGINT REFERENCES threads (id),
  kind TEXT NOT NULL,
  message_id BIGINT REFERENCES messages (id),
  user_id BIGINT REFERENCES users (id),
  body TEXT NOT NULL,
  -- JSON object of strings.
  data TEXT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX stream_by_record ON stream (record_id, id);
CREATE INDEX stream_by_thread ON stream (thread_id, id);

-- The feed every door follows.
CREATE TABLE changes (
  id BIGINT PRIMARY KEY,
  kind TEXT NOT NULL,
  entity_id BIGINT NOT NULL,
  thread_id BIGINT,
  action TEXT NOT NULL,
  at BIGINT NOT NULL
);

-- Search: folded text. acl holds 'm<mailbox>', 'u<user>' and 'hasattachment'.
-- only: sqlite
CREATE VIRTUAL TABLE search USING fts5 (subject, people, body, acl, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 0');
-- end
-- only: postgres
CREATE TABLE search (
  message_id BIGINT PRIMARY KEY,
  words TSVECTOR NOT NULL
);
CREATE INDEX search_words ON search USING gin (words);
-- end
