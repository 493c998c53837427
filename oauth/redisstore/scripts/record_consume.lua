#!lua
-- KEYS: record. ARGV: offset. Returns its fields, none when it is over.
local r = redis.call('HMGET', KEYS[1], 'value', 'version', 'expires')
redis.call('DEL', KEYS[1])
if not r[3] or clock() >= tonumber(r[3]) then return {} end
return r
