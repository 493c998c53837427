#!lua
-- KEYS: family, outbox row, due, user. ARGV: offset, life, id, grant, account, sealed.
local now = clock()
if redis.call('EXISTS', KEYS[1], KEYS[2]) > 0 then return 'exists' end
local expires = now + ARGV[2]
redis.call('HSET', KEYS[1], 'grant', ARGV[4], 'state', 'pending', 'created', text(now), 'expires', text(expires))
expire(KEYS[1], expires + retention)
redis.call('SADD', KEYS[4], ARGV[3])
outlast(KEYS[4], expires + retention)
redis.call('HSET', KEYS[2], 'account', ARGV[5], 'sealed', ARGV[6], 'attempts', '0')
redis.call('ZADD', KEYS[3], text(expires), ARGV[3])
return 'ok'
