#!lua
-- KEYS: family, access token.
-- ARGV: offset, generation, previous hash, next hash, sealed key, expires, then the access token.
-- Returns whether, and the hash of the access token that was pushed out.
local now = clock()
local f = redis.call('HMGET', KEYS[1], 'gen', 'current')
if f[1] ~= ARGV[2] or f[2] ~= ARGV[3] or not live(KEYS[1], now) then return {'moved', ''} end
local gen = text(ARGV[2] + 1)
redis.call('HSET', KEYS[1], 'gen', gen, 'current', ARGV[4], 'rotated', text(now), 'key', ARGV[5], 'expires', ARGV[6])
redis.call('HDEL', KEYS[1], 'used')
expire(KEYS[1], ARGV[6] + retention)
return {'ok', mint(KEYS[1], KEYS[2], gen, 7)}
