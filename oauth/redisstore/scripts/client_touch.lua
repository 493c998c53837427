#!lua
-- KEYS: client. ARGV: offset, life. Returns when the client is over, 0 when it is.
local now = clock()
local expires = redis.call('HGET', KEYS[1], 'expires')
if not expires or now >= tonumber(expires) then return '0' end
redis.call('HSET', KEYS[1], 'used', text(now), 'expires', text(now + ARGV[2]))
expire(KEYS[1], now + ARGV[2])
return text(now + ARGV[2])
