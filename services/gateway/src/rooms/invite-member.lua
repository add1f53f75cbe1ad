-- Makes a user a member of a private room.
-- Invariant: only owners and moderators add members, and never more than membersMax.
--
-- KEYS[1] roles
-- ARGV[1] inviter       user id
-- ARGV[2] user          user id
-- ARGV[3] membersMax
--
-- Returns not_found (the inviter is not a member), forbidden (the inviter is a plain member), full,
-- or ok (also if the user is a member already).

local role = redis.call('HGET', KEYS[1], ARGV[1])
if not role then return 'not_found' end
if role == 'member' then return 'forbidden' end
if redis.call('HEXISTS', KEYS[1], ARGV[2]) == 1 then return 'ok' end
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then return 'full' end
redis.call('HSET', KEYS[1], ARGV[2], 'member')
return 'ok'
