#!lua
-- KEYS: family, outbox row, due, user. ARGV: offset, life, id, grant, account, sealed.
local now = clock()
if redis.call('EXISTS', KEYS[1]) == 0 then
  local expires = now + ARGV[2]
  redis.call('HSET', KEYS[1], 'grant', ARGV[4], 'state', 'pending', 'created', text(now), 'expires', text(expires))
  expire(KEYS[1], expires + retention)
  redis.call('SADD', KEYS[4], ARGV[3])
  outlast(KEYS[4], expires + retention)
  if redis.call('EXISTS', KEYS[2]) == 0 then
    redis.call('HSET', KEYS[2], 'account', ARGV[5], 'sealed', ARGV[6], 'attempts', '0', 'keep', '0')
    redis.call('ZADD', KEYS[3], text(expires), ARGV[3])
  end
end
return {redis.call('HGETALL', KEYS[1]), redis.call('HGET', KEYS[2], 'sealed') or ''}
