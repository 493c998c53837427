#!lua
-- KEYS: outbox row. ARGV: offset, sealed before, sealed now.
if redis.call('HGET', KEYS[1], 'sealed') ~= ARGV[2] then return 'moved' end
redis.call('HSET', KEYS[1], 'sealed', ARGV[3])
return 'ok'
