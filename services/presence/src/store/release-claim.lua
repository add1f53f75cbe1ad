-- Releases a claimed member: sets its next time or removes it. A time set during the claim stays.
-- KEYS[1] schedule
-- ARGV[1] member
-- ARGV[2] claim
-- ARGV[3] nextAt     ms, 0 for never
-- Returns nothing.
local nextAt = tonumber(ARGV[3])
if redis.call('ZSCORE', KEYS[1], ARGV[1]) ~= ARGV[2] then
  if nextAt > 0 then redis.call('ZADD', KEYS[1], 'LT', nextAt, ARGV[1]) end
elseif nextAt > 0 then
  redis.call('ZADD', KEYS[1], nextAt, ARGV[1])
else
  redis.call('ZREM', KEYS[1], ARGV[1])
end
return 1
