#!lua
-- KEYS: record. ARGV: offset, version, value.
local r = redis.call('HMGET', KEYS[1], 'version', 'expires')
if not r[2] or clock() >= tonumber(r[2]) then return 'missing' end
if r[1] ~= ARGV[2] then return 'moved' end
redis.call('HSET', KEYS[1], 'value', ARGV[3], 'version', text(r[1] + 1))
return 'ok'
