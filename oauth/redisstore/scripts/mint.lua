#!lua
-- KEYS: family, access token. ARGV: offset, generation, window, then the access token.
-- Returns whether, and the hash of the access token that was pushed out.
local now = clock()
local f = redis.call('HMGET', KEYS[1], 'gen', 'rotated', 'used')
if f[1] ~= ARGV[2] or not live(KEYS[1], now) then return {'moved', ''} end
if f[3] and now - f[2] > tonumber(ARGV[3]) then return {'moved', ''} end
return {'ok', mint(KEYS[1], KEYS[2], ARGV[2], 4)}
