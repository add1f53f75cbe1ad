-- Stores a user's status before a report announces it.
-- KEYS[1] rooms
-- KEYS[2] status
-- KEYS[3] seen
-- ARGV[1] status
-- ARGV[2] text       '' for none
-- ARGV[3] isOutside  1: the user is in no room of the gateway, so the status is kept for the next
--                    visit, unless a visit ends later
-- ARGV[4] keepMs     expiry without a visit
-- ARGV[5] seenKeepMs expiry of the time at which the user was last seen
-- Returns 1.
local time = redis.call('TIME')
local known = redis.call('HMGET', KEYS[2], 'version', 'status')
local version = math.max(time[1] * 1000000 + time[2], tonumber(known[1] or 0) + 1)
-- Other users see a user who becomes invisible as leaving now.
if ARGV[1] == 'invisible' and known[2] ~= 'invisible' and redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('SET', KEYS[3], string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)), 'PX', ARGV[5])
end
redis.call('HSET', KEYS[2], 'status', ARGV[1], 'text', ARGV[2], 'version', string.format('%.0f', version),
  'outside', ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 1
