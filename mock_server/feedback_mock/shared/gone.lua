-- Which of these keys do not exist (any more), by position. KEYS: the keys.
local gone = {}
for place, key in ipairs(KEYS) do
  if redis.call('EXISTS', key) == 0 then
    gone[#gone + 1] = place
  end
end
return gone
