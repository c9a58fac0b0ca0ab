-- +goose Up
-- Connector types that a team has defined. The definition is JSON.
CREATE TABLE connector_types (
  id         TEXT PRIMARY KEY,
  team_id    TEXT NOT NULL REFERENCES teams (id),
  name       TEXT NOT NULL,
  definition TEXT NOT NULL,
  version    INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  changed_at TEXT NOT NULL,
  UNIQUE (team_id, name)
) STRICT;
