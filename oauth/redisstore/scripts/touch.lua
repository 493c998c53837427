#!lua
-- KEYS: family. ARGV: offset, when, from.
if redis.call('EXISTS', KEYS[1]) == 0 then return 'missing' end
local last = redis.call('HGET', KEYS[1], 'last_used')
if not last or tonumber(last) < tonumber(ARGV[2]) then
  redis.call('HSET', KEYS[1], 'last_used', ARGV[2], 'last_from', ARGV[3])
end
return 'ok'
