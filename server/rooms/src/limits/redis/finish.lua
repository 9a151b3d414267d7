-- Frees the slots of one call and corrects what it was counted with.
-- KEYS: as in `admit.lua`. ARGV: now in ms or -1, the call's id, tokens and requests to add (negative:
-- to give back), then for each scope its requests and tokens a minute; -1 is unlimited.
local UNIT = 60000
local function text(number) return string.format('%.0f', number) end

for index = 1, #KEYS / 2 do
  local hash, calls = KEYS[index * 2 - 1], KEYS[index * 2]
  redis.call('ZREM', calls, ARGV[2])
  local base = 4 + (index - 1) * 2
  local parts = {
    { 'r', 'ra', tonumber(ARGV[4]), tonumber(ARGV[base + 1]) },
    { 't', 'ta', tonumber(ARGV[3]), tonumber(ARGV[base + 2]) },
  }
  for _, part in ipairs(parts) do
    local added, limit = part[3], part[4]
    if limit >= 0 and added ~= 0 then
      local stored = redis.call('HMGET', hash, part[1], part[2])
      local at = tonumber(stored[2]) or now
      local level = math.max(0, (tonumber(stored[1]) or 0) - limit * math.max(0, now - at))
      level = math.max(0, level + added * UNIT)
      redis.call('HSET', hash, part[1], text(level), part[2], text(now))
      local reset = limit == 0 and UNIT or math.ceil(level / limit)
      -- The other part of the same hash may need longer; it never shortens its life.
      local life = redis.call('PTTL', hash)
      redis.call('PEXPIRE', hash, text(math.max(UNIT, reset, life)))
    end
  end
end
return 0
