#!lua
-- KEYS: index of all clients, index of the never-used. ARGV: offset, id, life, limit.
-- Returns whether, and the client that has to go for it.
local now = clock()
local over = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(now), 'LIMIT', 0, 1000)
for _, id in ipairs(over) do
  redis.call('ZREM', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
end
local gone = ''
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then
  gone = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
  if not gone then return {'full', ''} end
  redis.call('ZREM', KEYS[1], gone)
  redis.call('ZREM', KEYS[2], gone)
end
redis.call('ZADD', KEYS[1], text(now + ARGV[3]), ARGV[2])
redis.call('ZADD', KEYS[2], text(now + ARGV[3]), ARGV[2])
return {'ok', gone}
