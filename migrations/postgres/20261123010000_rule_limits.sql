-- +goose Up
-- What a rule's resource and parameters have to be, as JSON.
ALTER TABLE rules ADD COLUMN limits TEXT NOT NULL DEFAULT '{}';
