#!lua flags=no-writes
-- How far behind the archive is.
--
-- KEYS[1] dirty
-- KEYS[2] holders
--
-- Returns {rooms, ageMs}: rooms that wait or are in work, and for how long the oldest has waited.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local oldest = tonumber(redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]) or now
for _, holder in ipairs(redis.call('HVALS', KEYS[2])) do
  oldest = math.min(oldest, tonumber(string.match(holder, ' (%d+)$')) or now)
end
return {redis.call('ZCARD', KEYS[1]) + redis.call('HLEN', KEYS[2]), math.max(0, now - oldest)}
