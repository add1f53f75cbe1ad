-- Makes a room for an import. It is closed to users until the import ends.
-- Invariant: a room that exists is not changed.
--
-- KEYS[1] meta
-- KEYS[2] log
-- ARGV[1] digest        of the imported file
-- ARGV[2] number        the lowest possible number of the epoch
-- ARGV[3] candidate     random part of the epoch
-- ARGV[4] visibility    public | private
--
-- Returns {epoch, cleared} with cleared '0' for none, also if an earlier call with this digest made
-- the room; {} if the room exists.

local meta = redis.call('HMGET', KEYS[1], 'epoch', 'importing', 'deleted', 'cleared')
local cleared = meta[4] or '0'
if meta[2] == ARGV[1] then return {meta[1], cleared} end
if (meta[1] and not meta[3]) or redis.call('EXISTS', KEYS[2]) == 1 then return {} end
local number = tonumber(ARGV[2])
-- Nodes that have seen the deleted room's epoch must see a later one.
if meta[1] then number = math.max(number, tonumber(string.match(meta[1], '^%d+')) + 1) end
local epoch = string.format('%d.%s', number, ARGV[3])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'epoch', epoch, 'base', 0, 'visibility', ARGV[4], 'title', '', 'closed', '1', 'guarded', '1',
  'importing', ARGV[1])
if meta[4] then redis.call('HSET', KEYS[1], 'cleared', meta[4]) end
return {epoch, cleared}
