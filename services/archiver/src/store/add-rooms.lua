#!lua flags=allow-oom
-- Puts rooms into the queue that wait from now on, unless they are in it.
--
-- KEYS[1] dirty
-- ARGV[1] rooms      JSON list
--
-- Returns the number of rooms that were not in the queue.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local added = 0
for _, room in ipairs(cjson.decode(ARGV[1])) do
  added = added + redis.call('ZADD', KEYS[1], 'NX', now, room)
end
return added
