#!lua
-- KEYS: family, outbox row, due. ARGV: offset, id, reason, what to keep, stale only.
-- Returns whether, and the hashes of the family's access tokens.
local now = clock()
local f = redis.call('HMGET', KEYS[1], 'state', 'expires')
if not f[1] then return {'missing'} end
if f[1] == 'ended' or (ARGV[5] == '1' and now < tonumber(f[2])) then return {'unchanged'} end
local answer = {'ok'}
for slot = 0, max_access_tokens - 1 do
  local hash = redis.call('HGET', KEYS[1], 'token:' .. slot)
  if hash then
    answer[#answer + 1] = hash
    redis.call('HDEL', KEYS[1], 'token:' .. slot)
  end
end
redis.call('HSET', KEYS[1], 'state', 'ended', 'reason', ARGV[3], 'ended', text(now))
redis.call('HDEL', KEYS[1], 'key')
expire(KEYS[1], now + retention)
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('HSET', KEYS[2], 'attempts', '0', 'keep', ARGV[4])
  redis.call('ZADD', KEYS[3], text(now), ARGV[2])
end
return answer
