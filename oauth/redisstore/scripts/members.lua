#!lua flags=no-writes
-- KEYS: a user's families. Returns the time and the set.
return {text(clock()), redis.call('SMEMBERS', KEYS[1])}
