-- Keeps the slots of calls that still run.
-- KEYS: a sorted set for each slot. ARGV: now in ms or -1, life of a slot in ms, then each call's id.
local life = tonumber(ARGV[2])
for index, calls in ipairs(KEYS) do
  redis.call('ZADD', calls, 'XX', string.format('%.0f', now + life), ARGV[2 + index])
  redis.call('PEXPIRE', calls, ARGV[2])
end
return 0
