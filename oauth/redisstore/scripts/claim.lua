#!lua
-- KEYS: due. ARGV: offset, limit, lease. Returns the time and the ids.
local now = clock()
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(now), 'LIMIT', 0, ARGV[2])
for _, id in ipairs(ids) do redis.call('ZADD', KEYS[1], text(now + ARGV[3]), id) end
return {text(now), ids}
