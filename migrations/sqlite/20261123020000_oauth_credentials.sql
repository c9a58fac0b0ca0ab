-- +goose Up
-- Where an OAuth credential's access tokens come from, and how they stand.
-- Secrets are not here: they are in sealed, as before.
ALTER TABLE credentials ADD COLUMN oauth_grant TEXT NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN oauth_token_url TEXT NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN oauth_client_id TEXT NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN oauth_scope TEXT NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN oauth_audience TEXT NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN oauth_resource TEXT NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN oauth_client_auth TEXT NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN refresh_state TEXT NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN refresh_problem TEXT NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN refresh_failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE credentials ADD COLUMN refresh_expires_at TEXT;
ALTER TABLE credentials ADD COLUMN refresh_next_at TEXT;
ALTER TABLE credentials ADD COLUMN refresh_holder TEXT NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN refresh_held_until TEXT;
CREATE INDEX credentials_due ON credentials (refresh_next_at) WHERE refresh_next_at IS NOT NULL;
