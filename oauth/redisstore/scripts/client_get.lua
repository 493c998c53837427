#!lua flags=no-writes
-- KEYS: client. ARGV: offset. Returns its document, the last use and the time.
local c = redis.call('HMGET', KEYS[1], 'doc', 'used', 'expires')
local now = clock()
if not c[3] or now >= tonumber(c[3]) then return {} end
return {c[1], c[2], text(now)}
