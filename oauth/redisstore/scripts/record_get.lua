#!lua flags=no-writes
-- KEYS: record. ARGV: offset. Returns its fields, none when it is over.
local r = redis.call('HMGET', KEYS[1], 'value', 'version', 'expires')
if not r[3] or clock() >= tonumber(r[3]) then return {} end
return r
