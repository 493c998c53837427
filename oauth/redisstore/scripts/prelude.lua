-- clock returns the store's time in milliseconds: Redis's own, moved by the
-- caller's offset.
local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[1]
end

-- text writes a number in full.
local function text(n) return string.format('%.0f', n) end

-- expire lets a key go at a store time. Whether what it holds is still good is
-- decided by the times in it.
local function expire(key, at) redis.call('PEXPIREAT', key, text(at - ARGV[1])) end

-- outlast lets a key go at a store time or later.
local function outlast(key, at)
  if redis.call('PEXPIRETIME', key) < at - ARGV[1] then expire(key, at) end
end

-- pending reports whether a family waits for its code.
local function pending(family, now)
  local f = redis.call('HMGET', family, 'state', 'expires')
  return f[1] == 'pending' and now < tonumber(f[2])
end

-- live reports whether a family's tokens are good.
local function live(family, now)
  local f = redis.call('HMGET', family, 'state', 'expires', 'ends')
  return f[1] == 'live' and now < tonumber(f[2]) and now < tonumber(f[3])
end

-- mint adds an access token whose fields begin at ARGV[first], and returns the
-- hash of the one that it pushes out, or an empty string.
local function mint(family, token, gen, first)
  local hash, scope, issued, expires, key = unpack(ARGV, first, first + 4)
  local serial = redis.call('HINCRBY', family, 'minted', 1)
  local slot = 'token:' .. serial % max_access_tokens
  local out = redis.call('HGET', family, slot)
  redis.call('HSET', family, slot, hash)
  redis.call('HSET', token, 'family', family, 'gen', gen, 'serial', serial, 'scope', scope, 'issued', issued, 'expires', expires, 'key', key)
  expire(token, expires + 60000)
  return out or ''
end
