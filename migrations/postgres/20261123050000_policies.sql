-- +goose Up

-- What a team's policies say, each in its newest version. Compiled is JSON.
CREATE TABLE policies (
  id          TEXT PRIMARY KEY,
  team_id     TEXT NOT NULL REFERENCES teams (id),
  name        TEXT NOT NULL,
  enabled     BOOLEAN NOT NULL,
  report_only BOOLEAN NOT NULL,
  priority    BIGINT NOT NULL,
  version     BIGINT NOT NULL,
  document    TEXT NOT NULL,
  compiled    TEXT NOT NULL,
  created_at  TIMESTAMPTZ NOT NULL,
  updated_at  TIMESTAMPTZ NOT NULL,
  UNIQUE (team_id, name)
);

-- How they were before, too. They outlive their policy.
CREATE TABLE policy_versions (
  policy_id   TEXT NOT NULL,
  version     BIGINT NOT NULL,
  team_id     TEXT NOT NULL REFERENCES teams (id),
  enabled     BOOLEAN NOT NULL,
  report_only BOOLEAN NOT NULL,
  priority    BIGINT NOT NULL,
  document    TEXT NOT NULL,
  author_id   TEXT NOT NULL,
  author_name TEXT NOT NULL,
  message     TEXT NOT NULL,
  reverts     BIGINT,
  created_at  TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (policy_id, version)
);

-- What policies have said about requests, and what else is known of their actions.
ALTER TABLE requests ADD COLUMN policy_id TEXT;
ALTER TABLE requests ADD COLUMN policy_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN score BIGINT NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN reported TEXT NOT NULL DEFAULT '';
ALTER TABLE requests ADD COLUMN reported_as TEXT NOT NULL DEFAULT '';
ALTER TABLE requests ADD COLUMN facts TEXT NOT NULL DEFAULT '';
ALTER TABLE requests ADD COLUMN why TEXT NOT NULL DEFAULT '';
