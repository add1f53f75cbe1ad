-- Creates a room.
-- Invariant: an existing room is not changed.
--
-- KEYS[1] meta
-- KEYS[2] log
-- KEYS[3] roles
-- ARGV[1] owner         user id
-- ARGV[2] epoch
-- ARGV[3] visibility    public | private
-- ARGV[4] title
--
-- Returns 1, or 0 if it exists.

if redis.call('HEXISTS', KEYS[1], 'epoch') == 1 then return 0 end
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local base = last and string.match(last[1], '^%d+') or '0'
redis.call('HSET', KEYS[1], 'epoch', ARGV[2], 'base', base, 'visibility', ARGV[3], 'title', ARGV[4], 'owner', ARGV[1])
redis.call('HSET', KEYS[3], ARGV[1], 'owner')
return 1
