-- Functions that find and store an entry. Prepended, after room-epoch.lua, to the scripts of the
-- log.
--
-- An entry has the stream fields u (user id), c (clientMsgId or ''), t (time in ms), h (head), x
-- (tail), always in this order, each followed by its value. Acts on rooms and members then have r
-- (the request). All entries but messages end with l (see `last_message_of`).
--
-- An entry whose text was deleted is not in the stream. `erased` is a hash: seq → what remains of
-- it, `u LF c LF t LF l LF h LF x`; l is '' for a message. No part holds a line feed.

local function erased_fields(packed)
  local user, id, ts, last, head, tail = string.match(packed, '^(.-)\n(.-)\n(.-)\n(.-)\n(.-)\n(.*)$')
  local fields = {'u', user, 'c', id, 't', ts, 'h', head, 'x', tail}
  if last ~= '' then fields[11], fields[12] = 'l', last end
  return fields
end

-- Packs entries {seq, fields} for an answer: the lines seq, ts, head and tail of each entry. For
-- Redis and the gateway, one text is cheaper than a list of many texts.
local function pack_entries(entries)
  local lines = {}
  for index, entry in ipairs(entries) do
    local at, fields = index * 4, entry[2]
    lines[at - 3], lines[at - 2] = string.format('%d', entry[1]), fields[6]
    lines[at - 1], lines[at] = fields[8], fields[10]
  end
  return table.concat(lines, '\n')
end

-- Replaces an entry by what may remain of it.
local function erase_entry(log_key, erased_key, seq, fields, tail)
  local last = fields[11] and last_message_of(fields, seq) or ''
  if last ~= '' then last = string.format('%d', last) end
  local id = string.format('%d', seq)
  local packed = table.concat({fields[2], fields[4], fields[6], last, fields[8], tail}, '\n')
  redis.call('HSET', erased_key, id, packed)
  redis.call('XDEL', log_key, id .. '-0')
end

-- The fields of an entry, and whether it is erased; nil if it is not kept.
local function entry_at(log_key, erased_key, seq)
  local id = string.format('%d', seq)
  local found = redis.call('XRANGE', log_key, id .. '-0', id .. '-0')[1]
  if found then return found[2], false end
  local packed = redis.call('HGET', erased_key, id)
  if packed then return erased_fields(packed), true end
  return nil
end

-- The entry that this user stored with this id: its seq, its fields, and whether it is erased. Nil
-- if there is none.
local function known_entry(log_key, ids_key, erased_key, user, client_msg_id)
  local seq = redis.call('HGET', ids_key, user .. '\n' .. client_msg_id)
  if not seq then return nil end
  local fields, erased = entry_at(log_key, erased_key, seq)
  if fields and fields[2] == user and fields[4] == client_msg_id then return tonumber(seq), fields, erased end
  return nil
end

-- Stores an entry and announces it. Nothing after the XADD can fail.
-- keys: meta, log, ids, live. entry: epoch, seq, n, ts, user, id, head, tail, request (acts on
-- rooms and members only), last (all but messages).
local function store_entry(keys, entry)
  local seq = string.format('%d', entry.seq)
  local head = string.format('"n":%d,', entry.n) .. entry.head
  local ts = string.format('%d', entry.ts)
  local stream_id = seq .. '-0'
  if entry.request then
    redis.call('XADD', keys.log, stream_id, 'u', entry.user, 'c', entry.id, 't', ts, 'h', head, 'x', entry.tail,
      'r', entry.request, 'l', string.format('%d', entry.last))
  elseif entry.last then
    redis.call('XADD', keys.log, stream_id, 'u', entry.user, 'c', entry.id, 't', ts, 'h', head, 'x', entry.tail,
      'l', string.format('%d', entry.last))
  else
    redis.call('XADD', keys.log, stream_id, 'u', entry.user, 'c', entry.id, 't', ts, 'h', head, 'x', entry.tail)
  end
  if entry.id ~= '' then redis.call('HSET', keys.ids, entry.user .. '\n' .. entry.id, seq) end
  -- An empty room expires. The first entry makes it permanent.
  if entry.seq == 1 then redis.call('PERSIST', keys.meta) end
  local body = head .. ',' .. entry.tail .. '}'
  redis.call('SPUBLISH', keys.live, string.format('1 M %s %s %s %d\n', entry.epoch, seq, ts, #body) .. body)
end
