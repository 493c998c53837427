#!lua
-- KEYS: due, outbox row. ARGV: offset, id, claimed due, next due, attempts.
local due = redis.call('ZSCORE', KEYS[1], ARGV[2])
if not due or tonumber(due) ~= tonumber(ARGV[3]) then return 'moved' end
redis.call('ZADD', KEYS[1], ARGV[4], ARGV[2])
if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('HSET', KEYS[2], 'attempts', ARGV[5]) end
return 'ok'
