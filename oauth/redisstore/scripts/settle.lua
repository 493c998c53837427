#!lua
-- KEYS: outbox row, due, family. ARGV: offset, id.
redis.call('ZREM', KEYS[2], ARGV[2])
if redis.call('DEL', KEYS[1]) == 1 and redis.call('EXISTS', KEYS[3]) == 1 then
  redis.call('HSET', KEYS[3], 'key_deleted', text(clock()))
end
return 'ok'
