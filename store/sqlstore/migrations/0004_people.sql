-- People (package identity): who belongs to which account, how they sign in, and
-- whose every key is. Text in the form of ParseEmail compares as it is stored.

CREATE TABLE person (
    id              TEXT NOT NULL PRIMARY KEY,
    email           TEXT NOT NULL UNIQUE,
    password        TEXT NOT NULL, -- argon2id in PHC form, '' for none
    first_name      TEXT NOT NULL,
    last_name       TEXT NOT NULL,
    locale          TEXT NOT NULL,
    timezone        TEXT NOT NULL,
    created_at      TEXT NOT NULL,
    disabled_at     TEXT,          -- null while enabled
    last_sign_in_at TEXT           -- null: never
) STRICT, WITHOUT ROWID;

-- Identities at OpenID Connect providers.
CREATE TABLE login (
    issuer    TEXT NOT NULL,
    subject   TEXT NOT NULL,
    person_id TEXT NOT NULL REFERENCES person (id),
    linked_at TEXT NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE member (
    account_id TEXT NOT NULL REFERENCES account (id),
    person_id  TEXT NOT NULL REFERENCES person (id),
    role       TEXT NOT NULL,
    since      TEXT NOT NULL,
    PRIMARY KEY (account_id, person_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX member_by_person ON member (person_id);

CREATE TABLE session (
    hash         BLOB NOT NULL PRIMARY KEY, -- SHA-256; the secret itself is not kept
    person_id    TEXT NOT NULL REFERENCES person (id),
    created_at   TEXT NOT NULL,
    last_used_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX session_by_person ON session (person_id, created_at);

CREATE TABLE invitation (
    hash        BLOB NOT NULL PRIMARY KEY,
    account_id  TEXT NOT NULL REFERENCES account (id),
    email       TEXT NOT NULL,
    role        TEXT NOT NULL,
    invited_by  TEXT NOT NULL,
    created_via TEXT NOT NULL, -- as in api_key
    created_at  TEXT NOT NULL,
    expires_at  TEXT NOT NULL,
    UNIQUE (account_id, email)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_event (
    seq        INTEGER PRIMARY KEY,
    at         TEXT NOT NULL,
    kind       TEXT NOT NULL,
    account_id TEXT NOT NULL, -- '' in any of these for none
    person_id  TEXT NOT NULL,
    key_id     TEXT NOT NULL,
    client     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    address    TEXT NOT NULL, -- a network, never one address
    reason     TEXT NOT NULL,
    detail     TEXT NOT NULL
) STRICT;

CREATE INDEX audit_event_by_time ON audit_event (at);

-- Revocations that came before, or without, the key that they are for.
CREATE TABLE revoked_connection (
    hash     BLOB NOT NULL PRIMARY KEY,
    until    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE account ADD COLUMN closing_at TEXT; -- null while open

-- Every key is somebody's. Those from before become the operator's own.
INSERT INTO person (id, email, password, first_name, last_name, locale, timezone, created_at)
SELECT '00000000-0000-4000-8000-00000000000a', 'owner@localhost', '', '', '', '', '', min(created_at)
FROM api_key HAVING count(*) > 0;

INSERT INTO member (account_id, person_id, role, since)
SELECT account_id, '00000000-0000-4000-8000-00000000000a', 'owner', min(created_at) FROM api_key GROUP BY account_id;

CREATE TABLE new_api_key (
    id           TEXT NOT NULL PRIMARY KEY,
    account_id   TEXT NOT NULL REFERENCES account (id),
    person_id    TEXT NOT NULL REFERENCES person (id),
    name         TEXT NOT NULL,
    role         TEXT NOT NULL,
    kind         TEXT NOT NULL,
    client_name  TEXT NOT NULL,
    created_via  TEXT NOT NULL, -- id of a connection's key, '' for none
    revocation   BLOB,          -- SHA-256 of what can delete it, null for none
    request      TEXT,          -- the creator's name for its creation, null for none
    hash         BLOB NOT NULL, -- SHA-256; the key itself is not kept
    created_at   TEXT NOT NULL,
    last_used_at TEXT           -- null: never
) STRICT, WITHOUT ROWID;

INSERT INTO new_api_key (id, account_id, person_id, name, role, kind, client_name, created_via, hash, created_at, last_used_at)
SELECT id, account_id, '00000000-0000-4000-8000-00000000000a', name, role, 'api', '', '', hash, created_at, last_used_at FROM api_key;

DROP TABLE api_key;
ALTER TABLE new_api_key RENAME TO api_key;
CREATE INDEX api_key_by_account ON api_key (account_id, created_at, id);
CREATE INDEX api_key_by_person ON api_key (person_id);
CREATE INDEX api_key_by_connection ON api_key (account_id, created_via) WHERE created_via <> '';
CREATE UNIQUE INDEX api_key_by_revocation ON api_key (revocation) WHERE revocation IS NOT NULL;
CREATE UNIQUE INDEX api_key_by_request ON api_key (account_id, person_id, request) WHERE request IS NOT NULL;
