#!lua
-- KEYS: record. ARGV: offset, value, life, only if there is none.
local now = clock()
local r = redis.call('HMGET', KEYS[1], 'version', 'expires')
local there = r[2] and now < tonumber(r[2])
if there and ARGV[4] == '1' then return 'exists' end
local version = there and r[1] + 1 or 1
redis.call('HSET', KEYS[1], 'value', ARGV[2], 'version', text(version), 'expires', text(now + ARGV[3]))
expire(KEYS[1], now + ARGV[3])
return 'ok'
