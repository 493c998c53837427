#!lua
-- KEYS: bucket. ARGV: offset, interval in microseconds, burst.
-- The bucket holds the time at which it is full again (GCRA). Returns how many
-- microseconds to wait, 0 to go ahead.
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2] + ARGV[1] * 1000
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now) + ARGV[2]
local wait = full - now - ARGV[2] * ARGV[3]
if wait > 0 then return text(wait) end
redis.call('SET', KEYS[1], text(full), 'PX', text(math.max(1, math.ceil((full - now) / 1000))))
return '0'
