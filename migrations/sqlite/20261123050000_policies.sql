-- +goose Up

-- What a team's policies say, each in its newest version. Compiled is JSON.
CREATE TABLE policies (
  id          TEXT PRIMARY KEY,
  team_id     TEXT NOT NULL REFERENCES teams (id),
  name        TEXT NOT NULL,
  enabled     INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  report_only INTEGER NOT NULL CHECK (report_only IN (0, 1)),
  priority    INTEGER NOT NULL,
  version     INTEGER NOT NULL,
  document    TEXT NOT NULL,
  compiled    TEXT NOT NULL,
  created_at  TEXT NOT NULL,
  updated_at  TEXT NOT NULL,
  UNIQUE (team_id, name)
) STRICT;

-- How they were before, too. They outlive their policy.
CREATE TABLE policy_versions (
  policy_id   TEXT NOT NULL,
  version     INTEGER NOT NULL,
  team_id     TEXT NOT NULL REFERENCES teams (id),
  enabled     INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  report_only INTEGER NOT NULL CHECK (report_only IN (0, 1)),
  priority    INTEGER NOT NULL,
  document    TEXT NOT NULL,
  author_id   TEXT NOT NULL,
  author_name TEXT NOT NULL,
  message     TEXT NOT NULL,
  reverts     INTEGER,
  created_at  TEXT NOT NULL,
  PRIMARY KEY (policy_id, version)
) STRICT;

-- What policies have said about requests, and what else is known of their actions.
ALTER TABLE requests ADD COLUMN policy_id TEXT;
ALTER TABLE requests ADD COLUMN policy_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN score INTEGER NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN reported TEXT NOT NULL DEFAULT '';
ALTER TABLE requests ADD COLUMN reported_as TEXT NOT NULL DEFAULT '';
ALTER TABLE requests ADD COLUMN facts TEXT NOT NULL DEFAULT '';
ALTER TABLE requests ADD COLUMN why TEXT NOT NULL DEFAULT '';
