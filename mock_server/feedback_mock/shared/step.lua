-- Reads the new entries of a project's log, and appends to it.
-- KEYS: as above, then log and head of a project, if there is one. ARGV: as above, then how many entries of the log the
-- caller has processed, the instant of the last of them, and the entries to append.
-- Returns {"ok", now, the number of the first entry that follows, those entries, bytes of the log, bytes of its state},
-- {"ok", now} without a project, or {"gone"} if the log no longer exists. The entries begin with their instants.
if not known[1] then
  return {'all', {}}
end
lasts(KEYS[1])
lasts(KEYS[2])
if #KEYS == 3 then
  return {'ok', now}
end

local head = redis.call('HMGET', KEYS[5], 'first', 'cut', 'state')
if not head[1] or redis.call('EXISTS', KEYS[4]) == 0 then
  return {'gone'}
end
local first, at = tonumber(head[1]), tonumber(ARGV[4])
-- From the start, if the caller's entries were compacted in the meantime, or lost by a Redis that failed.
local last = at > first and redis.call('LINDEX', KEYS[4], at - first - 1)
if at < tonumber(head[2]) or (at > first and (not last or string.sub(last, 1, 16) ~= ARGV[5])) then
  at = first
end
local entries, bytes = redis.call('LRANGE', KEYS[4], at - first, -1), 0
for each = 6, #ARGV do
  redis.call('RPUSH', KEYS[4], now .. ARGV[each])
  bytes = bytes + #ARGV[each]
end
bytes = redis.call('HINCRBY', KEYS[5], 'bytes', bytes)
lasts(KEYS[4])
lasts(KEYS[5])
return {'ok', now, at, entries, bytes, tonumber(head[3])}
