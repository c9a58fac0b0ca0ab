-- +goose Up
-- People.
CREATE TABLE users (
  id            TEXT PRIMARY KEY,
  email         TEXT NOT NULL UNIQUE,
  name          TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  created_at    TIMESTAMPTZ NOT NULL,
  disabled_at   TIMESTAMPTZ
);
CREATE TABLE teams (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  revision   BIGINT NOT NULL,
  data_key   BYTEA NOT NULL,
  created_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE memberships (
  team_id    TEXT NOT NULL REFERENCES teams (id),
  user_id    TEXT NOT NULL REFERENCES users (id),
  role       TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (team_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id);
CREATE TABLE sessions (
  id           TEXT PRIMARY KEY,
  user_id      TEXT NOT NULL REFERENCES users (id),
  team_id      TEXT NOT NULL REFERENCES teams (id),
  user_agent   TEXT NOT NULL,
  ip           TEXT NOT NULL,
  created_at   TIMESTAMPTZ NOT NULL,
  last_seen_at TIMESTAMPTZ NOT NULL,
  expires_at   TIMESTAMPTZ NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE TABLE tokens (
  id           TEXT PRIMARY KEY,
  user_id      TEXT NOT NULL REFERENCES users (id),
  team_id      TEXT NOT NULL REFERENCES teams (id),
  name         TEXT NOT NULL,
  hash         TEXT NOT NULL UNIQUE,
  hint         TEXT NOT NULL,
  created_at   TIMESTAMPTZ NOT NULL,
  expires_at   TIMESTAMPTZ NOT NULL,
  last_used_at TIMESTAMPTZ,
  revoked_at   TIMESTAMPTZ
);
CREATE INDEX tokens_user ON tokens (user_id);
CREATE TABLE logins (
  id             TEXT PRIMARY KEY,
  kind           TEXT NOT NULL,
  client         TEXT NOT NULL,
  client_ip      TEXT NOT NULL,
  words          TEXT NOT NULL,
  redirect_uri   TEXT NOT NULL,
  state          TEXT NOT NULL,
  challenge      TEXT NOT NULL,
  user_code      TEXT UNIQUE,
  device_hash    TEXT UNIQUE,
  code_hash      TEXT UNIQUE,
  status         TEXT NOT NULL CHECK (status IN ('pending', 'approved', 'denied', 'used')),
  user_id        TEXT,
  team_id        TEXT,
  attempts       BIGINT NOT NULL,
  poll_seconds   BIGINT NOT NULL,
  last_polled_at TIMESTAMPTZ,
  created_at     TIMESTAMPTZ NOT NULL,
  expires_at     TIMESTAMPTZ NOT NULL
);

-- One-time links: set-up of a fresh server, sign-in links for the demo.
CREATE TABLE links (
  hash       TEXT PRIMARY KEY,
  kind       TEXT NOT NULL,
  user_id    TEXT,
  created_at TIMESTAMPTZ NOT NULL,
  expires_at TIMESTAMPTZ NOT NULL,
  used_at    TIMESTAMPTZ
);

-- Gateways and what is configured for each.
CREATE TABLE gateways (
  id            TEXT PRIMARY KEY,
  team_id       TEXT NOT NULL REFERENCES teams (id),
  name          TEXT NOT NULL,
  environment   TEXT NOT NULL,
  enforcement   TEXT NOT NULL CHECK (enforcement IN ('full_enforce', 'soft_enforce', 'monitor')),
  status        TEXT NOT NULL CHECK (status IN ('active', 'revoked')),
  seal_key      BYTEA,
  version       TEXT NOT NULL,
  snapshot_ack  BIGINT NOT NULL,
  cert_expires  TIMESTAMPTZ,
  enrolled_at   TIMESTAMPTZ,
  last_seen_at  TIMESTAMPTZ,
  first_seen_at TIMESTAMPTZ,
  created_at    TIMESTAMPTZ NOT NULL,
  UNIQUE (team_id, name)
);
CREATE TABLE credentials (
  id           TEXT PRIMARY KEY,
  team_id      TEXT NOT NULL REFERENCES teams (id),
  name         TEXT NOT NULL,
  type         TEXT NOT NULL,
  hosts        TEXT NOT NULL,
  version      BIGINT NOT NULL,
  sealed       BYTEA NOT NULL,
  fingerprint  TEXT NOT NULL,
  created_at   TIMESTAMPTZ NOT NULL,
  rotated_at   TIMESTAMPTZ NOT NULL,
  last_used_at TIMESTAMPTZ,
  UNIQUE (team_id, name)
);
CREATE TABLE connectors (
  id            TEXT PRIMARY KEY,
  gateway_id    TEXT NOT NULL REFERENCES gateways (id),
  type          TEXT NOT NULL,
  name          TEXT NOT NULL,
  hosts         TEXT NOT NULL,
  private       TEXT NOT NULL,
  auth_kind     TEXT NOT NULL,
  auth_name     TEXT NOT NULL,
  credential_id TEXT REFERENCES credentials (id),
  position      BIGINT NOT NULL,
  UNIQUE (gateway_id, name)
);
CREATE TABLE rules (
  id           TEXT PRIMARY KEY,
  gateway_id   TEXT NOT NULL REFERENCES gateways (id),
  connector_id TEXT NOT NULL REFERENCES connectors (id),
  pattern      TEXT NOT NULL,
  class        TEXT NOT NULL,
  effect       TEXT NOT NULL CHECK (effect IN ('allow', 'deny', 'require_approval')),
  hold_ms      BIGINT NOT NULL,
  ttl_ms       BIGINT NOT NULL,
  reason       TEXT NOT NULL,
  preset       TEXT NOT NULL,
  position     BIGINT NOT NULL
);
CREATE INDEX rules_gateway ON rules (gateway_id);
CREATE TABLE kills (
  id         TEXT PRIMARY KEY,
  team_id    TEXT NOT NULL REFERENCES teams (id),
  gateway_id TEXT REFERENCES gateways (id),
  connector  TEXT,
  reason     TEXT NOT NULL,
  pulled_by  TEXT NOT NULL,
  pulled_at  TIMESTAMPTZ NOT NULL,
  lifted_by  TEXT,
  lifted_at  TIMESTAMPTZ
);
CREATE INDEX kills_on ON kills (team_id) WHERE lifted_at IS NULL;

-- Approvals.
CREATE TABLE approvals (
  id           TEXT PRIMARY KEY,
  team_id      TEXT NOT NULL REFERENCES teams (id),
  gateway_id   TEXT NOT NULL REFERENCES gateways (id),
  gateway_name TEXT NOT NULL,
  fingerprint  TEXT NOT NULL,
  run_id       TEXT NOT NULL,
  principal    TEXT NOT NULL,
  rule_id      TEXT NOT NULL,
  reason       TEXT NOT NULL,
  action       TEXT NOT NULL,
  sentence     TEXT NOT NULL,
  method       TEXT NOT NULL,
  url          TEXT NOT NULL,
  body_digest  TEXT NOT NULL,
  body_size    BIGINT NOT NULL,
  status       TEXT NOT NULL CHECK (status IN ('pending', 'approved', 'denied', 'expired', 'cancelled', 'executed', 'unused')),
  created_at   TIMESTAMPTZ NOT NULL,
  expires_at   TIMESTAMPTZ NOT NULL,
  ttl          BIGINT NOT NULL,
  decided_by   TEXT,
  decider_name TEXT,
  channel      TEXT,
  note         TEXT,
  decided_at   TIMESTAMPTZ,
  ended_at     TIMESTAMPTZ,
  upstream     BIGINT,
  seq          BIGINT NOT NULL
);
-- A request meets the approval that is there for it: at most one is open.
CREATE UNIQUE INDEX approvals_open ON approvals (gateway_id, fingerprint) WHERE status IN ('pending', 'approved');
-- An agent that repeats what was denied meets the denial for a while.
CREATE INDEX approvals_denied ON approvals (gateway_id, fingerprint) WHERE status = 'denied';
CREATE INDEX approvals_team ON approvals (team_id, created_at, id);
CREATE INDEX approvals_due ON approvals (expires_at) WHERE status IN ('pending', 'approved');

-- What people and the server did: a chain for each team.
CREATE TABLE events (
  team_id  TEXT NOT NULL,
  seq      BIGINT NOT NULL,
  time     TIMESTAMPTZ NOT NULL,
  type     TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  target   TEXT NOT NULL,
  gateway  TEXT NOT NULL,
  entry    BYTEA NOT NULL,
  prev     TEXT NOT NULL,
  hash     TEXT NOT NULL,
  PRIMARY KEY (team_id, seq)
);

-- What agents did: a chain for each gateway, and its requests as pages see them.
CREATE TABLE traffic (
  gateway_id TEXT NOT NULL,
  seq        BIGINT NOT NULL,
  team_id    TEXT NOT NULL,
  time       TIMESTAMPTZ NOT NULL,
  entry      BYTEA NOT NULL,
  hash       TEXT NOT NULL,
  PRIMARY KEY (gateway_id, seq)
);
CREATE TABLE requests (
  id          TEXT PRIMARY KEY,
  team_id     TEXT NOT NULL,
  gateway_id  TEXT NOT NULL,
  seq         BIGINT NOT NULL,
  time        TIMESTAMPTZ NOT NULL,
  run_id      TEXT NOT NULL,
  method      TEXT NOT NULL,
  scheme      TEXT NOT NULL,
  host        TEXT NOT NULL,
  path        TEXT NOT NULL,
  query       TEXT NOT NULL,
  connector   TEXT NOT NULL,
  action      TEXT NOT NULL,
  class       TEXT NOT NULL,
  risk        TEXT NOT NULL,
  resource    TEXT NOT NULL,
  decision    TEXT NOT NULL,
  would       TEXT NOT NULL,
  decided_by  TEXT NOT NULL,
  rule_id     TEXT NOT NULL,
  reason      TEXT NOT NULL,
  code        TEXT NOT NULL,
  approval_id TEXT,
  credential  TEXT,
  snapshot    BIGINT NOT NULL,
  step        TEXT NOT NULL,
  status      BIGINT NOT NULL,
  sent        BIGINT NOT NULL,
  received    BIGINT NOT NULL,
  error       TEXT NOT NULL,
  decide_us   BIGINT NOT NULL,
  held_ms     BIGINT NOT NULL,
  upstream_ms BIGINT NOT NULL,
  total_ms    BIGINT NOT NULL
);
CREATE INDEX requests_time ON requests (team_id, time, id);
CREATE INDEX requests_gateway ON requests (team_id, gateway_id, time, id);
CREATE INDEX requests_decision ON requests (team_id, decision, time, id);
CREATE INDEX requests_action ON requests (team_id, action, time, id);
CREATE INDEX requests_host ON requests (team_id, host, time, id);
CREATE INDEX requests_approval ON requests (approval_id) WHERE approval_id IS NOT NULL;

-- The certificate authority. Private keys are sealed by the master key.
CREATE TABLE ca_keys (
  name       TEXT PRIMARY KEY,
  sealed     BYTEA NOT NULL,
  public     BYTEA NOT NULL,
  created_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE ca_certificates (
  serial       TEXT PRIMARY KEY,
  team_id      TEXT NOT NULL,
  gateway_id   TEXT NOT NULL,
  der          BYTEA NOT NULL,
  not_before   TIMESTAMPTZ NOT NULL,
  not_after    TIMESTAMPTZ NOT NULL,
  renewed_from TEXT,
  created_at   TIMESTAMPTZ NOT NULL
);
CREATE INDEX ca_certificates_gateway ON ca_certificates (gateway_id);
CREATE TABLE ca_revocations (
  serial     TEXT PRIMARY KEY,
  reason     TEXT NOT NULL,
  revoked_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE ca_tokens (
  id         TEXT PRIMARY KEY,
  gateway_id TEXT NOT NULL,
  used_at    TIMESTAMPTZ NOT NULL,
  expires_at TIMESTAMPTZ NOT NULL
);
