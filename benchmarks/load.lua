-- POSTs feedback for a bounded number of events, first submissions and overwrites mixed; every status is counted.
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init(args)
  path, token, events, bad, sent = args[1], args[2], tonumber(args[3]), 0, 0
  math.randomseed(os.time()) -- so that no run repeats the events of another, whose windows may be over
  number = math.random(0, 1000000000000)
  headers = {["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. token}
end
function request()
  number = number + 1
  local id = string.format("%032x", number % events)
  local body = '{"event_id": "' .. id .. '", "name": "Jane Smith", "email": "jane@example.com", "comments": "It broke! ' .. number .. '"}'
  return wrk.format("POST", path, headers, body)
end
function response(status) if status ~= 200 then bad = bad + 1 end end
function done(summary, latency, requests)
  local wrong = 0
  for _, thread in ipairs(threads) do wrong = wrong + thread:get("bad") end
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format('RESULT {"requests": %d, "seconds": %f, "wrong": %d, "errors": %d, "p50": %f, "p99": %f}\n',
    summary.requests, summary.duration / 1e6, wrong, errors, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
