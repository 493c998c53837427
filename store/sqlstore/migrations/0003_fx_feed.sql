-- How the daily feed of exchange rates (package fxfeed) is doing.

CREATE TABLE fx_feed (
    only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
    checked_at INTEGER NOT NULL, -- Unix seconds of the last attempt
    failed_for TEXT NOT NULL,    -- why it failed, '' when it did not
    latest     TEXT              -- YYYY-MM-DD of the newest rates, NULL before the first success
) STRICT;
