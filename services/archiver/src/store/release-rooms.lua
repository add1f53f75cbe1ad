#!lua flags=allow-oom
-- Ends claims of a worker. A room that was hinted in the meantime is in the queue already.
--
-- KEYS[1] dirty
-- KEYS[2] claims
-- KEYS[3] holders
-- ARGV[1] worker
-- ARGV[2] rooms      JSON list of [room, since]: since is 0 if nothing is left to do, else the room
--                    returns to the queue
--
-- Returns the number of claims that the worker had.

local released = 0
for _, one in ipairs(cjson.decode(ARGV[2])) do
  local room, since = one[1], one[2]
  local holder = redis.call('HGET', KEYS[3], room)
  if holder and string.match(holder, '^(%S+) ') == ARGV[1] then
    redis.call('ZREM', KEYS[2], room)
    redis.call('HDEL', KEYS[3], room)
    if since > 0 then redis.call('ZADD', KEYS[1], 'LT', string.format('%d', since), room) end
    released = released + 1
  end
end
return released
