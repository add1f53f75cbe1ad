-- Functions that store an entry. Prepended, after room-epoch.lua, to the scripts that append.
--
-- An entry has the stream fields u (user id), c (clientMsgId or ''), t (time in ms), h (head), x
-- (tail) and, for acts, r (the request), always in this order, each followed by its value.

local TRIM_EVERY, TRIM_BATCH = 64, 128

-- The entry that this user stored with this id: its seq and its fields; or nil.
local function known_entry(log_key, ids_key, user, client_msg_id)
  local seq = redis.call('HGET', ids_key, user .. '\n' .. client_msg_id)
  if not seq then return nil end
  local id = seq .. '-0'
  local known = redis.call('XRANGE', log_key, id, id)[1]
  if known and known[2][2] == user and known[2][4] == client_msg_id then return tonumber(seq), known[2] end
  return nil
end

local function n_of(fields, seq)
  return tonumber(string.match(fields[8], '^"n":(%d+),') or seq)
end

local function trim_log(log_key, ids_key, now, keep_min, keep_max, keep_age_ms)
  local length = redis.call('XLEN', log_key)
  local surplus = length - keep_min
  if surplus <= 0 then return end
  local oldest = redis.call('XRANGE', log_key, '-', '+', 'COUNT', math.min(surplus, TRIM_BATCH))
  local over, too_old = length - keep_max, now - keep_age_ms
  local first_kept = nil
  for index, entry in ipairs(oldest) do
    if index > over and tonumber(entry[2][6]) >= too_old then
      first_kept = entry[1]
      break
    end
    -- After a rollback the id may belong to a later entry. Then it stays.
    local field = entry[2][2] .. '\n' .. entry[2][4]
    local entry_seq = string.match(entry[1], '^%d+')
    if redis.call('HGET', ids_key, field) == entry_seq then redis.call('HDEL', ids_key, field) end
  end
  if not first_kept then
    first_kept = string.format('%d-0', tonumber(string.match(oldest[#oldest][1], '^%d+')) + 1)
  end
  redis.call('XTRIM', log_key, 'MINID', first_kept)
end

-- Stores an entry and announces it. Nothing after the XADD can fail.
-- keys: meta, log, ids, live. entry: epoch, seq, n, ts, user, id, head, tail, request (acts only).
-- retention: the three arguments keepMin, keepMax, keepAgeMs.
local function store_entry(keys, entry, keep_min, keep_max, keep_age_ms)
  local seq = string.format('%d', entry.seq)
  local head = string.format('"n":%d,', entry.n) .. entry.head
  local ts = string.format('%d', entry.ts)
  if entry.request then
    redis.call('XADD', keys.log, seq .. '-0', 'u', entry.user, 'c', entry.id, 't', ts, 'h', head, 'x', entry.tail,
      'r', entry.request)
  else
    redis.call('XADD', keys.log, seq .. '-0', 'u', entry.user, 'c', entry.id, 't', ts, 'h', head, 'x', entry.tail)
  end
  if entry.id ~= '' then redis.call('HSET', keys.ids, entry.user .. '\n' .. entry.id, seq) end
  -- An empty room expires. The first entry makes it permanent.
  if entry.seq == 1 then redis.call('PERSIST', keys.meta) end
  local body = head .. ',' .. entry.tail .. '}'
  redis.call('SPUBLISH', keys.live, string.format('1 M %s %s %s %d\n', entry.epoch, seq, ts, #body) .. body)
  if entry.seq % TRIM_EVERY == 0 then
    trim_log(keys.log, keys.ids, entry.ts, tonumber(keep_min), tonumber(keep_max), tonumber(keep_age_ms))
  end
end
