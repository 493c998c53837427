#!lua
-- KEYS: code, family, due. ARGV: offset, life, grace, id, challenge, sealed key, key id.
local now = clock()
if redis.call('EXISTS', KEYS[1]) == 1 then return 'exists' end
if not pending(KEYS[2], now) then return 'moved' end
local expires = now + ARGV[2]
local last = expires + ARGV[3]
redis.call('HSET', KEYS[1], 'family', ARGV[4], 'challenge', ARGV[5], 'expires', text(expires), 'key', ARGV[6])
expire(KEYS[1], last + retention)
redis.call('HSET', KEYS[2], 'key_id', ARGV[7], 'expires', text(last))
expire(KEYS[2], last + retention)
redis.call('ZADD', KEYS[3], 'XX', text(last), ARGV[4])
return 'ok'
