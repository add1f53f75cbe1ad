-- The effects of a change of a message, other than its entry. Prepended, after room-overlay.lua, to
-- append-change.lua. Nothing here can fail.
--
-- keys: as in room-overlay.lua, and `late`: a sorted set of changes of messages that have left the
-- log, `target LF seq of the change` by that seq.
-- change: seq, target, id (target as text), user, now, emoji, active ('1' or '0'), users_shown, and
-- `mentioned`: the users who are mentioned and may read the room.
-- message: what is known of the target, see append-change.lua.

local function note_mentions(keys, user, seq, users)
  local padded = string.format('%016d', seq)
  for _, mentioned in ipairs(users) do
    if mentioned == '@room' then
      redis.call('ZADD', keys.mentions, 0, 'r\n' .. padded, 0, 'o\n' .. user .. '\n' .. padded)
    else
      redis.call('ZADD', keys.mentions, 0, 'm\n' .. mentioned .. '\n' .. padded)
    end
  end
end

-- `seq`: of the reply that came or was deleted.
local function set_thread(keys, root, seq)
  local id = seq_text(root)
  local replies = keys.replies .. id
  local newest = redis.call('ZREVRANGEBYSCORE', replies, '+inf', 0, 'LIMIT', 0, 1)[1]
  if not newest then
    redis.call('HDEL', keys.overlay, 't' .. id)
    redis.call('HSET', keys.overlay, 'l' .. id, seq)
    return
  end
  local reply = entry_at(keys.log, keys.erased, tonumber(newest))
  local count = redis.call('ZCOUNT', replies, 0, '+inf')
  local thread = string.format('%d\n%s\n%s', count, newest, reply and reply[6] or '0')
  redis.call('HSET', keys.overlay, 't' .. id, thread, 'l' .. id, seq)
end

local function note_late(keys, target, seq)
  local id = seq_text(target)
  redis.call('HSET', keys.overlay, 'l' .. id, seq)
  redis.call('ZADD', keys.late, seq, id .. '\n' .. seq_text(seq))
end

local function erase_edits(keys, target, edits)
  for _, edit in ipairs(edits) do
    local entry = entry_at(keys.log, keys.erased, edit)
    if entry then
      erase_entry(keys.log, keys.erased, edit, entry, string.format('"data":{"seq":%d},"erased":true', target))
    end
  end
end

local function not_before(users, before)
  local known, new = {}, {}
  for _, user in ipairs(before) do known[user] = true end
  for _, user in ipairs(users) do
    if not known[user] then new[#new + 1] = user end
  end
  return new
end

-- The effects of each change. Each function returns the newly mentioned users.
local effects = {}

function effects.send(keys, change, message)
  note_mentions(keys, change.user, change.seq, change.mentioned)
  if message then
    redis.call('ZADD', keys.replies .. change.id, change.seq, seq_text(change.seq))
    set_thread(keys, change.target, change.seq)
  end
  return change.mentioned
end

function effects.edit(keys, change, message)
  local before = mentions_of(current_text(keys, message.fields, message.edited))
  forget_mentions(keys, change.target, change.user, before)
  note_mentions(keys, change.user, change.target, change.mentioned)
  local list = message.edited and string.match(message.edited, '\n(.*)$') .. ',' or ''
  local edited = string.format('%d\n%s%d', change.now, list, change.seq)
  redis.call('HSET', keys.overlay, 'e' .. change.id, edited, 'l' .. change.id, change.seq)
  return not_before(change.mentioned, before)
end

function effects.delete(keys, change, message)
  local id, fields, root = change.id, message.fields, message.thread
  forget_mentions(keys, change.target, message.author, mentions_of(current_text(keys, fields, message.edited)))
  -- From now on, the length of the log does not determine its first seq.
  local first = log_first(redis.call('HGET', keys.meta, 'first'), keys.log, change.seq)
  redis.call('HSETNX', keys.meta, 'first', seq_text(first))
  local thread = root and string.format('"thread":%d,', root) or ''
  erase_entry(keys.log, keys.erased, change.target, fields, thread .. '"erased":true')
  erase_edits(keys, change.target, message.edits)
  redis.call('HDEL', keys.overlay, 'e' .. id, 'r' .. id, 'p' .. id)
  redis.call('HSET', keys.overlay, 'd' .. id, string.format('%d\n%s', change.now, change.user), 'l' .. id, change.seq)
  redis.call('UNLINK', keys.reactions .. id)
  redis.call('ZREM', keys.pins, id)
  if root then
    redis.call('ZADD', keys.replies .. seq_text(root), 'XX', -change.target, id)
    if redis.call('HEXISTS', keys.overlay, 't' .. seq_text(root)) == 1 then set_thread(keys, root, change.seq)
    -- The root has left the log.
    else note_late(keys, root, change.seq) end
  end
  return {}
end

local function free_index(reactions)
  local used = {}
  for _, reaction in ipairs(reactions) do used[reaction[2]] = true end
  local index = 0
  while used[index] do index = index + 1 end
  return index
end

local function first_users(keys, id, index, count)
  local low = index * REACTION_RANGE
  local members = redis.call('ZRANGEBYSCORE', keys.reactions .. id, string.format('%d', low),
    string.format('(%d', low + REACTION_RANGE), 'LIMIT', 0, count)
  local users = {}
  for place, one in ipairs(members) do users[place] = string.match(one, '\n(.*)$') end
  return users
end

function effects.react(keys, change, message)
  local id, reactions, place, shown = change.id, message.reactions, message.place, tonumber(change.users_shown)
  local member = change.emoji .. '\n' .. change.user
  if change.active == '1' then
    if not place then
      place = #reactions + 1
      reactions[place] = {change.emoji, free_index(reactions), 0, {}}
    end
    local reaction = reactions[place]
    redis.call('ZADD', keys.reactions .. id, string.format('%d', reaction[2] * REACTION_RANGE + change.seq), member)
    reaction[3] = reaction[3] + 1
    if #reaction[4] < shown then reaction[4][#reaction[4] + 1] = change.user end
  else
    local reaction = reactions[place]
    redis.call('ZREM', keys.reactions .. id, member)
    reaction[3] = reaction[3] - 1
    if reaction[3] == 0 then table.remove(reactions, place)
    else reaction[4] = first_users(keys, id, reaction[2], shown) end
  end
  if #reactions == 0 then
    redis.call('HDEL', keys.overlay, 'r' .. id)
    redis.call('HSET', keys.overlay, 'l' .. id, change.seq)
  else
    redis.call('HSET', keys.overlay, 'r' .. id, cjson.encode(reactions), 'l' .. id, change.seq)
  end
  return {}
end

function effects.pin(keys, change)
  if change.active == '1' then
    redis.call('HSET', keys.overlay, 'p' .. change.id, '1', 'l' .. change.id, change.seq)
    redis.call('ZADD', keys.pins, change.id, change.id)
  else
    redis.call('HDEL', keys.overlay, 'p' .. change.id)
    redis.call('HSET', keys.overlay, 'l' .. change.id, change.seq)
    redis.call('ZREM', keys.pins, change.id)
  end
  return {}
end

-- The effects on a message that has left the log. Readers apply `late` to the archive's version.
function effects.late(keys, change, message)
  note_late(keys, change.target, change.seq)
  if change.type == 'send' then
    note_mentions(keys, change.user, change.seq, change.mentioned)
  elseif change.type == 'edit' then
    return not_before(change.mentioned, message.mentions)
  elseif change.type == 'delete' then
    erase_edits(keys, change.target, message.edits)
    redis.call('ZREM', keys.pins, change.id)
    if message.thread then note_late(keys, message.thread, change.seq) end
    return {}
  elseif change.type == 'pin' then
    if change.active == '1' then redis.call('ZADD', keys.pins, change.id, change.id)
    else redis.call('ZREM', keys.pins, change.id) end
  end
  return change.mentioned
end
