#!lua flags=allow-oom
-- Notes in the room what the archive has of its current epoch. Trimming and reads depend on it.
-- Invariant: `archived` is never above what the archive has of this epoch. It only grows, unless
-- the archive was restored from an older copy.
--
-- KEYS[1] meta
-- KEYS[2] pins
-- ARGV[1] epoch
-- ARGV[2] position      newest archived seq
-- ARGV[3] archivedFrom  oldest archived seq
-- ARGV[4] restoredFrom  '' or the value of `archived` that the restored archive does not have
-- ARGV[5] hotFirst      oldest seq of the hot log. It may be an older one: then fewer pins go. The
--                       log is no key of this script, because the archiver's account may only read
--                       it.
--
-- Returns 1, or 0 if the room has another epoch or is gone.

local meta = redis.call('HMGET', KEYS[1], 'epoch', 'archived', 'archivedFrom', 'deleted')
if meta[1] ~= ARGV[1] or meta[4] then return 0 end
local position, from = tonumber(ARGV[2]), tonumber(ARGV[3])
local lowers = ARGV[4] ~= '' and meta[2] == ARGV[4]
if lowers or position > tonumber(meta[2] or -1) then redis.call('HSET', KEYS[1], 'archived', ARGV[2]) end
if from ~= tonumber(meta[3] or -1) then redis.call('HSET', KEYS[1], 'archivedFrom', ARGV[3]) end
-- No store has these messages any more.
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', math.min(from, tonumber(ARGV[5])) - 1)
return 1
