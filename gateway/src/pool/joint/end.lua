-- Frees the place of one call, and corrects what was counted of it while that still counts.
-- KEYS: as in `take.lua`. ARGV: the call's name, the second under which it counts, requests and tokens to
--       add (negative: to give back).
redis.call('ZREM', KEYS[2], ARGV[1])
for part, letter in ipairs({ 'r', 't' }) do
  local field, added = letter .. ARGV[2], tonumber(ARGV[2 + part])
  local known = added ~= 0 and redis.call('HGET', KEYS[1], field)
  if known then
    local left = math.max(0, tonumber(known) + added)
    redis.call('HSET', KEYS[1], field, string.format('%.0f', left))
  end
end
return 0
