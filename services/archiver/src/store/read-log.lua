#!lua flags=no-writes
-- Reads what the archive needs of a room.
-- Invariant: state and entries are of one moment, and the entries have no gap.
--
-- KEYS[1] meta
-- KEYS[2] log
-- KEYS[3] erased
-- ARGV[1] after       seq that the archive has; 0 for none
-- ARGV[2] entriesMax
-- ARGV[3] bytesMax    one entry may exceed it
--
-- Returns {} if the room does not exist, else {epoch, base, deleted, cleared, visibility, archived,
-- archivedFrom, head, first, headTs, afterTs, entries, importing}. '' stands for a missing field,
-- and for the time of an entry that is not kept. The entries are those after `after`, or from the
-- first kept one: {seq, ts, user, isMessage, head, tail, …}.

local meta = redis.call('HMGET', KEYS[1], 'epoch', 'base', 'deleted', 'cleared', 'visibility', 'archived',
  'archivedFrom', 'first', 'importing')
if not meta[1] then return {} end

local function id_of(seq)
  return string.format('%d-0', seq)
end

-- ts, user, isMessage, head and tail of an entry of the stream; see room-entry.lua of the gateway.
local function of_stream(fields)
  return {fields[6], fields[2], fields[11] and '0' or '1', fields[8], fields[10]}
end

local function of_erased(packed)
  local user, ts, last, head, tail = string.match(packed, '^(.-)\n.-\n(.-)\n(.-)\n(.-)\n(.*)$')
  return {ts, user, last == '' and '1' or '0', head, tail}
end

-- The kept entries from..to by their seq.
local function entries_between(from, to)
  local found, missing = {}, {}
  for _, entry in ipairs(redis.call('XRANGE', KEYS[2], id_of(from), id_of(to))) do
    found[tonumber(string.match(entry[1], '^%d+'))] = of_stream(entry[2])
  end
  for seq = from, to do
    if not found[seq] then missing[#missing + 1] = string.format('%d', seq) end
  end
  if #missing == 0 then return found end
  local packed = redis.call('HMGET', KEYS[3], unpack(missing))
  for index, seq in ipairs(missing) do
    if packed[index] then found[tonumber(seq)] = of_erased(packed[index]) end
  end
  return found
end

local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local head = newest and tonumber(string.match(newest[1], '^%d+')) or 0
local head_ts = newest and of_stream(newest[2])[1] or ''
local first = tonumber(meta[8] or head - redis.call('XLEN', KEYS[2]) + 1)
local after = tonumber(ARGV[1])
local known = after > 0 and after <= head and entries_between(after, after)[after]

local STEP = 64
local entries, bytes, bytes_max = {}, 0, tonumber(ARGV[3])
local from = math.max(after + 1, first)
local last = math.min(head, from + tonumber(ARGV[2]) - 1)
while from <= last do
  local to = math.min(last, from + STEP - 1)
  local step = entries_between(from, to)
  for seq = from, to do
    local entry = step[seq]
    if not entry then last = 0 break end
    bytes = bytes + #entry[4] + #entry[5]
    if bytes > bytes_max and #entries > 0 then last = 0 break end
    local count = #entries
    entries[count + 1] = seq
    for place = 1, 5 do entries[count + 1 + place] = entry[place] end
  end
  from = to + 1
end

local state = {meta[1]}
for place = 2, 7 do state[place] = meta[place] or '' end
state[8], state[9], state[10], state[11], state[12] = head, first, head_ts, known and known[1] or '', entries
state[13] = meta[9] or ''
return state
