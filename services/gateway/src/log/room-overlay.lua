-- Functions about messages that later entries concern. Prepended, after room-epoch.lua and
-- room-entry.lua, to the scripts that change or read messages.
--
-- keys: log, erased, overlay, reactions and replies (the last two are beginnings of keys, followed
-- by the seq of a message), and for changes meta, pins, mentions and late.
--
-- `overlay` is a hash. Its fields are a letter and the seq of a message:
--   e  edits      `ts LF seq,seq,…`, ascending
--   d  deletion   `ts LF userId`
--   r  reactions  JSON list of [emoji, index, count, [user ids of the first who reacted]]
--   t  thread     `n LF seq LF ts`: replies that are not deleted, and the newest of them
--   p  pin        '1'
--   l  newest     seq of the newest entry that concerns the message; of a root also a reply or the
--                 deletion of one. It may be about a message that only the archive has: `late`
-- `reactions…` is a sorted set: `emoji LF user` by index * REACTION_RANGE + seq of the reaction, so
-- each emoji has its own range, in the order of reacting.
-- `replies…` is a sorted set: seq of a reply by seq, or by -seq if the reply is deleted.
-- `mentions` is a sorted set with all scores 0, so it is in lexical order. Its members are
-- `m LF user LF seq`, `r LF seq` (the room) and `o LF user LF seq` (a user's own mention of the
-- room). Every seq in it has 16 digits.

local REACTION_RANGE = 2 ^ 46
local OVERLAY_LETTERS = {'e', 'd', 'r', 't', 'p'}

local function seq_text(seq)
  return string.format('%d', seq)
end

local function is_message(fields)
  return not fields[11]
end

-- The seq of the thread's root, if the message is a reply. A text cannot contain the pattern,
-- because JSON escapes its quotes.
local function thread_of(tail)
  return tonumber(string.match(tail, '","thread":(%d+)') or string.match(tail, '^"thread":(%d+)'))
end

local function mentions_of(tail)
  local list = string.match(tail, ',"mentions":(%[.*%])$')
  return list and cjson.decode(list) or {}
end

-- The members of an edit's tail after `seq`: `"text":…` and perhaps `"mentions":…`.
local function edited_text(tail)
  return string.match(tail, '^"data":{"seq":%d+,(.*)}$')
end

local function seqs_of_edits(edits)
  local seqs = {}
  for seq in string.gmatch(string.match(edits, '\n(.*)$'), '%d+') do seqs[#seqs + 1] = tonumber(seq) end
  return seqs
end

-- The current text and mentions of a message, as members of JSON.
local function current_text(keys, fields, edits)
  if not edits then return fields[10] end
  local newest = tonumber(string.match(edits, '(%d+)$'))
  local edit = entry_at(keys.log, keys.erased, newest)
  return edit and edited_text(edit[10]) or fields[10]
end

-- The kept entries from..to, ascending: {seq, fields, erased}.
local function entries_between(keys, from, to)
  local found = {}
  if to < from then return found end
  local step = redis.call('XRANGE', keys.log, seq_text(from) .. '-0', seq_text(to) .. '-0')
  if #step == to - from + 1 then
    for index, entry in ipairs(step) do found[index] = {from + index - 1, entry[2], false} end
    return found
  end
  local present, missing = {}, {}
  for _, entry in ipairs(step) do present[tonumber(string.match(entry[1], '^%d+'))] = entry[2] end
  for seq = from, to do
    if not present[seq] then missing[#missing + 1] = seq_text(seq) end
  end
  local packed, erased = redis.call('HMGET', keys.erased, unpack(missing)), {}
  for index, seq in ipairs(missing) do erased[tonumber(seq)] = packed[index] end
  for seq = from, to do
    if present[seq] then found[#found + 1] = {seq, present[seq], false}
    elseif erased[seq] then found[#found + 1] = {seq, erased_fields(erased[seq]), true} end
  end
  return found
end

-- JSON of the reactions to a message. The user is the reader; '' for the node.
local function reactions_json(keys, seq, packed, user)
  local list = cjson.decode(packed)
  local members = {}
  for index, reaction in ipairs(list) do members[index] = reaction[1] .. '\n' .. user end
  local mine = user ~= '' and redis.call('ZMSCORE', keys.reactions .. seq_text(seq), unpack(members)) or {}
  local parts = {}
  for index, reaction in ipairs(list) do
    parts[index] = string.format('{"emoji":%s,"count":%d,"mine":%s,"users":%s}', cjson.encode(reaction[1]), reaction[3],
      mine[index] and 'true' or 'false', cjson.encode(reaction[4]))
  end
  return '"reactions":[' .. table.concat(parts, ',') .. ']'
end

-- A message as it is now, as members of JSON, and whether that depends on the reader. `over` has
-- the message's values of the overlay, in the order of OVERLAY_LETTERS.
local function compose_message(keys, seq, fields, over, user)
  local edits, deletion, reactions, thread, pin = over[1], over[2], over[3], over[4], over[5]
  local parts = {}
  local root = thread_of(fields[10])
  if deletion then
    local ts, by = string.match(deletion, '^(%d+)\n(.*)$')
    parts[1] = '"text":""'
    if root then parts[2] = string.format('"thread":%d', root) end
    parts[#parts + 1] = string.format('"deleted":{"ts":%s,"by":%s},"erased":true', ts, cjson.encode(by))
  elseif edits then
    parts[1] = current_text(keys, fields, edits)
    if root then parts[2] = string.format('"thread":%d', root) end
    parts[#parts + 1] = string.format('"edited":{"ts":%s}', string.match(edits, '^%d+'))
  else
    parts[1] = fields[10]
  end
  if reactions then parts[#parts + 1] = reactions_json(keys, seq, reactions, user) end
  if thread then
    parts[#parts + 1] = string.format('"replies":{"n":%s,"seq":%s,"ts":%s}', string.match(thread, '^(%d+)\n(%d+)\n(%d+)$'))
  end
  if pin then parts[#parts + 1] = '"pinned":true' end
  return table.concat(parts, ','), reactions and true or false
end

-- The values of fields of the overlay, in their order. A small overlay is read whole, because each
-- field that is asked for costs as much as one that is found.
local function overlay_values(keys, fields)
  local size = redis.call('HLEN', keys.overlay)
  if size * 4 > #fields then return redis.call('HMGET', keys.overlay, unpack(fields)) end
  local all, found, values = redis.call('HGETALL', keys.overlay), {}, {}
  for index = 1, #all, 2 do found[all[index]] = all[index + 1] end
  for index, field in ipairs(fields) do values[index] = found[field] or false end
  return values
end

-- Sets the tail of each message among the entries to its current state. Returns whether one of
-- them depends on the reader.
local function compose_entries(keys, entries, user)
  local messages, wanted = {}, {}
  for _, entry in ipairs(entries) do
    if is_message(entry[2]) then
      messages[#messages + 1] = entry
      local id = seq_text(entry[1])
      for _, letter in ipairs(OVERLAY_LETTERS) do wanted[#wanted + 1] = letter .. id end
    end
  end
  if #messages == 0 then return false end
  local values, personal = overlay_values(keys, wanted), false
  local width = #OVERLAY_LETTERS
  for index, entry in ipairs(messages) do
    local over, touched = {}, false
    for letter = 1, width do
      over[letter] = values[(index - 1) * width + letter]
      touched = touched or over[letter]
    end
    if touched then
      local depends
      entry[2][10], depends = compose_message(keys, entry[1], entry[2], over, user)
      personal = personal or depends
    end
  end
  return personal
end

local WALK_STEP = 32

-- The newest `count` messages from `upper` down to `lower`, descending: {seq, fields, erased}.
-- Jumps over all other entries.
local function messages_down(keys, lower, upper, count)
  local found, at = {}, upper
  while at >= lower and #found < count do
    local low = math.max(lower, at - WALK_STEP + 1)
    local entries = entries_between(keys, low, at)
    for index = #entries, 1, -1 do
      local entry = entries[index]
      if entry[1] <= at and #found < count then
        if is_message(entry[2]) then
          found[#found + 1] = entry
          at = entry[1] - 1
        else
          at = math.min(last_message_of(entry[2], entry[1]), entry[1] - 1)
        end
      end
    end
    if #entries == 0 then at = low - 1 end
  end
  return found
end

-- Removes all that the room keeps of what a message mentions.
local function forget_mentions(keys, seq, author, users)
  local id, gone = string.format('%016d', seq), {}
  for _, user in ipairs(users) do
    if user == '@room' then
      gone[#gone + 1] = 'r\n' .. id
      gone[#gone + 1] = 'o\n' .. author .. '\n' .. id
    else
      gone[#gone + 1] = 'm\n' .. user .. '\n' .. id
    end
  end
  if #gone > 0 then redis.call('ZREM', keys.mentions, unpack(gone)) end
end
