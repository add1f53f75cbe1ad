-- Forgets that a user is in a room. With the last room it also forgets the status, unless it was
-- set after the visit, and notes when the user was last seen.
-- KEYS[1] rooms
-- KEYS[2] status
-- KEYS[3] seen
-- ARGV[1] room
-- ARGV[2] readMs     when the room had no record of the user; a later entry stays
-- ARGV[3] leftMs     when the user left the room
-- ARGV[4] seenKeepMs expiry of what is noted
-- ARGV[5] lateMs     a report may name a time that is this much later than the leave
-- Returns 1 if the room was forgotten.
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or tonumber(score) > tonumber(ARGV[2]) then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
if redis.call('EXISTS', KEYS[1]) == 1 then return 1 end
local status = redis.call('HMGET', KEYS[2], 'status', 'outside', 'version')
-- Others did not see an invisible user leave.
if status[1] ~= 'invisible' then redis.call('SET', KEYS[3], ARGV[3], 'PX', ARGV[4]) end
-- `outside` speaks of one gateway. On another one, the visit may still have gone on. The version is
-- the time in microseconds.
local isLater = status[2] == '1' and tonumber(status[3]) / 1000 >= tonumber(ARGV[3]) - tonumber(ARGV[5])
if not isLater then redis.call('DEL', KEYS[2]) end
return 1
