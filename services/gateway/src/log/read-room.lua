-- Reads the state of a room and a piece of its log.
-- Invariant: state and entries are of one moment, and the entries have no gap.
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
-- ARGV[1] userId        '' reads as the node itself, which may read every room
-- ARGV[2] isPrivate     '1': only members may read
-- ARGV[3] seenEpoch     '' if this node has seen nothing of the room
-- ARGV[4] seenSeq
-- ARGV[5] candidate     random part of a new epoch, if one has to be opened
-- ARGV[6] createTtlMs   > 0: creates a public room that does not exist; without a message it
--                       expires after this time
-- ARGV[7] mode          none | newest | before | after | appended | since
-- ARGV[8] seq           for before, after, appended (exclusive) and since
-- ARGV[9] sinceEpoch    for since
-- ARGV[10] limit        maximum entries; for since: newest entries if the gap is not closed
-- ARGV[11] gapMax       since: maximum entries of a gap
-- ARGV[12] gapBytesMax  since: maximum bytes of a gap
-- ARGV[13] pageBytesMax all but since: maximum bytes of an answer, except for one entry
-- ARGV[14] late         JSON of what is wanted of late-changes.lua; '' if none are wanted
--
-- Returns {'not_found'} | {'deleted'} | {'forbidden', why, untilMs} with why closed | banned
-- | {'ok', epoch, base, head, first, role, reason, n, guarded, room, personal, entries, archived,
-- archivedFrom, late}: role '' for none, reason '' | too_far | trimmed | epoch, n messages up to
-- the head, guarded 0 | 1, room {title, topic, readOnly, slowModeS, mutedUntilMs} ('' for none) for
-- a user, personal 1 if the answer depends on the user, entries as `pack_entries` gives them,
-- ascending. With since and appended they are as they were appended, else messages are as they are
-- now. archived and archivedFrom: the newest and oldest seq in the archive, 0 for none.

local private = ARGV[2] == '1'
local user, role = ARGV[1], ''
if user ~= '' then
  role = redis.call('HGET', KEYS[3], user) or ''
  if private and role == '' then return {'not_found'} end
end

local epoch, base, head, n, guarded =
  room_epoch(KEYS[1], KEYS[2], KEYS[4], ARGV[3], tonumber(ARGV[4]), ARGV[5])
local ttl = tonumber(ARGV[6])
if not epoch then
  local deleted = base
  if deleted and (user == '' or ttl <= 0 or private) then return {'deleted'} end
  if ttl <= 0 or private then return {'not_found'} end
  head, n = log_head(KEYS[2])
  local number = 1
  if deleted then
    -- Nodes that have seen the deleted room's epoch must see a later one.
    number = epoch_number(redis.call('HGET', KEYS[1], 'epoch')) + 1
    redis.call('HDEL', KEYS[1], 'deleted')
  end
  epoch, base, guarded = number .. '.' .. ARGV[5], head, false
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'base', base, 'visibility', 'public')
  if head == 0 then redis.call('PEXPIRE', KEYS[1], ttl) end
elseif ttl > 0 and head == 0 and redis.call('PTTL', KEYS[1]) > 0 then
  redis.call('PEXPIRE', KEYS[1], ttl)
end

local room = {}
if user ~= '' then
  local meta = redis.call('HMGET', KEYS[1], 'title', 'topic', 'readOnly', 'slowModeS')
  local muted = ''
  if guarded then
    local now = store_clock()
    local refusal = refusal_of_reading(KEYS[1], KEYS[5], user, now)
    if refusal then return refusal end
    muted = muted_until(KEYS[5], user, now) or ''
  end
  room = {meta[1] or '', meta[2] or '', meta[3] or '', meta[4] or '', muted}
end

local keys = {log = KEYS[2], erased = KEYS[7], overlay = KEYS[6], reactions = KEYS[8], late = KEYS[9]}
local has_overlay = ARGV[7] ~= 'none' and redis.call('EXISTS', KEYS[6]) == 1
local personal = false

-- Reads from..to in small steps up to `bytes_max`; with `down`, from the newest to the oldest.
-- `current`: messages as they are now. Returns the entries in the order of reading, and whether all
-- were read. Small steps avoid reading large entries that are not returned.
local STEP = 32
local function read_range(from, to, down, bytes_max, current)
  local found, bytes = {}, 0
  while from <= to do
    local low = down and math.max(from, to - STEP + 1) or from
    local high = down and to or math.min(to, from + STEP - 1)
    local step = entries_between(keys, low, high)
    if current and has_overlay then personal = compose_entries(keys, step, user) or personal end
    for index = 1, #step do
      local entry = step[down and #step - index + 1 or index]
      bytes = bytes + #entry[2][8] + #entry[2][10]
      if bytes > bytes_max and #found > 0 then return found, false end
      found[#found + 1] = entry
      if bytes > bytes_max then return found, false end
    end
    if down then to = low - 1 else from = high + 1 end
  end
  return found, true
end

local kept = redis.call('HMGET', KEYS[1], 'first', 'archived', 'archivedFrom')
local first = log_first(kept[1], KEYS[2], head)
local mode, seq, limit = ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[10])
local page_bytes = tonumber(ARGV[13])
local reason, raw, down = '', {}, false

if mode == 'since' then
  if ARGV[9] ~= epoch or seq > head then reason = 'epoch'
  elseif seq + 1 < first then reason = 'trimmed'
  elseif head - seq > tonumber(ARGV[11]) then reason = 'too_far'
  else
    local whole
    raw, whole = read_range(seq + 1, head, false, tonumber(ARGV[12]), false)
    if not whole then reason, raw = 'too_far', {} end
  end
  if reason ~= '' and limit > 0 then mode = 'newest' end
end
if mode == 'newest' then
  raw, down = read_range(math.max(first, head - limit + 1), head, true, page_bytes, true), true
elseif mode == 'before' then
  local to = math.min(seq - 1, head)
  raw, down = read_range(math.max(first, to - limit + 1), to, true, page_bytes, true), true
elseif mode == 'after' or mode == 'appended' then
  -- If older entries were trimmed, the page begins at the first kept entry.
  local from = math.max(first, seq + 1)
  raw = read_range(from, math.min(from + limit - 1, head), false, page_bytes, mode == 'after')
end

local entries = raw
if down then
  entries = {}
  for index = #raw, 1, -1 do entries[#entries + 1] = raw[index] end
end
local late = ARGV[14] ~= '' and late_changes(keys, cjson.decode(ARGV[14])) or {}
return {'ok', epoch, base, head, first, role, reason, n, guarded and 1 or 0, room, personal and 1 or 0,
  pack_entries(entries), tonumber(kept[2] or 0), tonumber(kept[3] or 0), late}
