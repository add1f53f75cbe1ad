-- Reads what the list of a user's rooms shows of a room.
-- Invariant: all of it is of one moment, so the counts are exact.
--
-- KEYS[1] meta
-- KEYS[2] log
-- KEYS[3] roles
-- KEYS[4] liveChannel
-- KEYS[5] sanctions
-- KEYS[6] overlay
-- KEYS[7] erased
-- KEYS[8] reactionsPrefix
-- KEYS[9] reads
-- KEYS[10] mentions
-- ARGV[1] userId
-- ARGV[2] isPrivate     '1': only members may read
-- ARGV[3] seenEpoch     '' if this node has seen nothing of the room
-- ARGV[4] seenSeq
-- ARGV[5] candidate     random part of a new epoch, if one has to be opened
--
-- Returns {'gone'} (the room does not exist, or the user is no member) | {'deleted'} | {'hidden'}
-- (it is closed, or the user is banned) | {'ok', epoch, head, n, role, title, readSeq, readN,
-- mentions, other, last}: role '' for none, other the second member of a direct room or '', last
-- the newest message as it is now, packed by `pack_entries`, or ''.

local user, private = ARGV[1], ARGV[2] == '1'
local role = redis.call('HGET', KEYS[3], user)
if private and not role then return {'gone'} end

local epoch, deleted, head, n, guarded, newest =
  room_epoch(KEYS[1], KEYS[2], KEYS[4], ARGV[3], tonumber(ARGV[4]), ARGV[5])
if not epoch then return {deleted and 'deleted' or 'gone'} end
if guarded and refusal_of_reading(KEYS[1], KEYS[5], user, store_clock()) then return {'hidden'} end

local meta = redis.call('HMGET', KEYS[1], 'title', 'visibility', 'first')
local keys = {log = KEYS[2], erased = KEYS[7], overlay = KEYS[6], reactions = KEYS[8]}
local first = log_first(meta[3], KEYS[2], head)

-- Each entry names the newest message before it, except acts of earlier releases. Limit the steps
-- for those.
local STEPS_MAX = 256
local last, at = '', newest
for _ = 1, STEPS_MAX do
  if at < first then break end
  local fields = entry_at(keys.log, keys.erased, at)
  if fields and is_message(fields) then
    compose_entries(keys, {{at, fields}}, user)
    last = pack_entries({{at, fields}})
    break
  end
  at = math.min(fields and last_message_of(fields, at) or at - 1, at - 1)
end

local other = ''
if meta[2] == 'direct' then
  for _, member in ipairs(redis.call('HKEYS', KEYS[3])) do
    if member ~= user then other = member end
  end
end
local read_seq, read_n = position_of(KEYS[9], user, head, n)
return {'ok', epoch, head, n, role or '', meta[1] or '', read_seq, read_n, mentions_above(KEYS[10], user, read_seq),
  other, last}
