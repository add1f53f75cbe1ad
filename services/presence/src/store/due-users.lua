-- Lists the users of a room whose records are due.
-- KEYS[1] due
-- ARGV[1] limit
-- ARGV[2] horizonMs  as in claim-due.lua
-- Returns {user...}.
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local users = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', nowMs, 'LIMIT', 0, ARGV[1])
if #users > 0 then return users end
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. (nowMs + tonumber(ARGV[2])), '+inf', 'LIMIT', 0, ARGV[1])
