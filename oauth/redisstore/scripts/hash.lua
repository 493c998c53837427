#!lua flags=no-writes
-- KEYS: any one. Returns the time and the hash.
return {text(clock()), redis.call('HGETALL', KEYS[1])}
