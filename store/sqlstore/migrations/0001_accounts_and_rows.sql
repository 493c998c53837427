-- Times are text such as 2026-01-31T12:00:00.000Z: readable, and in order when
-- sorted as text.

-- Who may do what (package identity).

CREATE TABLE account (
    id         TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX account_by_name ON account (name, created_at);

CREATE TABLE api_key (
    id           TEXT NOT NULL PRIMARY KEY,
    account_id   TEXT NOT NULL REFERENCES account (id),
    name         TEXT NOT NULL,
    role         TEXT NOT NULL,
    hash         BLOB NOT NULL, -- SHA-256; the key itself is not kept
    created_at   TEXT NOT NULL,
    last_used_at TEXT           -- null: never
) STRICT, WITHOUT ROWID;

CREATE INDEX api_key_by_account ON api_key (account_id, created_at, id);

-- What accounts have pushed (package analytics). The tables are alike: doc is
-- the row as JSON, seq its number within account and table. They are clustered
-- by (account_no, seq), so that a push appends and a load reads in order, and
-- have no other index: the program finds rows by id in memory. The views below
-- show them with names instead of numbers.

CREATE TABLE account_version (
    account_no INTEGER PRIMARY KEY,
    account_id TEXT    NOT NULL UNIQUE,
    version    INTEGER NOT NULL -- rises with every commit of the account
) STRICT;

CREATE TABLE settings (
    account_no INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    source     INTEGER NOT NULL,
    owner      INTEGER NOT NULL,
    id         TEXT    NOT NULL,
    doc        TEXT    NOT NULL,
    PRIMARY KEY (account_no, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE source (
    account_no INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    source     INTEGER NOT NULL,
    owner      INTEGER NOT NULL,
    id         TEXT    NOT NULL,
    doc        TEXT    NOT NULL,
    PRIMARY KEY (account_no, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE plan (
    account_no INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    source     INTEGER NOT NULL, -- source.seq
    owner      INTEGER NOT NULL,
    id         TEXT    NOT NULL,
    doc        TEXT    NOT NULL,
    PRIMARY KEY (account_no, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE plan_group (
    account_no INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    source     INTEGER NOT NULL,
    owner      INTEGER NOT NULL,
    id         TEXT    NOT NULL,
    doc        TEXT    NOT NULL,
    PRIMARY KEY (account_no, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE customer (
    account_no INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    source     INTEGER NOT NULL, -- source.seq
    owner      INTEGER NOT NULL,
    id         TEXT    NOT NULL,
    doc        TEXT    NOT NULL,
    PRIMARY KEY (account_no, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE invoice (
    account_no INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    source     INTEGER NOT NULL, -- source.seq
    owner      INTEGER NOT NULL, -- customer.seq
    id         TEXT    NOT NULL,
    doc        TEXT    NOT NULL,
    PRIMARY KEY (account_no, seq)
) STRICT, WITHOUT ROWID;

CREATE VIEW readable_plan AS
SELECT v.account_id AS account, s.id AS source, r.id, r.doc
FROM plan r
JOIN account_version v ON v.account_no = r.account_no
LEFT JOIN source s ON s.account_no = r.account_no AND s.seq = r.source;

CREATE VIEW readable_customer AS
SELECT v.account_id AS account, s.id AS source, r.id, r.doc
FROM customer r
JOIN account_version v ON v.account_no = r.account_no
LEFT JOIN source s ON s.account_no = r.account_no AND s.seq = r.source;

CREATE VIEW readable_invoice AS
SELECT v.account_id AS account, s.id AS source, c.id AS customer, r.id, r.doc
FROM invoice r
JOIN account_version v ON v.account_no = r.account_no
LEFT JOIN source s ON s.account_no = r.account_no AND s.seq = r.source
LEFT JOIN customer c ON c.account_no = r.account_no AND c.seq = r.owner;

-- Exchange rates (package analytics/fx): one unit of base costs value units of
-- quote on day. They belong to the installation, not to an account.

CREATE TABLE fx_rate (
    day   TEXT NOT NULL, -- YYYY-MM-DD
    base  TEXT NOT NULL,
    quote TEXT NOT NULL,
    value TEXT NOT NULL, -- a decimal number
    PRIMARY KEY (day, base, quote)
) STRICT, WITHOUT ROWID;

CREATE TABLE fx_version (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    version  INTEGER NOT NULL -- rises with every import
) STRICT;

INSERT INTO fx_version (only_row, version) VALUES (1, 0);
