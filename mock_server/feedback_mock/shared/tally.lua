-- Adds to the counts that all processes share. Knows no rule of the contract.
-- KEYS: the counts. ARGV: lifetime in seconds, then names and what to add to each. Returns all names and counts.
for each = 2, #ARGV, 2 do
  redis.call('HINCRBY', KEYS[1], ARGV[each], ARGV[each + 1])
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return redis.call('HGETALL', KEYS[1])
