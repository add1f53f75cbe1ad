-- Creates a room.
-- Invariant: an existing room is not changed, and a retry of its creator succeeds.
--
-- KEYS[1] meta
-- KEYS[2] log
-- KEYS[3] roles
-- ARGV[1] owner         user id
-- ARGV[2] candidate     random part of the epoch
-- ARGV[3] visibility    public | private
-- ARGV[4] title
--
-- Returns 1 if it was created, or if this owner created it earlier with this title and visibility
-- (a retry); else 0.

local known = redis.call('HMGET', KEYS[1], 'epoch', 'owner', 'visibility', 'title', 'deleted', 'cleared')
local number = 1
if known[5] then
  -- Nodes that have seen the deleted room's epoch must see a later one.
  number = epoch_number(known[1]) + 1
  redis.call('DEL', KEYS[1])
elseif known[1] then
  if known[2] == ARGV[1] and known[3] == ARGV[3] and known[4] == ARGV[4] then return 1 end
  return 0
end
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local base = last and string.match(last[1], '^%d+') or '0'
redis.call('HSET', KEYS[1], 'epoch', number .. '.' .. ARGV[2], 'base', base, 'visibility', ARGV[3], 'title', ARGV[4], 'owner', ARGV[1])
-- The archiver may not have seen the deletion yet.
if known[6] then redis.call('HSET', KEYS[1], 'cleared', known[6]) end
redis.call('HSET', KEYS[3], ARGV[1], 'owner')
return 1
