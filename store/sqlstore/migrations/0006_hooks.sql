-- Who is told of what happens (package notify). Deliveries are jobs.

CREATE TABLE hook (
    account_id TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    no         INTEGER NOT NULL, -- in order of creation
    channel    TEXT    NOT NULL,
    event      TEXT    NOT NULL,
    url        TEXT    NOT NULL,
    keys       TEXT    NOT NULL, -- JSON list, the newest first
    rotated_at TEXT,
    threshold  INTEGER NOT NULL,
    created_at TEXT    NOT NULL,
    paused     TEXT    NOT NULL, -- why, '' unless paused
    PRIMARY KEY (account_id, id)
) STRICT, WITHOUT ROWID;

-- Days whose movements have been told (analytics.Watch).
CREATE TABLE told_through (
    account_id TEXT NOT NULL PRIMARY KEY,
    day        TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE integration (
    account_id TEXT NOT NULL,
    name       TEXT NOT NULL,
    settings   TEXT NOT NULL, -- JSON
    PRIMARY KEY (account_id, name)
) STRICT, WITHOUT ROWID;
