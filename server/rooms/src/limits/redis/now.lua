-- Begins every script. ARGV[1]: now in ms, or -1 for the time of the server.
local now = tonumber(ARGV[1])
if now < 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
