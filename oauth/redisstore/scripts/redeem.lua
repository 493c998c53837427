#!lua
-- KEYS: code, family, access token, due, user.
-- ARGV: offset, id, refresh hash, sealed key, expires, ends, then the access token.
local now = clock()
local c = redis.call('HMGET', KEYS[1], 'family', 'expires', 'redeemed')
if c[1] ~= ARGV[2] or now >= tonumber(c[2]) or c[3] then return 'moved' end
if not pending(KEYS[2], now) then return 'moved' end
redis.call('HSET', KEYS[1], 'redeemed', text(now))
redis.call('HDEL', KEYS[1], 'key')
expire(KEYS[1], ARGV[6] + retention)
redis.call('HSET', KEYS[2], 'state', 'live', 'gen', '0', 'current', ARGV[3], 'rotated', text(now), 'key', ARGV[4],
  'expires', ARGV[5], 'ends', ARGV[6])
expire(KEYS[2], ARGV[5] + retention)
redis.call('ZADD', KEYS[4], 'XX', ARGV[5], ARGV[2])
outlast(KEYS[5], ARGV[6] + retention)
mint(KEYS[2], KEYS[3], 0, 7)
return 'ok'
