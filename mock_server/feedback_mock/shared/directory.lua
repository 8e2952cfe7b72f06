-- The beginning of `step.lua` and `place.lua`: whether the caller knows all existing projects, and the instant.
-- Knows no rule of the contract.
-- KEYS: directory, changes, instant. ARGV: epoch and version of the caller's directory, lifetime in seconds.
-- Returns {"all", directory}, or {"some", version, names, values} with what has changed since.
local function lasts(key)
  if redis.call('TTL', key) < ARGV[3] / 2 then
    redis.call('EXPIRE', key, ARGV[3])
  end
end

local known = redis.call('HMGET', KEYS[1], 'epoch', 'version')
if (known[1] or '') ~= ARGV[1] then
  return {'all', redis.call('HGETALL', KEYS[1])}
end
if known[1] and known[2] ~= ARGV[2] then
  local changes = redis.call('LRANGE', KEYS[2], 0, -1)
  local names, at = {}, #changes
  while at > 0 and string.sub(changes[at], 1, 16) ~= ARGV[2] do
    names[#names + 1] = string.sub(changes[at], 18)
    at = at - 1
  end
  if at == 0 then
    return {'all', redis.call('HGETALL', KEYS[1])}
  end
  return {'some', known[2], names, redis.call('HMGET', KEYS[1], 'numbers', unpack(names))}
end

local time = redis.call('TIME')
local now = math.max(time[1] * 1000000 + time[2], tonumber(redis.call('GET', KEYS[3]) or 0))
now = string.format('%016.0f', now)
redis.call('SET', KEYS[3], now, 'EX', ARGV[3])
