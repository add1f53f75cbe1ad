-- Records rooms that a user is in. Returns the user's status.
-- KEYS[1] rooms
-- KEYS[2] status
-- ARGV[1] keepMs     expiry without further calls, in case a crash left the keys behind
-- ARGV[2] room...
-- Returns {status, text, version}, or {} if none is set.
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], 'GT', nowMs, ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
if ARGV[2] then redis.call('HDEL', KEYS[2], 'outside') end
if redis.call('PEXPIRE', KEYS[2], ARGV[1]) == 0 then return {} end
return redis.call('HMGET', KEYS[2], 'status', 'text', 'version')
