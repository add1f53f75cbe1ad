-- Adds to a number.
-- KEYS[1] number
-- ARGV[1] by
-- Returns the sum.
return redis.call('INCRBY', KEYS[1], ARGV[1])
