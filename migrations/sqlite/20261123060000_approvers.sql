-- +goose Up

-- Who has to agree to a request, how many of them, and who has: a list as JSON.
ALTER TABLE approvals ADD COLUMN needs_role TEXT NOT NULL DEFAULT '' CHECK (needs_role IN ('', 'member', 'admin', 'owner'));
ALTER TABLE approvals ADD COLUMN needs INTEGER NOT NULL DEFAULT 1;
ALTER TABLE approvals ADD COLUMN agreed TEXT NOT NULL DEFAULT '[]';
