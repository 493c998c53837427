-- Work that outlives a request (package jobs).

CREATE TABLE job (
    no          INTEGER PRIMARY KEY, -- in order of creation
    id          TEXT    NOT NULL UNIQUE,
    account_id  TEXT    NOT NULL, -- '' for work of the installation
    kind        TEXT    NOT NULL,
    lane        TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    payload     TEXT    NOT NULL,
    progress    TEXT,
    attempt     INTEGER NOT NULL,
    error       TEXT    NOT NULL,
    run_at      TEXT    NOT NULL,
    lease       INTEGER NOT NULL, -- rises with every attempt
    lease_until TEXT,             -- null unless running
    abort       INTEGER NOT NULL, -- 1 when it was asked for
    created_at  TEXT    NOT NULL,
    started_at  TEXT,
    ended_at    TEXT              -- null unless ended
) STRICT;

CREATE INDEX job_queued ON job (kind, lane, run_at, no) WHERE state = 'queued';
CREATE INDEX job_running ON job (lease_until) WHERE state = 'running';
CREATE INDEX job_ended ON job (kind, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX job_by_lane ON job (account_id, lane, state, no);

CREATE TABLE schedule (
    account_id TEXT    NOT NULL,
    lane       TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    payload    TEXT    NOT NULL,
    every_s    INTEGER NOT NULL,
    next_at    TEXT    NOT NULL,
    PRIMARY KEY (account_id, lane)
) STRICT, WITHOUT ROWID;

CREATE INDEX schedule_due ON schedule (next_at);
