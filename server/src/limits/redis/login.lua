-- Attempts to log in, as in `login.rs`.
-- KEYS: hash of the account, hash of the address.
-- ARGV: now in ms or -1, what happened (allow, failed, succeeded), attempts a minute of an account
--       and of an address, free failures, longest delay in ms, memory in ms.
-- Answers the wait in ms.
local UNIT = 60000
local now = tonumber(ARGV[1])
if now < 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local event = ARGV[2]
local limits = { tonumber(ARGV[3]), tonumber(ARGV[4]) }
local free, delay_max, memory = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local function text(number) return string.format('%.0f', number) end

local levels = {}
for index = 1, 2 do
  local stored = redis.call('HMGET', KEYS[index], 'l', 'la')
  local at = tonumber(stored[2]) or now
  levels[index] = math.max(0, (tonumber(stored[1]) or 0) - limits[index] * math.max(0, now - at))
end
local function change(index, units)
  local level = math.max(0, levels[index] + units * UNIT)
  redis.call('HSET', KEYS[index], 'l', text(level), 'la', text(now))
  redis.call('PEXPIRE', KEYS[index], index == 1 and text(memory) or '120000')
end

if event == 'allow' then
  local blocked = tonumber(redis.call('HGET', KEYS[1], 'until')) or 0
  local ms = math.max(0, blocked - now)
  for index = 1, 2 do
    ms = math.max(ms, math.ceil((levels[index] + UNIT - limits[index] * UNIT) / limits[index]))
  end
  if ms > 0 then return ms end
  change(1, 1)
  change(2, 1)
elseif event == 'failed' then
  local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
  local delay = 0
  if failures > free then delay = math.min(delay_max, 1000 * 2 ^ math.min(30, failures - free - 1)) end
  redis.call('HSET', KEYS[1], 'until', text(now + delay))
  redis.call('PEXPIRE', KEYS[1], text(memory))
else
  redis.call('HDEL', KEYS[1], 'failures', 'until')
  change(1, -1)
  change(2, -1)
end
return 0
