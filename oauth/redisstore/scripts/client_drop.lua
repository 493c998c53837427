#!lua
-- KEYS: client. Drops it if it was never used.
if redis.call('HGET', KEYS[1], 'used') == '0' then redis.call('DEL', KEYS[1]) end
return 'ok'
