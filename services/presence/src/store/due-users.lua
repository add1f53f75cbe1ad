-- Lists the users of a room whose records are due.
-- KEYS[1] due
-- ARGV[1] limit
-- Returns {user...}.
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', nowMs, 'LIMIT', 0, ARGV[1])
