-- Changes the directory: creates a project, replacing one of the same name, or deletes one.
-- KEYS: as above, then log and head of the new project, log and head of the old one. ARGV: as above, then the new
-- version, the directory's creator, the name, the project's new entry ("" to delete it), the directory's counts, and
-- the first entry of the log.
-- Returns {"placed", now}.
if not known[1] then
  redis.call('HSET', KEYS[1], 'epoch', ARGV[4], 'made_with', ARGV[5])
end
redis.call('HSET', KEYS[1], 'version', ARGV[4], 'numbers', ARGV[8])
redis.call('RPUSH', KEYS[2], ARGV[4] .. ' ' .. ARGV[6])
redis.call('LTRIM', KEYS[2], -200, -1)
redis.call('UNLINK', KEYS[6], KEYS[7])
if ARGV[7] == '' then
  redis.call('HDEL', KEYS[1], ARGV[6])
else
  redis.call('HSET', KEYS[1], ARGV[6], ARGV[7])
  redis.call('RPUSH', KEYS[4], now .. ARGV[9])
  redis.call('HSET', KEYS[5], 'first', 0, 'cut', 0, 'bytes', #ARGV[9], 'state', 0)
  lasts(KEYS[4])
  lasts(KEYS[5])
end
lasts(KEYS[1])
lasts(KEYS[2])
return {'placed', now}
