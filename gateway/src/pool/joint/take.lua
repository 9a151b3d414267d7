-- Takes room for one call at one key, or nothing. The arithmetic is that of `window.rs`.
-- KEYS: a hash (requests and tokens by second) and a sorted set (the calls that run).
-- ARGV: requests a minute, tokens a minute, calls at once (-1 is unlimited), tokens of the call, life of
--       a place in ms, the call's name.
-- Answers what is full (0 nothing, 1 requests, 2 tokens, 3 places), then the second under which it
--       counts, or the wait in ms.
local SECONDS, PLACE_WAIT = 61, 150
local time = redis.call('TIME')
local second = tonumber(time[1])
local now = second * 1000 + math.floor(time[2] / 1000)
local limits = { tonumber(ARGV[1]), tonumber(ARGV[2]) }
local needs = { 1, tonumber(ARGV[4]) }
local places = tonumber(ARGV[3])
local full, wait = 0, 0

local stored, old = redis.call('HGETALL', KEYS[1]), {}
local used, counts = { 0, 0 }, { {}, {} }
for at = 1, #stored, 2 do
  local part = string.sub(stored[at], 1, 1) == 'r' and 1 or 2
  local of, count = tonumber(string.sub(stored[at], 2)), tonumber(stored[at + 1])
  if of <= second - SECONDS then
    old[#old + 1] = stored[at]
  else
    used[part] = used[part] + count
    counts[part][of] = count
  end
end
if #old > 0 then redis.call('HDEL', KEYS[1], unpack(old)) end

for part = 1, 2 do
  local limit = limits[part]
  local surplus = used[part] + math.min(needs[part], limit) - limit
  if limit >= 0 and surplus > 0 then
    local freed, ms = 0, SECONDS * 1000
    for of = second - SECONDS + 1, second do
      freed = freed + (counts[part][of] or 0)
      if freed >= surplus then
        ms = (of + SECONDS) * 1000 - now
        break
      end
    end
    if ms > wait then full, wait = part, ms end
  end
end
if places >= 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now))
  if redis.call('ZCARD', KEYS[2]) >= places and PLACE_WAIT > wait then full, wait = 3, PLACE_WAIT end
end
if full > 0 then return { full, wait } end

redis.call('HINCRBY', KEYS[1], 'r' .. time[1], 1)
redis.call('HINCRBY', KEYS[1], 't' .. time[1], ARGV[4])
redis.call('PEXPIRE', KEYS[1], 1000 * (SECONDS + 1))
if places >= 0 then
  redis.call('ZADD', KEYS[2], string.format('%.0f', now + tonumber(ARGV[5])), ARGV[6])
  redis.call('PEXPIRE', KEYS[2], ARGV[5])
end
return { 0, second }
