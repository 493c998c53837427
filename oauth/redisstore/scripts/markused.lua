#!lua
-- KEYS: family. ARGV: offset, generation.
if redis.call('HGET', KEYS[1], 'gen') == ARGV[2] then redis.call('HSET', KEYS[1], 'used', '1') end
return 'ok'
