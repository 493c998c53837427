-- What is noted of the plans of accounts (package billing), one row each.

CREATE TABLE billing (
    account_id TEXT NOT NULL PRIMARY KEY REFERENCES account (id),
    doc        TEXT NOT NULL -- JSON
) STRICT, WITHOUT ROWID;
