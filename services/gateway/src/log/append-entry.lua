-- Stores one message and announces it: look up its id, check the user's right, number, store,
-- remember the id, publish. Invariant: one clientMsgId of one user is stored at most once. All
-- checks come before the XADD, and nothing after it can fail.
--
-- KEYS[1] meta
-- KEYS[2] log
-- KEYS[3] ids
-- KEYS[4] roles
-- KEYS[5] liveChannel
-- ARGV[1] userId
-- ARGV[2] clientMsgId
-- ARGV[3] head          JSON members before the text: "type":…,"from":…,"clientMsgId":…
-- ARGV[4] tail          JSON member "text":…
-- ARGV[5] seenEpoch     '' if this node has seen nothing of the room
-- ARGV[6] seenSeq
-- ARGV[7] candidate     random part of a new epoch, if one has to be opened
-- ARGV[8] mayStore      '0': only look for a stored duplicate (the user's quota is used up)
-- ARGV[9] isPrivate     '1': only members may write
-- ARGV[10] keepMin      number of newest entries that are always kept
-- ARGV[11] keepMax      maximum number of entries
-- ARGV[12] keepAgeMs    beyond keepMin, older entries are removed
--
-- Returns {'stored' | 'duplicate', epoch, seq, ts} | {'conflict'} | {'not_found'} | {'refused'}.

local TRIM_EVERY, TRIM_BATCH = 64, 128

local epoch, _, head = room_epoch(KEYS[1], KEYS[2], KEYS[5], ARGV[5], tonumber(ARGV[6]), ARGV[7])
if not epoch then return {'not_found'} end

local id_field = ARGV[1] .. '\n' .. ARGV[2]
local known_seq = redis.call('HGET', KEYS[3], id_field)
if known_seq then
  local id = known_seq .. '-0'
  local known = redis.call('XRANGE', KEYS[2], id, id)[1]
  -- The fields are always u, c, t, h, x in this order, each followed by its value.
  if known and known[2][2] == ARGV[1] and known[2][4] == ARGV[2] then
    if known[2][10] ~= ARGV[4] then return {'conflict'} end
    return {'duplicate', epoch, tonumber(known_seq), tonumber(known[2][6])}
  end
end

if ARGV[9] == '1' and redis.call('HEXISTS', KEYS[4], ARGV[1]) == 0 then return {'not_found'} end
if ARGV[8] == '0' then return {'refused'} end

local time = redis.call('TIME')
local ts = time[1] * 1000 + math.floor(time[2] / 1000)
local seq = head + 1
redis.call('XADD', KEYS[2], string.format('%d-0', seq), 'u', ARGV[1], 'c', ARGV[2], 't', string.format('%d', ts), 'h', ARGV[3], 'x', ARGV[4])
redis.call('HSET', KEYS[3], id_field, string.format('%d', seq))
-- An empty room expires. The first message makes it permanent.
if seq == 1 then redis.call('PERSIST', KEYS[1]) end
local body = ARGV[3] .. ',' .. ARGV[4] .. '}'
redis.call('SPUBLISH', KEYS[5], string.format('1 M %s %d %d %d\n', epoch, seq, ts, #body) .. body)

if seq % TRIM_EVERY == 0 then
  local length = redis.call('XLEN', KEYS[2])
  local surplus = length - tonumber(ARGV[10])
  if surplus > 0 then
    local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', math.min(surplus, TRIM_BATCH))
    local over, too_old = length - tonumber(ARGV[11]), ts - tonumber(ARGV[12])
    local first_kept = nil
    for index, entry in ipairs(oldest) do
      if index > over and tonumber(entry[2][6]) >= too_old then
        first_kept = entry[1]
        break
      end
      -- After a rollback the id may belong to a later entry. Then it stays.
      local field = entry[2][2] .. '\n' .. entry[2][4]
      local entry_seq = string.match(entry[1], '^%d+')
      if redis.call('HGET', KEYS[3], field) == entry_seq then redis.call('HDEL', KEYS[3], field) end
    end
    if not first_kept then
      first_kept = string.format('%d-0', tonumber(string.match(oldest[#oldest][1], '^%d+')) + 1)
    end
    redis.call('XTRIM', KEYS[2], 'MINID', first_kept)
  end
end
return {'stored', epoch, seq, ts}
