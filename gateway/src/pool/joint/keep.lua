-- Keeps the places of calls that run, also those that began while nobody could count them.
-- KEYS: the set of each. ARGV: life of a place in ms, then the name of each.
local time = redis.call('TIME')
local until_ms = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[1])
for at, calls in ipairs(KEYS) do
  redis.call('ZADD', calls, string.format('%.0f', until_ms), ARGV[at + 1])
  redis.call('PEXPIRE', calls, ARGV[1])
end
return 0
