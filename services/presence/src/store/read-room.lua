-- Returns a snapshot of a room, as of its last difference.
-- KEYS[1] shown
-- KEYS[2] meta
-- ARGV[1] largeRoomUsers  above it no user is listed
-- Returns {version (0 for an empty room), count, user...}.
local count = redis.call('HLEN', KEYS[1])
local answer = {tonumber(redis.call('HGET', KEYS[2], 'version')) or 0, count}
if count <= tonumber(ARGV[1]) then
  for _, shown in ipairs(redis.call('HVALS', KEYS[1])) do answer[#answer + 1] = shown end
end
return answer
