-- Up Migration

-- One row for each room that was archived. It decides between archivers: a transaction that adds
-- entries locks the row and continues from `position`.
CREATE TABLE rooms (
  room text PRIMARY KEY,
  -- The epoch of the hot log when it was last copied, and the head at which that epoch began.
  epoch text NOT NULL,
  -- Every entry from `first` to `position` is in `entries`. `first` grows with retention.
  position bigint NOT NULL,
  first bigint NOT NULL,
  -- The number of the epoch that the last deletion of the room opened. Rows of earlier epochs are
  -- gone.
  cleared integer NOT NULL DEFAULT 0,
  private boolean NOT NULL
);

-- Every entry of the room log as it was appended; without text if it is erased.
CREATE TABLE entries (
  room text NOT NULL,
  seq bigint NOT NULL,
  epoch text NOT NULL,
  -- Milliseconds of the store's clock.
  ts bigint NOT NULL,
  -- Messages up to and including this entry.
  n bigint NOT NULL,
  author text NOT NULL,
  is_message boolean NOT NULL,
  -- The seq of the message that it concerns: the changed one, or the root of a reply's thread.
  target bigint,
  -- Members of the client's JSON, as in the hot log: `"n":…,"type":…,"from":…,"clientMsgId":…`
  head text NOT NULL,
  -- `"text":…` or `"data":…`, with `,"erased":true` if it is erased
  tail text NOT NULL,
  PRIMARY KEY (room, seq)
);
CREATE INDEX entries_by_target ON entries (room, target, seq) WHERE target IS NOT NULL;
CREATE INDEX entries_by_time ON entries (room, ts);
-- For exports and erasures.
CREATE INDEX entries_by_author ON entries (author, ts, room COLLATE "C", seq);

-- The current state of each message: what later entries made of it.
CREATE TABLE messages (
  room text NOT NULL,
  seq bigint NOT NULL,
  ts bigint NOT NULL,
  author text NOT NULL,
  -- The root's seq, if it is a reply.
  thread bigint,
  -- The current tail after an edit; null if the entry's tail is current.
  tail text,
  edited_ts bigint,
  -- The seqs of the edits.
  edits bigint[] NOT NULL DEFAULT '{}',
  deleted_ts bigint,
  deleted_by text,
  -- JSON list of [emoji, count, [user ids of the first 10 who reacted]], in order of first use.
  reactions jsonb,
  replies_n integer NOT NULL DEFAULT 0,
  replies_seq bigint,
  replies_ts bigint,
  pinned boolean NOT NULL DEFAULT false,
  -- What a search finds: see `@maru/search-text`. Null if it is deleted.
  words tsvector,
  PRIMARY KEY (room, seq)
);
CREATE INDEX messages_by_time ON messages (ts DESC, room, seq DESC);
CREATE INDEX messages_by_thread ON messages (room, thread, seq) WHERE thread IS NOT NULL;
CREATE INDEX messages_by_words ON messages USING gin (words);

-- Who reacted to which message. `at` is the seq of the reaction.
CREATE TABLE reactions (
  room text NOT NULL,
  seq bigint NOT NULL,
  emoji text NOT NULL,
  user_id text NOT NULL,
  at bigint NOT NULL,
  PRIMARY KEY (room, seq, emoji, user_id)
);

-- Entries that a rollback of the hot log removed from the room. For the operator only.
CREATE TABLE set_aside (
  room text NOT NULL,
  seq bigint NOT NULL,
  epoch text NOT NULL,
  ts bigint NOT NULL,
  author text NOT NULL,
  head text NOT NULL,
  tail text NOT NULL,
  set_aside_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (room, epoch, seq)
);

-- Work of gateways that continues after a restart: erasures of users.
CREATE TABLE jobs (
  id text PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('erase')),
  user_id text NOT NULL,
  user_name text NOT NULL,
  -- It concerns what the user wrote up to this time: milliseconds of the store's clock.
  until_ts bigint NOT NULL,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done')),
  -- Where the job continues.
  progress jsonb NOT NULL DEFAULT '{}',
  -- The gateway that works on it, and until when. Another one may take it after that.
  worker text,
  leased_until timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz
);
-- One open job of a kind for each user.
CREATE UNIQUE INDEX jobs_open ON jobs (user_id, kind) WHERE state <> 'done';

-- Down Migration

DROP TABLE jobs, set_aside, reactions, messages, entries, rooms;
