-- Segments (package analytics): filters under a name. A table of rows like the
-- others of an account.

CREATE TABLE segment (
    account_no INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    source     INTEGER NOT NULL,
    owner      INTEGER NOT NULL,
    id         TEXT    NOT NULL,
    doc        TEXT    NOT NULL,
    PRIMARY KEY (account_no, seq)
) STRICT, WITHOUT ROWID;
