-- Admits one call into all its scopes, or into none. The arithmetic is that of `meter.rs`.
-- KEYS: for each scope a hash (requests, tokens) and a sorted set (running calls).
-- ARGV: now in ms or -1, cost in tokens, life of a slot in ms, the call's id,
--       then for each scope: requests a minute, tokens a minute, concurrency; -1 is unlimited.
-- Answers: refused part (0 none, 1 requests, 2 tokens, 3 concurrency), its scope from 1, wait in
--       ms, then for each scope: requests left, their reset in ms, tokens left, their reset in ms.
local UNIT, NEVER, SLOT_WAIT = 60000, 60000, 1000
local cost, slot_life, call = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]

local function drained(level, at, limit)
  return math.max(0, (tonumber(level) or 0) - limit * math.max(0, now - (tonumber(at) or now)))
end

local function wait(level, limit, units)
  if limit == 0 then return NEVER end
  local over = level + math.min(units, limit) * UNIT - limit * UNIT
  return math.max(0, math.ceil(over / limit))
end

-- A number as digits: by itself Lua rounds to 14 of them.
local function text(number) return string.format('%.0f', number) end

local scopes, refused = {}, { 0, 0, 0 }
for index = 1, #KEYS / 2 do
  local base = 4 + (index - 1) * 3
  local scope = {
    hash = KEYS[index * 2 - 1],
    calls = KEYS[index * 2],
    limits = { tonumber(ARGV[base + 1]), tonumber(ARGV[base + 2]) },
    concurrency = tonumber(ARGV[base + 3]),
    levels = { 0, 0 },
  }
  local stored = redis.call('HMGET', scope.hash, 'r', 'ra', 't', 'ta')
  for part = 1, 2 do
    local limit = scope.limits[part]
    if limit >= 0 then
      scope.levels[part] = drained(stored[part * 2 - 1], stored[part * 2], limit)
      local ms = wait(scope.levels[part], limit, part == 1 and 1 or cost)
      if ms > refused[3] then refused = { part, index, ms } end
    end
  end
  if scope.concurrency >= 0 then
    redis.call('ZREMRANGEBYSCORE', scope.calls, '-inf', text(now))
    if redis.call('ZCARD', scope.calls) >= scope.concurrency and SLOT_WAIT > refused[3] then
      refused = { 3, index, SLOT_WAIT }
    end
  end
  scopes[index] = scope
end

local answer = { refused[1], refused[2], refused[3] }
for _, scope in ipairs(scopes) do
  local longest = NEVER
  for part = 1, 2 do
    local limit = scope.limits[part]
    local left, reset = -1, -1
    if limit >= 0 then
      if refused[1] == 0 then
        scope.levels[part] = scope.levels[part] + (part == 1 and 1 or cost) * UNIT
        local names = part == 1 and { 'r', 'ra' } or { 't', 'ta' }
        redis.call('HSET', scope.hash, names[1], text(scope.levels[part]), names[2], text(now))
      end
      left = math.max(0, math.floor((limit * UNIT - scope.levels[part]) / UNIT))
      reset = limit == 0 and NEVER or math.ceil(scope.levels[part] / limit)
      longest = math.max(longest, reset)
    end
    answer[#answer + 1] = left
    answer[#answer + 1] = reset
  end
  if refused[1] == 0 then
    redis.call('PEXPIRE', scope.hash, text(longest))
    if scope.concurrency >= 0 then
      redis.call('ZADD', scope.calls, text(now + slot_life), call)
      redis.call('PEXPIRE', scope.calls, text(slot_life))
    end
  end
end
return answer
