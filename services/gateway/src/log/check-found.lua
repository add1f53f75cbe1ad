-- Checks messages of one room that a search found in the archive: may the user read the room, and
-- what are the messages now? Invariant: the answer has one moment, so nothing that was deleted or
-- forbidden before it is shown.
--
-- KEYS[1] meta
-- KEYS[2] log
-- KEYS[3] roles
-- KEYS[4] liveChannel
-- KEYS[5] sanctions
-- KEYS[6] overlay
-- KEYS[7] erased
-- KEYS[8] reactionsPrefix
-- KEYS[9] late
-- ARGV[1] userId
-- ARGV[2] isPrivate     '1': only members may read
-- ARGV[3] seenEpoch     '' if this node has seen nothing of the room
-- ARGV[4] seenSeq
-- ARGV[5] candidate     random part of a new epoch, if one has to be opened
-- ARGV[6] after         the newest seq in the archive when the messages were found
-- ARGV[7] seqs          JSON list of the messages
--
-- Returns {'not_found'} | {'deleted'} | {'forbidden', why, untilMs}
-- | {'ok', epoch, first, cleared, entries, late}: cleared is the number of the epoch that the last
-- deletion of the room opened, or 0; entries as `pack_entries` gives them, those messages that are
-- in the log; late as in late-changes.lua, for the others.

local user = ARGV[1]
if ARGV[2] == '1' and redis.call('HEXISTS', KEYS[3], user) == 0 then return {'not_found'} end

local epoch, deleted, head, n, guarded = room_epoch(KEYS[1], KEYS[2], KEYS[4], ARGV[3], tonumber(ARGV[4]), ARGV[5])
if not epoch then return {deleted and 'deleted' or 'not_found'} end
if guarded then
  local refusal = refusal_of_reading(KEYS[1], KEYS[5], user, store_clock())
  if refusal then return refusal end
end

local keys = {log = KEYS[2], erased = KEYS[7], overlay = KEYS[6], reactions = KEYS[8], late = KEYS[9]}
local kept = redis.call('HMGET', KEYS[1], 'first', 'cleared')
local first = log_first(kept[1], KEYS[2], head)

local entries, archived = {}, {}
for _, seq in ipairs(cjson.decode(ARGV[7])) do
  local fields = seq >= first and entry_at(keys.log, keys.erased, seq)
  if fields and is_message(fields) then entries[#entries + 1] = {seq, fields} end
  if seq < first then archived[#archived + 1] = seq end
end
compose_entries(keys, entries, user)
local late = {}
if #archived > 0 then late = late_changes(keys, {after = tonumber(ARGV[6]), targets = archived}) end
return {'ok', epoch, first, tonumber(kept[2] or 0), pack_entries(entries), late}
