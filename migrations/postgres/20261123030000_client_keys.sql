-- +goose Up

-- What becomes of a key that a client brings of its own.
ALTER TABLE connectors ADD COLUMN client_key TEXT NOT NULL DEFAULT 'replace' CHECK (client_key IN ('replace', 'pass', 'require_dummy'));

-- What looks like somebody trying to get around a gateway.
ALTER TABLE requests ADD COLUMN alert TEXT NOT NULL DEFAULT '';
CREATE INDEX requests_alert ON requests (team_id, time, id) WHERE alert <> '';

-- Each sort of it once for a run and a host, however often it is tried.
CREATE TABLE alerts (
  gateway_id TEXT NOT NULL,
  run_id     TEXT NOT NULL,
  kind       TEXT NOT NULL,
  host       TEXT NOT NULL,
  team_id    TEXT NOT NULL,
  connector  TEXT NOT NULL,
  request_id TEXT NOT NULL,
  requests   BIGINT NOT NULL,
  first_at   TIMESTAMPTZ NOT NULL,
  last_at    TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (gateway_id, run_id, kind, host)
);
CREATE INDEX alerts_team ON alerts (team_id, last_at);
