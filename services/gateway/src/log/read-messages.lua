-- Reads messages only: of the whole room, of a thread, or the pinned ones, as they are now.
-- Invariant: a page has no gap, and its cost does not depend on how many other entries are between.
--
-- KEYS[1] meta
-- KEYS[2] log
-- KEYS[3] roles
-- KEYS[4] liveChannel
-- KEYS[5] sanctions
-- KEYS[6] overlay
-- KEYS[7] erased
-- KEYS[8] reactionsPrefix
-- KEYS[9] repliesPrefix
-- KEYS[10] pins
-- KEYS[11] late
-- ARGV[1] userId
-- ARGV[2] isPrivate     '1': only members may read
-- ARGV[3] seenEpoch     '' if this node has seen nothing of the room
-- ARGV[4] seenSeq
-- ARGV[5] candidate     random part of a new epoch, if one has to be opened
-- ARGV[6] mode          newest | before | after | around | at
-- ARGV[7] seq           before and after: exclusive; at: a time in ms
-- ARGV[8] limit         maximum messages
-- ARGV[9] thread        seq of the root; 0 for none
-- ARGV[10] pinned       '1': only pinned messages
-- ARGV[11] pageBytesMax maximum bytes of an answer, except for one message
-- ARGV[12] late         JSON of what is wanted of late-changes.lua, and for a thread whose root has
--                       left the log also `replies`, those that the archive and perhaps the log
--                       have; '' if none are wanted
--
-- Returns {'not_found', 'room' | 'message'} | {'deleted'} | {'invalid'} (the root is a reply)
-- | {'forbidden', why, untilMs} | {'ok', epoch, head, hasMore, hasNewer, entries, first, archived,
-- archivedFrom, center, pins, late} | {'archived', the same}: the root, or the message around which
-- to read, has left the log. hasMore and hasNewer 0 | 1 are about the log; entries as
-- `pack_entries` gives them, ascending; archived and archivedFrom the newest and oldest seq in the
-- archive, 0 for none; center the last seq of the older half, pins the pinned messages that have
-- left the log.

local user = ARGV[1]
if ARGV[2] == '1' and redis.call('HEXISTS', KEYS[3], user) == 0 then return {'not_found', 'room'} end

local epoch, deleted, head, n, guarded = room_epoch(KEYS[1], KEYS[2], KEYS[4], ARGV[3], tonumber(ARGV[4]), ARGV[5])
if not epoch then return {deleted and 'deleted' or 'not_found', 'room'} end
if guarded then
  local refusal = refusal_of_reading(KEYS[1], KEYS[5], user, store_clock())
  if refusal then return refusal end
end

local keys = {log = KEYS[2], erased = KEYS[7], overlay = KEYS[6], reactions = KEYS[8], replies = KEYS[9],
  late = KEYS[11]}
local kept = redis.call('HMGET', KEYS[1], 'first', 'archived', 'archivedFrom')
local first, archived_from = log_first(kept[1], KEYS[2], head), tonumber(kept[3] or 0)
local mode, seq, limit, root = ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])

local function message_at(at)
  if at < first or at > head then return nil end
  local fields = entry_at(keys.log, keys.erased, at)
  return fields and is_message(fields) and fields or nil
end

local wanted = ARGV[12] ~= '' and cjson.decode(ARGV[12]) or nil

local function answer(outcome, has_more, has_newer, center, entries)
  local pins, late = {}, {}
  if ARGV[10] == '1' and archived_from > 0 then pins = redis.call('ZRANGEBYSCORE', KEYS[10], 1, '(' .. seq_text(first)) end
  if wanted then late = late_changes(keys, wanted) end
  return {outcome, epoch, head, has_more and 1 or 0, has_newer and 1 or 0, pack_entries(entries), first,
    tonumber(kept[2] or 0), archived_from, center, pins, late}
end

local function is_archived(at)
  return archived_from > 0 and at >= archived_from and at < first
end

if root > 0 and not (wanted and wanted.replies) then
  if is_archived(root) then return answer('archived', false, false, 0, {}) end
  local fields = message_at(root)
  if not fields then return {'not_found', 'message'} end
  if thread_of(fields[10]) then return {'invalid'} end
end
if mode == 'around' then
  if is_archived(seq) then
    -- A thread that is completely in the log begins after its root, and so do the pinned messages
    -- in the log.
    if root == 0 and ARGV[10] ~= '1' then return answer('archived', false, false, seq, {}) end
  elseif seq < first or seq > head then return {'not_found', 'message'} end
end

-- The oldest kept seq at or after a time. Redis' clock rarely goes back.
local function seq_since(ts)
  local low, high = first, head + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    local fields = entry_at(keys.log, keys.erased, middle)
    if not fields or tonumber(fields[6]) >= ts then high = middle else low = middle + 1 end
  end
  return low
end

if mode == 'at' then mode, seq = 'around', seq_since(seq) - 1 end

-- Messages up to and including `at`.
local function n_at(at)
  if at >= head then return n end
  local fields = entry_at(keys.log, keys.erased, math.max(at, first))
  if not fields then return n end
  if at >= first then return n_of(fields, at) end
  return n_of(fields, first) - (is_message(fields) and 1 or 0)
end

-- The seq of the message of this number, or the oldest kept seq.
local function seq_of_number(number)
  local low, high = first, head
  while low < high do
    local middle = math.floor((low + high) / 2)
    if n_at(middle) >= number then high = middle else low = middle + 1 end
  end
  return low
end

-- A list of messages: `down(upper, count)` has those at or below a seq, the newest first;
-- `up(lower, count)` those at or above it, the oldest first. Each is {seq, fields, erased}.
local log = {}

function log.down(upper, count)
  return messages_down(keys, first, math.min(upper, head), count)
end

function log.up(lower, count)
  local before = n_at(lower - 1)
  local found = messages_down(keys, math.max(lower, first), seq_of_number(math.min(before + count, n)), count)
  local ascending = {}
  for index = #found, 1, -1 do ascending[#ascending + 1] = found[index] end
  return ascending
end

-- Messages of a sorted set whose members are seqs, with the score seq or -seq.
local function listed(key)
  local function merge(ones, others, count, is_before)
    local found, i, j = {}, 1, 1
    while #found < count and (ones[i] or others[j]) do
      local one, other = tonumber(ones[i]), tonumber(others[j])
      if one and (not other or is_before(one, other)) then
        found[#found + 1], i = one, i + 1
      else
        found[#found + 1], j = other, j + 1
      end
    end
    local entries = {}
    for _, at in ipairs(found) do
      local fields = message_at(at)
      if fields then entries[#entries + 1] = {at, fields} end
    end
    return entries
  end
  local list = {}
  function list.down(upper, count)
    -- Below 0 for a page before seq 0.
    local top = string.format('%d', upper)
    return merge(redis.call('ZREVRANGEBYSCORE', key, top, first, 'LIMIT', 0, count),
      redis.call('ZRANGEBYSCORE', key, string.format('%d', -upper), -first, 'LIMIT', 0, count), count,
      function(a, b) return a > b end)
  end
  function list.up(lower, count)
    -- Older pinned messages may exist: they are in the archive.
    local bottom = string.format('%d', math.max(lower, first))
    return merge(redis.call('ZRANGEBYSCORE', key, bottom, '+inf', 'LIMIT', 0, count),
      redis.call('ZREVRANGEBYSCORE', key, '-' .. bottom, '-inf', 'LIMIT', 0, count), count,
      function(a, b) return a < b end)
  end
  return list
end

-- Messages of an ascending list of seqs.
local function chosen(seqs)
  local list = {}
  local function take(from, to, step, count, fits)
    local entries = {}
    for index = from, to, step do
      if #entries == count then return entries end
      local fields = fits(seqs[index]) and message_at(seqs[index])
      if fields then entries[#entries + 1] = {seqs[index], fields} end
    end
    return entries
  end
  function list.down(upper, count)
    return take(#seqs, 1, -1, count, function(at) return at <= upper end)
  end
  function list.up(lower, count)
    return take(1, #seqs, 1, count, function(at) return at >= lower end)
  end
  return list
end

-- The replies to an archived root that are in the log.
local function replies_in_log()
  local seqs, id = {}, seq_text(root)
  for _, reply in ipairs(wanted.replies) do seqs[#seqs + 1] = reply end
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', keys.late, '(' .. seq_text(wanted.after), '+inf')) do
    local target, change = string.match(member, '^(%d+)\n(%d+)$')
    if target == id then seqs[#seqs + 1] = tonumber(change) end
  end
  return seqs
end

local source = log
if root > 0 and wanted and wanted.replies then source = chosen(replies_in_log())
elseif root > 0 then source = listed(keys.replies .. seq_text(root)) end
if ARGV[10] == '1' then source = listed(KEYS[10]) end

-- The messages that fit, in the given order, and whether there are more.
local function fitting(found, count, bytes_max)
  local fit, bytes = {}, 0
  for _, entry in ipairs(found) do
    if #fit == count then return fit, true end
    compose_entries(keys, {entry}, user)
    bytes = bytes + #entry[2][8] + #entry[2][10]
    if bytes > bytes_max and #fit > 0 then return fit, true end
    fit[#fit + 1] = entry
  end
  return fit, false
end

local older, newer, has_more, has_newer = {}, {}, false, false
local bytes_max = tonumber(ARGV[11])
if mode == 'after' then
  newer, has_newer = fitting(source.up(seq + 1, limit + 1), limit, bytes_max)
  has_more = #source.down(seq, 1) > 0
elseif mode == 'around' then
  local half = math.ceil(limit / 2)
  older, has_more = fitting(source.down(seq, half + 1), half, bytes_max / 2)
  newer, has_newer = fitting(source.up(seq + 1, limit - #older + 1), limit - #older, bytes_max / 2)
else
  local upper = mode == 'before' and math.min(seq - 1, head) or head
  older, has_more = fitting(source.down(upper, limit + 1), limit, bytes_max)
  has_newer = upper < head and #source.up(upper + 1, 1) > 0
end

local entries = {}
for index = #older, 1, -1 do entries[#entries + 1] = older[index] end
for _, entry in ipairs(newer) do entries[#entries + 1] = entry end
return answer('ok', has_more, has_newer, seq, entries)
