-- Creates the direct room of two users, or creates it again after an administrator deleted it.
-- Invariant: an existing room is not changed, and both users are members of a room that exists.
--
-- KEYS[1] meta
-- KEYS[2] log
-- KEYS[3] roles
-- ARGV[1] candidate     random part of the epoch
-- ARGV[2] user
-- ARGV[3] other         the other user
--
-- Returns 1 if it was created, 0 if it exists.

local known = redis.call('HMGET', KEYS[1], 'epoch', 'deleted', 'cleared')
local number = 1
if known[2] then
  -- Nodes that have seen the deleted room's epoch must see a later one.
  number = epoch_number(known[1]) + 1
elseif known[1] then
  return 0
end
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local base = last and string.match(last[1], '^%d+') or '0'
-- Write the roles first, because the room exists from its epoch on.
redis.call('HSET', KEYS[3], ARGV[2], 'member', ARGV[3], 'member')
if known[2] then redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 'epoch', number .. '.' .. ARGV[1], 'base', base, 'visibility', 'direct', 'title', '')
-- The archiver may not have seen the deletion yet.
if known[3] then redis.call('HSET', KEYS[1], 'cleared', known[3]) end
return 1
