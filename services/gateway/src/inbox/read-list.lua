-- Reads the list of a user's rooms.
--
-- KEYS[1] list          room → `ms as notify`
-- ARGV[1] room          '' for all
--
-- Returns {the store's clock in ms, {room, value, room, value, …}}.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[1] == '' then return {now, redis.call('HGETALL', KEYS[1])} end
local value = redis.call('HGET', KEYS[1], ARGV[1])
return {now, value and {ARGV[1], value} or {}}
