#!lua flags=no-writes
-- KEYS: access token, family. Returns the time and both hashes, or empty ones
-- when the token is another family's.
if redis.call('HGET', KEYS[1], 'family') ~= KEYS[2] then return {text(clock()), {}, {}} end
return {text(clock()), redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2])}
