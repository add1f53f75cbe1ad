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
-- ARGV[1] userId
-- ARGV[2] isPrivate     '1': only members may read
-- ARGV[3] seenEpoch     '' if this node has seen nothing of the room
-- ARGV[4] seenSeq
-- ARGV[5] candidate     random part of a new epoch, if one has to be opened
-- ARGV[6] mode          newest | before | after | around
-- ARGV[7] seq           before and after: exclusive
-- ARGV[8] limit         maximum messages
-- ARGV[9] thread        seq of the root; 0 for none
-- ARGV[10] pinned       '1': only pinned messages
-- ARGV[11] pageBytesMax maximum bytes of an answer, except for one message
--
-- Returns {'not_found', 'room' | 'message'} | {'deleted'} | {'invalid'} (the root is a reply)
-- | {'forbidden', why, untilMs} | {'ok', epoch, head, hasMore, hasNewer, entries}: hasMore and
-- hasNewer 0 | 1, entries {seq, ts, head, tail, …} ascending.

local user = ARGV[1]
if ARGV[2] == '1' and redis.call('HEXISTS', KEYS[3], user) == 0 then return {'not_found', 'room'} end

local epoch, deleted, head, n, guarded = room_epoch(KEYS[1], KEYS[2], KEYS[4], ARGV[3], tonumber(ARGV[4]), ARGV[5])
if not epoch then return {deleted and 'deleted' or 'not_found', 'room'} end
if guarded then
  local refusal = refusal_of_reading(KEYS[1], KEYS[5], user, store_clock())
  if refusal then return refusal end
end

local keys = {log = KEYS[2], erased = KEYS[7], overlay = KEYS[6], reactions = KEYS[8], replies = KEYS[9]}
local first = log_first(redis.call('HGET', KEYS[1], 'first'), KEYS[2], head)
local mode, seq, limit, root = ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])

local function message_at(at)
  if at < first or at > head then return nil end
  local fields = entry_at(keys.log, keys.erased, at)
  return fields and is_message(fields) and fields or nil
end

if root > 0 then
  local fields = message_at(root)
  if not fields then return {'not_found', 'message'} end
  if thread_of(fields[10]) then return {'invalid'} end
end
if mode == 'around' and (seq < first or seq > head) then return {'not_found', 'message'} end

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
    local top = string.format('%d', upper)
    return merge(redis.call('ZREVRANGEBYSCORE', key, top, 1, 'LIMIT', 0, count),
      redis.call('ZRANGEBYSCORE', key, '-' .. top, -1, 'LIMIT', 0, count), count,
      function(a, b) return a > b end)
  end
  function list.up(lower, count)
    local bottom = string.format('%d', math.max(lower, 1))
    return merge(redis.call('ZRANGEBYSCORE', key, bottom, '+inf', 'LIMIT', 0, count),
      redis.call('ZREVRANGEBYSCORE', key, '-' .. bottom, '-inf', 'LIMIT', 0, count), count,
      function(a, b) return a < b end)
  end
  return list
end

local source = log
if root > 0 then source = listed(keys.replies .. seq_text(root)) end
if ARGV[10] == '1' then source = listed(KEYS[10]) end

-- The messages that fit, in the order given, and whether there are more.
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
local function add(entry)
  local count = #entries
  entries[count + 1] = entry[1]
  entries[count + 2] = tonumber(entry[2][6])
  entries[count + 3] = entry[2][8]
  entries[count + 4] = entry[2][10]
end
for index = #older, 1, -1 do add(older[index]) end
for _, entry in ipairs(newer) do add(entry) end
return {'ok', epoch, head, has_more and 1 or 0, has_newer and 1 or 0, entries}
