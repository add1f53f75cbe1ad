-- Reads records of a room, the time of Redis, and the time of the room's next work.
-- KEYS[1] records
-- KEYS[2] due
-- KEYS[3] meta
-- ARGV[1] user...
-- Returns {nowMs, nextAt (0 for never), record...}. A missing record is ''.
local time = redis.call('TIME')
local head = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
local nextAt = tonumber(head[2]) or 0
local flushAt = tonumber(redis.call('HGET', KEYS[3], 'flushAt')) or 0
if flushAt > 0 and (nextAt == 0 or flushAt < nextAt) then nextAt = flushAt end
local answer = {time[1] * 1000 + math.floor(time[2] / 1000), nextAt}
for i = 1, #ARGV do answer[#answer + 1] = redis.call('HGET', KEYS[1], ARGV[i]) or '' end
return answer
