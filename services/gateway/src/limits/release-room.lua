-- Removes a room that a user claimed and did not make, unless another request relied on the claim.
--
-- KEYS[1] userRooms     sorted set: room by the time (ms) at which it was made
-- ARGV[1] room
-- ARGV[2] the time that the claim returned
--
-- Returns 1 if it removed the room, otherwise 0.

if redis.call('ZSCORE', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('ZREM', KEYS[1], ARGV[1])
