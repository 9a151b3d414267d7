-- Frees the slots of one call and corrects its tokens.
-- KEYS: as in `admit.lua`. ARGV: now in ms or -1, the call's id, tokens to add (negative: to give
-- back), then for each scope its tokens a minute; -1 is unlimited.
local UNIT = 60000
local now = tonumber(ARGV[1])
if now < 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local added = tonumber(ARGV[3])
local function text(number) return string.format('%.0f', number) end

for index = 1, #KEYS / 2 do
  local hash, calls, limit = KEYS[index * 2 - 1], KEYS[index * 2], tonumber(ARGV[3 + index])
  redis.call('ZREM', calls, ARGV[2])
  if limit >= 0 and added ~= 0 then
    local stored = redis.call('HMGET', hash, 't', 'ta')
    local at = tonumber(stored[2]) or now
    local level = math.max(0, (tonumber(stored[1]) or 0) - limit * math.max(0, now - at))
    level = math.max(0, level + added * UNIT)
    redis.call('HSET', hash, 't', text(level), 'ta', text(now))
    local reset = limit == 0 and UNIT or math.ceil(level / limit)
    -- The requests of the same hash need a minute at most.
    redis.call('PEXPIRE', hash, text(math.max(UNIT, reset)))
  end
end
return 0
