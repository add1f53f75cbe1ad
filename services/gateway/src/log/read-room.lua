-- Reads the state of a room and a piece of its log, at one moment.
--
-- KEYS[1] meta
-- KEYS[2] log
-- KEYS[3] roles
-- KEYS[4] liveChannel
-- ARGV[1] userId        '' reads as the node itself, which may read every room
-- ARGV[2] isPrivate     '1': only members may read
-- ARGV[3] seenEpoch     '' where this node has seen nothing of the room
-- ARGV[4] seenSeq
-- ARGV[5] candidate     random part of an epoch, should one have to be opened
-- ARGV[6] createTtlMs   > 0: a public room that does not exist comes into being, and is forgotten after so long without a message
-- ARGV[7] mode          none | newest | before | after | since
-- ARGV[8] seq           of before, after (exclusive) and since
-- ARGV[9] sinceEpoch    of since
-- ARGV[10] limit        entries of newest, before and after; of since: entries of "newest" where the hole cannot be closed
-- ARGV[11] holeMax      since: entries of a hole at most
-- ARGV[12] holeBytesMax since: bytes of a hole at most
-- ARGV[13] pageBytesMax newest, before, after: an answer ends before the entry that would exceed so many bytes, but has one at least
--
-- Returns {'not_found'} | {'ok', epoch, base, head, first, role, reason, {seq, ts, head, tail, …}}: role '' for none,
-- reason '' | too_far | trimmed | epoch. Entries ascend.

local private = ARGV[2] == '1'
local role = ''
if ARGV[1] ~= '' then
  role = redis.call('HGET', KEYS[3], ARGV[1]) or ''
  if private and role == '' then return {'not_found'} end
end

local epoch, base, head = room_epoch(KEYS[1], KEYS[2], KEYS[4], ARGV[3], tonumber(ARGV[4]), ARGV[5])
local ttl = tonumber(ARGV[6])
if not epoch then
  if ttl <= 0 or private then return {'not_found'} end
  head = log_head(KEYS[2])
  epoch, base = '1.' .. ARGV[5], head
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'base', base, 'visibility', 'public')
  if head == 0 then redis.call('PEXPIRE', KEYS[1], ttl) end
elseif ttl > 0 and head == 0 and redis.call('PTTL', KEYS[1]) > 0 then
  redis.call('PEXPIRE', KEYS[1], ttl)
end

-- Reads from..to in small steps until `bytes_max` is reached, from the newest down where `down`. Returns the entries in the order
-- read, and whether all were. Large entries must not hold up the store, so nothing is fetched that will not be answered.
local STEP = 32
local function read_range(from, to, down, bytes_max)
  local found, bytes = {}, 0
  while from <= to do
    local low = down and math.max(from, to - STEP + 1) or from
    local high = down and to or math.min(to, from + STEP - 1)
    local command = down and 'XREVRANGE' or 'XRANGE'
    local low_id, high_id = string.format('%d-0', low), string.format('%d-0', high)
    local step = redis.call(command, KEYS[2], down and high_id or low_id, down and low_id or high_id)
    for _, entry in ipairs(step) do
      bytes = bytes + #entry[2][8] + #entry[2][10]
      if bytes > bytes_max and #found > 0 then return found, false end
      found[#found + 1] = entry
      if bytes > bytes_max then return found, false end
    end
    if down then to = low - 1 else from = high + 1 end
  end
  return found, true
end

-- Entries leave only at the old end and seq has no holes, so the length tells where the log begins.
local first = head - redis.call('XLEN', KEYS[2]) + 1
local mode, seq, limit = ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[10])
local page_bytes = tonumber(ARGV[13])
local reason, raw, down = '', {}, false

if mode == 'since' then
  if ARGV[9] ~= epoch or seq > head then reason = 'epoch'
  elseif seq + 1 < first then reason = 'trimmed'
  elseif head - seq > tonumber(ARGV[11]) then reason = 'too_far'
  else
    local whole
    raw, whole = read_range(seq + 1, head, false, tonumber(ARGV[12]))
    if not whole then reason, raw = 'too_far', {} end
  end
  if reason ~= '' and limit > 0 then mode = 'newest' end
end
if mode == 'newest' then
  raw, down = read_range(math.max(first, head - limit + 1), head, true, page_bytes), true
elseif mode == 'before' then
  local to = math.min(seq - 1, head)
  raw, down = read_range(math.max(first, to - limit + 1), to, true, page_bytes), true
elseif mode == 'after' then
  -- After a trim, "after" begins at what is still kept.
  local from = math.max(first, seq + 1)
  raw = read_range(from, math.min(from + limit - 1, head), false, page_bytes)
end

local entries = {}
for position = 1, #raw do
  local entry = raw[down and #raw - position + 1 or position]
  local fields = entry[2]
  local n = #entries
  entries[n + 1] = tonumber(string.match(entry[1], '^%d+'))
  entries[n + 2] = tonumber(fields[6])
  entries[n + 3] = fields[8]
  entries[n + 4] = fields[10]
end
return {'ok', epoch, base, head, first, role, reason, entries}
