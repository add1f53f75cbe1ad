#!lua flags=allow-oom
-- Claims rooms for a worker, those first that wait for the longest time, and extends its claims.
-- Invariant: a room has at most one claim. A claim that ended returns to the queue.
--
-- KEYS[1] dirty
-- KEYS[2] claims
-- KEYS[3] holders
-- ARGV[1] worker
-- ARGV[2] claimMs    how long a claim holds
-- ARGV[3] count      maximum number of new claims
-- ARGV[4] held       JSON list of rooms whose claims are extended
--
-- Returns {kept, new}: kept are the rooms of `held` that the worker still has; new are
-- room, since, room, since …

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local worker, ends, count = ARGV[1], now + tonumber(ARGV[2]), tonumber(ARGV[3])
local ENDED_MAX = 1000

for _, room in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, ENDED_MAX)) do
  local since = string.match(redis.call('HGET', KEYS[3], room) or '', ' (%d+)$')
  redis.call('ZADD', KEYS[1], 'LT', since or now, room)
  redis.call('ZREM', KEYS[2], room)
  redis.call('HDEL', KEYS[3], room)
end

local kept = {}
for _, room in ipairs(cjson.decode(ARGV[4])) do
  local holder = redis.call('HGET', KEYS[3], room)
  if holder and string.match(holder, '^(%S+) ') == worker then
    redis.call('ZADD', KEYS[2], ends, room)
    kept[#kept + 1] = room
  end
end

-- Another worker may have claimed rooms that were hinted again. They are few.
local new, from = {}, 0
while #new / 2 < count do
  local page = redis.call('ZRANGE', KEYS[1], from, from + count - 1, 'WITHSCORES')
  if #page == 0 then break end
  for index = 1, #page, 2 do
    if #new / 2 < count and not redis.call('ZSCORE', KEYS[2], page[index]) then
      new[#new + 1] = page[index]
      new[#new + 1] = page[index + 1]
    end
  end
  from = from + count
end
for index = 1, #new, 2 do
  redis.call('ZREM', KEYS[1], new[index])
  redis.call('ZADD', KEYS[2], ends, new[index])
  redis.call('HSET', KEYS[3], new[index], worker .. ' ' .. new[index + 1])
end
return {kept, new}
