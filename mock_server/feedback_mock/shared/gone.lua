-- Which of these keys are not there (any more), by their places. KEYS: the keys.
local gone = {}
for place, key in ipairs(KEYS) do
  if redis.call('EXISTS', key) == 0 then
    gone[#gone + 1] = place
  end
end
return gone
