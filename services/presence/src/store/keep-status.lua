-- Stores a user's status before a report announces it.
-- KEYS[1] status
-- ARGV[1] status
-- ARGV[2] text       '' for none
-- ARGV[3] isOutside  1: the user is in no room, so the status is kept for the next visit
-- ARGV[4] keepMs     expiry without a visit
-- Returns 1.
local time = redis.call('TIME')
local known = tonumber(redis.call('HGET', KEYS[1], 'version') or 0)
local version = math.max(time[1] * 1000000 + time[2], known + 1)
redis.call('HSET', KEYS[1], 'status', ARGV[1], 'text', ARGV[2], 'version', string.format('%.0f', version),
  'outside', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
