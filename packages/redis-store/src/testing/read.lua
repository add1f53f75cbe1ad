#!lua flags=no-writes
-- Reads a number.
-- KEYS[1] number
-- Returns it.
return redis.call('GET', KEYS[1])
