-- Attempts to log in, as in `login.rs`.
-- KEYS: hash of the account from that place, hash of the account, hash of the address, and what
--       says that the place is known.
-- ARGV: now in ms or -1, what happened (allow, failed, succeeded), attempts a minute of an account
--       from one place, of an account and of an address, free failures, longest delay in ms, memory
--       in ms, how long a place is known in ms, whether it is known by itself (1).
-- Answers the wait in ms.
local UNIT = 60000
local event = ARGV[2]
local limits = { tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]) }
local free, delay_max, memory = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local function text(number) return string.format('%.0f', number) end

local until_known = tonumber(redis.call('GET', KEYS[4])) or 0
local counted = 3
if ARGV[10] == '1' or until_known > now then counted = 1 end

local levels = {}
for index = 1, counted do
  local stored = redis.call('HMGET', KEYS[index], 'l', 'la')
  local at = tonumber(stored[2]) or now
  levels[index] = math.max(0, (tonumber(stored[1]) or 0) - limits[index] * math.max(0, now - at))
end
local function change(units)
  for index = 1, counted do
    local level = math.max(0, levels[index] + units * UNIT)
    redis.call('HSET', KEYS[index], 'l', text(level), 'la', text(now))
    redis.call('PEXPIRE', KEYS[index], index == 1 and text(memory) or '120000')
  end
end

if event == 'allow' then
  local blocked = tonumber(redis.call('HGET', KEYS[1], 'until')) or 0
  local ms = math.max(0, blocked - now)
  for index = 1, counted do
    ms = math.max(ms, math.ceil((levels[index] + UNIT - limits[index] * UNIT) / limits[index]))
  end
  if ms > 0 then return ms end
  change(1)
elseif event == 'failed' then
  local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
  local delay = 0
  if failures > free then delay = math.min(delay_max, 1000 * 2 ^ math.min(30, failures - free - 1)) end
  redis.call('HSET', KEYS[1], 'until', text(now + delay))
  redis.call('PEXPIRE', KEYS[1], text(memory))
else
  redis.call('HDEL', KEYS[1], 'failures', 'until')
  change(-1)
  redis.call('SET', KEYS[4], text(now + tonumber(ARGV[9])), 'PX', ARGV[9])
end
return 0
