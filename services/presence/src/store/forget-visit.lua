-- Forgets that a user is in a room. With the last room it also forgets the status, unless it was
-- set after the visit.
-- KEYS[1] rooms
-- KEYS[2] status
-- ARGV[1] room
-- ARGV[2] seenMs     when the room had no record of the user; a later entry stays
-- Returns 1 if the room was forgotten.
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or tonumber(score) > tonumber(ARGV[2]) then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
if redis.call('EXISTS', KEYS[1]) == 0 and redis.call('HGET', KEYS[2], 'outside') ~= '1' then
  redis.call('DEL', KEYS[2])
end
return 1
