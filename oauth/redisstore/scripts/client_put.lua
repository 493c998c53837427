#!lua
-- KEYS: client. ARGV: offset, document, life.
if redis.call('EXISTS', KEYS[1]) == 1 then return 'exists' end
local expires = clock() + ARGV[3]
redis.call('HSET', KEYS[1], 'doc', ARGV[2], 'used', '0', 'expires', text(expires))
expire(KEYS[1], expires)
return 'ok'
