-- URLs and signing keys are kept sealed. A script has no secret to seal with:
-- what is readable stays beside until Hooks.Reseal has sealed it.

DROP INDEX hook_by_connection;
ALTER TABLE hook RENAME TO plain_hook;
ALTER TABLE integration RENAME TO plain_integration;

CREATE TABLE hook (
    account_id  TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    no          INTEGER NOT NULL, -- in order of creation
    channel     TEXT    NOT NULL,
    event       TEXT    NOT NULL,
    sealed      BLOB,             -- URL and signing keys, null where there are none
    rotated_at  TEXT,
    threshold   INTEGER NOT NULL,
    created_at  TEXT    NOT NULL,
    paused      TEXT    NOT NULL, -- why, '' unless paused
    created_via TEXT    NOT NULL, -- as in api_key
    PRIMARY KEY (account_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX hook_by_connection ON hook (account_id, created_via) WHERE created_via <> '';

CREATE TABLE integration (
    account_id TEXT NOT NULL,
    name       TEXT NOT NULL,
    settings   TEXT NOT NULL, -- JSON
    sealed     BLOB,          -- URL and signing keys, null where there are none
    PRIMARY KEY (account_id, name)
) STRICT, WITHOUT ROWID;
