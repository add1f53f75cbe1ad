#!lua flags=allow-oom
-- Makes the archiver the one that scans, or lets it stay so.
--
-- KEYS[1] scanner
-- ARGV[1] worker
-- ARGV[2] ttlMs
--
-- Returns 1 if it scans now, 0 if another one does.

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
