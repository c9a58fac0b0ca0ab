-- +goose Up

-- Who may agree to a request, beyond their role, and what is known of it for
-- people: see domain/approval.
ALTER TABLE approvals ADD COLUMN needs_group TEXT NOT NULL DEFAULT '';
ALTER TABLE approvals ADD COLUMN not_self INTEGER NOT NULL DEFAULT 0;
ALTER TABLE approvals ADD COLUMN step_up INTEGER NOT NULL DEFAULT 0;
ALTER TABLE approvals ADD COLUMN repeat_until TEXT;
ALTER TABLE approvals ADD COLUMN repeats TEXT;
ALTER TABLE approvals ADD COLUMN auth TEXT;
ALTER TABLE approvals ADD COLUMN environment TEXT NOT NULL DEFAULT '';
ALTER TABLE approvals ADD COLUMN connector TEXT NOT NULL DEFAULT '';
ALTER TABLE approvals ADD COLUMN action_name TEXT NOT NULL DEFAULT '';
ALTER TABLE approvals ADD COLUMN resource TEXT NOT NULL DEFAULT '';
ALTER TABLE approvals ADD COLUMN risk TEXT NOT NULL DEFAULT '';
ALTER TABLE approvals ADD COLUMN body_type TEXT NOT NULL DEFAULT '';
ALTER TABLE approvals ADD COLUMN body_coding TEXT NOT NULL DEFAULT '';
-- What the same gateway has asked before, and what waits.
CREATE INDEX approvals_alike ON approvals (gateway_id, action_name, created_at);
CREATE INDEX approvals_waiting ON approvals (team_id, created_at, id) WHERE status = 'pending';
-- A request that was approved for a while meets that.
CREATE INDEX approvals_repeat ON approvals (gateway_id, fingerprint) WHERE repeat_until IS NOT NULL;

-- The first bytes of a held request's body, sealed, as long as its approval is
-- open.
CREATE TABLE approval_bodies (
  approval_id TEXT PRIMARY KEY REFERENCES approvals (id),
  team_id     TEXT NOT NULL REFERENCES teams (id),
  sealed      BLOB NOT NULL,
  whole       INTEGER NOT NULL
) STRICT;

-- Named groups of people, for rules that ask for one.
CREATE TABLE approver_groups (
  id         TEXT PRIMARY KEY,
  team_id    TEXT NOT NULL REFERENCES teams (id),
  name       TEXT NOT NULL,
  created_at TEXT NOT NULL,
  UNIQUE (team_id, name)
) STRICT;
CREATE TABLE approver_group_members (
  group_id TEXT NOT NULL REFERENCES approver_groups (id),
  user_id  TEXT NOT NULL REFERENCES users (id),
  PRIMARY KEY (group_id, user_id)
) STRICT;

-- Whoever had the gateway's enrolment made last: its runs are theirs.
ALTER TABLE gateways ADD COLUMN enrolled_by TEXT REFERENCES users (id);
-- Who has to agree where an access rule asks, as JSON.
ALTER TABLE rules ADD COLUMN approvers TEXT NOT NULL DEFAULT '{}';
-- When whoever is signed in last proved who they are.
ALTER TABLE sessions ADD COLUMN confirmed_at TEXT;

-- Where a team is told what happens, and from where it answers. Settings are
-- JSON by kind; secrets are sealed and bound to team, id and version.
CREATE TABLE integrations (
  id            TEXT PRIMARY KEY,
  team_id       TEXT NOT NULL REFERENCES teams (id),
  kind          TEXT NOT NULL CHECK (kind IN ('slack', 'webhook', 'email', 'inbound')),
  name          TEXT NOT NULL,
  settings      TEXT NOT NULL,
  sealed        BLOB,
  version       INTEGER NOT NULL,
  enabled       INTEGER NOT NULL,
  problem       TEXT NOT NULL DEFAULT '',
  refused       INTEGER NOT NULL DEFAULT 0,
  last_ok_at    TEXT,
  last_error_at TEXT,
  last_error    TEXT NOT NULL DEFAULT '',
  created_by    TEXT NOT NULL,
  created_at    TEXT NOT NULL,
  UNIQUE (team_id, kind, name)
) STRICT;

-- What has to be told to the outside. Of the items of one lane one is under
-- way at a time, oldest first.
CREATE TABLE outbox (
  id            TEXT PRIMARY KEY,
  team_id       TEXT NOT NULL REFERENCES teams (id),
  kind          TEXT NOT NULL,
  lane          TEXT NOT NULL,
  integration   TEXT NOT NULL DEFAULT '',
  ref           TEXT NOT NULL DEFAULT '',
  target        TEXT NOT NULL DEFAULT '',
  payload       BLOB,
  attempts      INTEGER NOT NULL DEFAULT 0,
  created_at    TEXT NOT NULL,
  due_at        TEXT NOT NULL,
  claimed_until TEXT,
  done_at       TEXT,
  failed        INTEGER NOT NULL DEFAULT 0,
  answer        INTEGER NOT NULL DEFAULT 0,
  error         TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX outbox_due ON outbox (due_at, created_at) WHERE done_at IS NULL;
CREATE INDEX outbox_lane ON outbox (lane, created_at, id) WHERE done_at IS NULL;
CREATE INDEX outbox_integration ON outbox (integration, created_at, id);
CREATE INDEX outbox_done ON outbox (done_at) WHERE done_at IS NOT NULL;

-- Where an approval's card stands in Slack, and which state of it is shown.
CREATE TABLE slack_messages (
  approval_id TEXT NOT NULL REFERENCES approvals (id),
  channel     TEXT NOT NULL,
  team_id     TEXT NOT NULL REFERENCES teams (id),
  ts          TEXT NOT NULL,
  seq         INTEGER NOT NULL,
  PRIMARY KEY (approval_id, channel)
) STRICT;
CREATE TABLE slack_people (
  team_id    TEXT NOT NULL REFERENCES teams (id),
  workspace  TEXT NOT NULL,
  slack_user TEXT NOT NULL,
  user_id    TEXT NOT NULL REFERENCES users (id),
  name       TEXT NOT NULL,
  linked_at  TEXT NOT NULL,
  PRIMARY KEY (team_id, workspace, slack_user)
) STRICT;
CREATE INDEX slack_people_user ON slack_people (user_id);
CREATE TABLE slack_codes (
  hash       TEXT PRIMARY KEY,
  team_id    TEXT NOT NULL REFERENCES teams (id),
  user_id    TEXT NOT NULL REFERENCES users (id),
  expires_at TEXT NOT NULL
) STRICT;

-- Signed messages that came in, so that none counts twice.
CREATE TABLE seen_messages (
  integration TEXT NOT NULL REFERENCES integrations (id),
  nonce       TEXT NOT NULL,
  at          TEXT NOT NULL,
  PRIMARY KEY (integration, nonce)
) STRICT;
CREATE INDEX seen_messages_at ON seen_messages (at);
