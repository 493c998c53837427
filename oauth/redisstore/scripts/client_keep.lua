#!lua
-- KEYS: index of all clients, index of the never-used. ARGV: offset, id, expires.
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[2])
redis.call('ZREM', KEYS[2], ARGV[2])
return 'ok'
