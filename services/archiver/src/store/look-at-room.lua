#!lua flags=no-writes
-- The state of a room that the scan compares with the archive.
--
-- KEYS[1] meta
-- KEYS[2] log
--
-- Returns {epoch, deleted, cleared, archived, archivedFrom, importing, head}; '' for what is
-- missing.

local meta = redis.call('HMGET', KEYS[1], 'epoch', 'deleted', 'cleared', 'archived', 'archivedFrom', 'importing')
local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local state = {}
for place = 1, 6 do state[place] = meta[place] or '' end
state[7] = newest and tonumber(string.match(newest[1], '^%d+')) or 0
return state
