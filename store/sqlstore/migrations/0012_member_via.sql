-- Through which connection a member was invited. They stay when it goes; whoever
-- revokes it sees them.
ALTER TABLE member ADD COLUMN created_via TEXT NOT NULL DEFAULT ''; -- as in api_key
