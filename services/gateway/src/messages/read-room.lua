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
--
-- Returns {'not_found'} | {'ok', epoch, base, head, first, role, created, reason, {seq, ts, head, tail, …}}: role '' for none,
-- reason '' | too_far | trimmed | epoch. Entries ascend.

local private = ARGV[2] == '1'
local role = ''
if ARGV[1] ~= '' then
  role = redis.call('HGET', KEYS[3], ARGV[1]) or ''
  if private and role == '' then return {'not_found'} end
end

local created = 0
local epoch, base, head = room_life(KEYS[1], KEYS[2], KEYS[4], ARGV[3], tonumber(ARGV[4]), ARGV[5])
local ttl = tonumber(ARGV[6])
if not epoch then
  if ttl <= 0 or private then return {'not_found'} end
  created, head = 1, log_head(KEYS[2])
  epoch, base = '1.' .. ARGV[5], head
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'base', base, 'visibility', 'public')
  if head == 0 then redis.call('PEXPIRE', KEYS[1], ttl) end
elseif ttl > 0 and head == 0 and redis.call('PTTL', KEYS[1]) > 0 then
  redis.call('PEXPIRE', KEYS[1], ttl)
end

-- Entries leave only at the old end and seq has no holes, so the length tells where the log begins.
local first = head - redis.call('XLEN', KEYS[2]) + 1
local mode, seq, limit = ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[10])
local reason = ''
local from, to, raw = nil, nil, {}

if mode == 'since' then
  if ARGV[9] ~= epoch or seq > head then reason = 'epoch'
  elseif seq + 1 < first then reason = 'trimmed'
  elseif head - seq > tonumber(ARGV[11]) then reason = 'too_far'
  else
    raw = seq < head and redis.call('XRANGE', KEYS[2], string.format('%d-0', seq + 1), '+') or {}
    local bytes, bytes_max = 0, tonumber(ARGV[12])
    for _, entry in ipairs(raw) do
      bytes = bytes + #entry[2][8] + #entry[2][10]
      if bytes > bytes_max then reason, raw = 'too_far', {} break end
    end
  end
  if reason ~= '' and limit > 0 then mode = 'newest' end
end
if mode == 'newest' then from, to = math.max(first, head - limit + 1), head end
if mode == 'before' then
  to = math.min(seq - 1, head)
  from = math.max(first, to - limit + 1)
end
if mode == 'after' then from, to = math.max(first, seq + 1), math.min(seq + limit, head) end
-- After a trim, "after" begins at what is still kept.
if mode == 'after' and from > seq + 1 then to = math.min(from + limit - 1, head) end
if from and from <= to then
  raw = redis.call('XRANGE', KEYS[2], string.format('%d-0', from), string.format('%d-0', to))
end

local entries = {}
for _, entry in ipairs(raw) do
  local fields = entry[2]
  local n = #entries
  entries[n + 1] = tonumber(string.match(entry[1], '^%d+'))
  entries[n + 2] = tonumber(fields[6])
  entries[n + 3] = fields[8]
  entries[n + 4] = fields[10]
end
return {'ok', epoch, base, head, first, role, created, reason, entries}
