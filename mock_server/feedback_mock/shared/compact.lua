-- Replaces the entries of a log by the resulting state of the project. Knows no rule of the contract.
-- KEYS: log and head. ARGV: how many entries were processed, the instant of the last of them, lifetime in seconds, then
-- the state in pieces. Returns whether that was done: not if another process was quicker, or the log has changed.
local head = redis.call('HMGET', KEYS[2], 'first', 'cut')
local first, at = tonumber(head[1] or 0), tonumber(ARGV[1])
local last = redis.call('LINDEX', KEYS[1], at - first - 1)
if not head[1] or at <= tonumber(head[2]) or not last or string.sub(last, 1, 16) ~= ARGV[2] then
  return 0
end
local rest, state, bytes = redis.call('LRANGE', KEYS[1], at - first, -1), 0, 0
redis.call('UNLINK', KEYS[1])
for each = 4, #ARGV do
  redis.call('RPUSH', KEYS[1], ARGV[2] .. ARGV[each])
  state = state + #ARGV[each]
end
for _, each in ipairs(rest) do
  redis.call('RPUSH', KEYS[1], each)
  bytes = bytes + #each - 16
end
redis.call('HSET', KEYS[2], 'first', at - (#ARGV - 3), 'cut', at, 'bytes', bytes, 'state', state)
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[3])
return 1
