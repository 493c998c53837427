-- Times are milliseconds since 1970, 0 when there is none. keep_until says when a
-- row may go; whether something is still good is decided by the other times.

CREATE TABLE family (
    id             BLOB    NOT NULL PRIMARY KEY, -- partition, then 16 bytes
    user_id        TEXT    NOT NULL,
    user_name      TEXT    NOT NULL,
    account_id     TEXT    NOT NULL,
    account_name   TEXT    NOT NULL,
    client_id      TEXT    NOT NULL,
    client_name    TEXT    NOT NULL,
    redirect       TEXT    NOT NULL,
    role           TEXT    NOT NULL,
    read_only      INTEGER NOT NULL,
    scope          TEXT    NOT NULL,
    resource       TEXT    NOT NULL,
    key_id         TEXT    NOT NULL DEFAULT '',
    state          TEXT    NOT NULL CHECK (state IN ('pending', 'live', 'ended')),
    created_at     INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    ends_at        INTEGER NOT NULL DEFAULT 0,
    last_used_at   INTEGER NOT NULL DEFAULT 0,
    last_from      TEXT    NOT NULL DEFAULT '',
    gen            INTEGER NOT NULL DEFAULT 0,
    current        BLOB    NOT NULL DEFAULT x'', -- SHA-256 of the refresh token's secret
    rotated_at     INTEGER NOT NULL DEFAULT 0,
    used           INTEGER NOT NULL DEFAULT 0,
    minted         INTEGER NOT NULL DEFAULT 0,
    sealed_key     BLOB    NOT NULL DEFAULT x'', -- the API key under the refresh token
    reason         TEXT    NOT NULL DEFAULT '',
    ended_at       INTEGER NOT NULL DEFAULT 0,
    key_deleted_at INTEGER NOT NULL DEFAULT 0,
    keep_until     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX family_user ON family (user_id);
CREATE INDEX family_keep ON family (keep_until);

CREATE TABLE code (
    hash        BLOB    NOT NULL PRIMARY KEY, -- SHA-256 of the code's secret
    family_id   BLOB    NOT NULL REFERENCES family (id) ON DELETE CASCADE,
    challenge   TEXT    NOT NULL,
    expires_at  INTEGER NOT NULL,
    redeemed_at INTEGER NOT NULL DEFAULT 0,
    sealed_key  BLOB    NOT NULL -- the API key under the code
) STRICT, WITHOUT ROWID;

CREATE INDEX code_family ON code (family_id);

CREATE TABLE access_token (
    family_id  BLOB    NOT NULL REFERENCES family (id) ON DELETE CASCADE,
    serial     INTEGER NOT NULL,
    hash       BLOB    NOT NULL, -- SHA-256 of the token's secret
    gen        INTEGER NOT NULL,
    scope      TEXT    NOT NULL,
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    sealed_key BLOB    NOT NULL, -- the API key under the token
    PRIMARY KEY (family_id, serial)
) STRICT, WITHOUT ROWID;

-- The outbox: what deletes the API key of a family. A row may outlive its family.
CREATE TABLE revocation (
    family_id  BLOB    NOT NULL PRIMARY KEY,
    account_id TEXT    NOT NULL,
    sealed     BLOB    NOT NULL,
    due        INTEGER NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    keep       TEXT    NOT NULL DEFAULT '' -- ids of what the key created and is to stay, space separated
) STRICT, WITHOUT ROWID;

CREATE INDEX revocation_due ON revocation (due);

CREATE TABLE record (
    kind       TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    value      BLOB    NOT NULL,
    version    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX record_expires ON record (expires_at);

CREATE TABLE client (
    id         TEXT    NOT NULL PRIMARY KEY,
    doc        TEXT    NOT NULL, -- JSON
    last_used  INTEGER NOT NULL DEFAULT 0,
    keep_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX client_keep ON client (keep_until);
CREATE INDEX client_unused ON client (keep_until) WHERE last_used = 0;
