#!lua flags=allow-oom
-- Notes in the room what the archive has of its current epoch. Trimming and reads depend on it.
-- Invariant: `archived` is never above what the archive has of this epoch. It only grows, unless
-- the archive was restored from an older copy.
--
-- KEYS[1] meta
-- KEYS[2] log
-- KEYS[3] pins
-- ARGV[1] epoch
-- ARGV[2] position      newest archived seq
-- ARGV[3] archivedFrom  oldest archived seq
-- ARGV[4] restoredFrom  '' or the value of `archived` that the restored archive does not have
--
-- Returns 1, or 0 if the room has another epoch or is gone.

local meta = redis.call('HMGET', KEYS[1], 'epoch', 'archived', 'archivedFrom', 'deleted', 'first')
if meta[1] ~= ARGV[1] or meta[4] then return 0 end
local position, from = tonumber(ARGV[2]), tonumber(ARGV[3])
local lowers = ARGV[4] ~= '' and meta[2] == ARGV[4]
if lowers or position > tonumber(meta[2] or -1) then redis.call('HSET', KEYS[1], 'archived', ARGV[2]) end
if from ~= tonumber(meta[3] or -1) then redis.call('HSET', KEYS[1], 'archivedFrom', ARGV[3]) end
local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
local first = tonumber(meta[5] or oldest and string.match(oldest[1], '^%d+') or from)
-- No store has these messages any more.
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', math.min(from, first) - 1)
return 1
