-- Reads the positions of all members of a room.
--
-- KEYS[1] meta
-- KEYS[2] log
-- KEYS[3] roles
-- KEYS[4] liveChannel
-- KEYS[5] sanctions
-- KEYS[6] reads
-- ARGV[1] userId
-- ARGV[2] isPrivate     '1': only members may read
-- ARGV[3] seenEpoch     '' if this node has seen nothing of the room
-- ARGV[4] seenSeq
-- ARGV[5] candidate     random part of a new epoch, if one has to be opened
-- ARGV[6] membersMax    members (public rooms: positions) of a room with a list of readers
--
-- Returns {'not_found'} | {'deleted'} | {'forbidden', why, untilMs} with why closed | banned
-- | {'large'} | {'ok', epoch, head, {user, `seq n`, user, `seq n`, …}}.

local user, private = ARGV[1], ARGV[2] == '1'
if private and redis.call('HEXISTS', KEYS[3], user) == 0 then return {'not_found'} end
local epoch, deleted, head, n, guarded = room_epoch(KEYS[1], KEYS[2], KEYS[4], ARGV[3], tonumber(ARGV[4]), ARGV[5])
if not epoch then return {deleted and 'deleted' or 'not_found'} end
if guarded then
  local refusal = refusal_of_reading(KEYS[1], KEYS[5], user, store_clock())
  if refusal then return refusal end
end

if redis.call('HLEN', private and KEYS[3] or KEYS[6]) > tonumber(ARGV[6]) then return {'large'} end
if not private then return {'ok', epoch, head, redis.call('HGETALL', KEYS[6])} end
-- Skip positions of former members.
local readers, members = {}, redis.call('HKEYS', KEYS[3])
local positions = redis.call('HMGET', KEYS[6], unpack(members))
for index, member in ipairs(members) do
  if positions[index] then
    readers[#readers + 1] = member
    readers[#readers + 1] = positions[index]
  end
end
return {'ok', epoch, head, readers}
