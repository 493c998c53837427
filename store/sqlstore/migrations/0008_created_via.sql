-- A webhook that was made with a connection's key goes with it, as keys and
-- invitations do.
ALTER TABLE hook ADD COLUMN created_via TEXT NOT NULL DEFAULT ''; -- as in api_key
CREATE INDEX hook_by_connection ON hook (account_id, created_via) WHERE created_via <> '';
