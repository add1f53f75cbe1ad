-- Stores an entry that concerns messages: a message with a thread or mentions, an edit, a deletion,
-- a reaction, a pin; and changes the overlay of the messages, see room-overlay.lua.
-- Invariant: the entry and its effect are of one moment. After a deletion no key of the room holds
-- the text. All checks come before the first write, and the entry is the first write: nothing after
-- it can fail.
--
-- KEYS[1] meta
-- KEYS[2] log
-- KEYS[3] ids
-- KEYS[4] roles
-- KEYS[5] liveChannel
-- KEYS[6] sanctions
-- KEYS[7] paces
-- KEYS[8] erased
-- KEYS[9] overlay
-- KEYS[10] reactionsPrefix
-- KEYS[11] repliesPrefix
-- KEYS[12] pins
-- KEYS[13] mentions
-- ARGV[1] userId
-- ARGV[2] clientMsgId
-- ARGV[3] head          JSON members: "type":…,"from":…,"clientMsgId":…
-- ARGV[4] tail          send: "text":… and perhaps "thread":…, "mentions":…; else "data":{…}
-- ARGV[5] seenEpoch     '' if this node has seen nothing of the room
-- ARGV[6] seenSeq
-- ARGV[7] candidate     random part of a new epoch, if one has to be opened
-- ARGV[8] mayStore      '0': only look for a stored duplicate (the user's quota is used up)
-- ARGV[9] isPrivate     '1': the room has members
-- ARGV[10] change       send | edit | delete | react | pin
-- ARGV[11] seq          of the message that is changed; send: the root of the thread, 0 for none
-- ARGV[12] mentions     send and edit: JSON list of user ids, or '["@room"]', or '[]'
-- ARGV[13] emoji        react
-- ARGV[14] active       react and pin: '1' or '0'
-- ARGV[15] isAdmin      '1': acts in public rooms as a moderator
-- ARGV[16] isDirect     '1': both members may pin
-- ARGV[17] max          edit: of one message; react: different emoji of one message; pin: of a room
-- ARGV[18] usersShown   react: users that are named for one emoji
--
-- Returns {'stored', epoch, seq, ts, n, mentioned, author}: mentioned is a list of users, or of
-- '@room'; author is that of the changed message, '' for a send
-- | {'duplicate' | 'unchanged', epoch, seq, ts, n}
-- | {'conflict', why} with why id | edits | emoji | pins
-- | {'forbidden', why, untilMs} with why closed | banned | muted | read_only | author | role
-- | {'slow', retryAfterMs} | {'not_found', 'room' | 'message'} | {'invalid'} (a reply to a reply)
-- | {'deleted'} | {'refused'}.

local user, change, target = ARGV[1], ARGV[10], tonumber(ARGV[11])
local private = ARGV[9] == '1'
local keys = {
  meta = KEYS[1], log = KEYS[2], ids = KEYS[3], roles = KEYS[4], live = KEYS[5], sanctions = KEYS[6], paces = KEYS[7],
  erased = KEYS[8], overlay = KEYS[9], reactions = KEYS[10], replies = KEYS[11], pins = KEYS[12], mentions = KEYS[13],
}

local role = redis.call('HGET', keys.roles, user)
-- First, so that a stranger cannot open an epoch of a private room.
if private and not role then return {'not_found', 'room'} end

local epoch, deleted, head, n, guarded, last =
  room_epoch(keys.meta, keys.log, keys.live, ARGV[5], tonumber(ARGV[6]), ARGV[7])
if not epoch then return {deleted and 'deleted' or 'not_found', 'room'} end

local known_seq, known, known_erased = known_entry(keys.log, keys.ids, keys.erased, user, ARGV[2])
if known_seq then
  -- The text of an erased entry is gone, so it cannot be compared.
  if not known_erased and known[10] ~= ARGV[4] then return {'conflict', 'id'} end
  return {'duplicate', epoch, known_seq, tonumber(known[6]), n_of(known, known_seq)}
end

local now, pace_ms = store_clock(), 0
if guarded then
  local refusal
  refusal, pace_ms = refusal_of_writing(keys, user, role, now, change)
  if refusal then return refusal end
end

local is_moderator = role == 'owner' or role == 'moderator' or (ARGV[15] == '1' and not private)
local unchanged = {'unchanged', epoch, head, now, n}
local id = seq_text(target)

-- The message that is changed, or the root of the thread.
local fields, erased = nil, false
if target > 0 and target <= head then fields, erased = entry_at(keys.log, keys.erased, target) end
if fields and not is_message(fields) then fields = nil end
if erased and change ~= 'delete' then fields = nil end
if not fields and not (change == 'send' and target == 0) then return {'not_found', 'message'} end

local mentions = (change == 'send' or change == 'edit') and cjson.decode(ARGV[12]) or {}
local over = {}
if fields then
  over = redis.call('HMGET', keys.overlay, 'e' .. id, 'd' .. id, 'r' .. id, 't' .. id, 'p' .. id)
end
local edits = over[1] and seqs_of_edits(over[1]) or {}
local reactions = over[3] and cjson.decode(over[3]) or {}
local member = (ARGV[13]) .. '\n' .. user

local function place_of_emoji()
  for place, reaction in ipairs(reactions) do
    if reaction[1] == ARGV[13] then return place end
  end
  return nil
end

-- Why the change is not possible. The right of the user to write was checked.
local function refusal_of_change()
  if mentions[1] == '@room' and not is_moderator then return {'forbidden', 'role', 0} end
  if change == 'send' and fields and thread_of(fields[10]) then return {'invalid'} end
  if change == 'edit' then
    if fields[2] ~= user then return {'forbidden', 'author', 0} end
    if #edits >= tonumber(ARGV[17]) then return {'conflict', 'edits'} end
  elseif change == 'delete' then
    if fields[2] ~= user and not is_moderator then return {'forbidden', 'author', 0} end
    if erased then return unchanged end
  elseif change == 'react' then
    local is_active = redis.call('ZSCORE', keys.reactions .. id, member) and '1' or '0'
    if is_active == ARGV[14] then return unchanged end
    if ARGV[14] == '1' and not place_of_emoji() and #reactions >= tonumber(ARGV[17]) then return {'conflict', 'emoji'} end
  elseif change == 'pin' then
    if not is_moderator and ARGV[16] ~= '1' then return {'forbidden', 'role', 0} end
    if (over[5] and '1' or '0') == ARGV[14] then return unchanged end
    if ARGV[14] == '1' and redis.call('ZCARD', keys.pins) >= tonumber(ARGV[17]) then return {'conflict', 'pins'} end
  end
  return nil
end

-- The mentioned users who may read the room, without the author.
local function permitted(users)
  if #users == 0 or users[1] == '@room' then return users end
  local roles = private and redis.call('HMGET', keys.roles, unpack(users)) or {}
  local found = {}
  for index, mentioned in ipairs(users) do
    local may_read = not private or roles[index]
    if may_read and guarded and shut_out_until(keys.sanctions, mentioned, now) then may_read = false end
    if may_read and mentioned ~= user then found[#found + 1] = mentioned end
  end
  return found
end

local function note_mentions(seq, users)
  local padded = string.format('%016d', seq)
  for _, mentioned in ipairs(users) do
    if mentioned == '@room' then
      redis.call('ZADD', keys.mentions, 0, 'r\n' .. padded, 0, 'o\n' .. user .. '\n' .. padded)
    else
      redis.call('ZADD', keys.mentions, 0, 'm\n' .. mentioned .. '\n' .. padded)
    end
  end
end

local function set_thread(root)
  local replies, field = keys.replies .. seq_text(root), 't' .. seq_text(root)
  local newest = redis.call('ZREVRANGEBYSCORE', replies, '+inf', 0, 'LIMIT', 0, 1)[1]
  if not newest then
    redis.call('HDEL', keys.overlay, field)
    return
  end
  local reply = entry_at(keys.log, keys.erased, tonumber(newest))
  local count = redis.call('ZCOUNT', replies, 0, '+inf')
  redis.call('HSET', keys.overlay, field, string.format('%d\n%s\n%s', count, newest, reply and reply[6] or '0'))
end

local effects = {}

function effects.send(seq)
  note_pace(keys.paces, user, now, pace_ms)
  local mentioned = permitted(mentions)
  note_mentions(seq, mentioned)
  if target > 0 then
    redis.call('ZADD', keys.replies .. id, seq, seq_text(seq))
    set_thread(target)
  end
  return mentioned
end

function effects.edit(seq)
  local before = {}
  for _, mentioned in ipairs(mentions_of(current_text(keys, fields, over[1]))) do before[mentioned] = true end
  local users = {}
  for mentioned in pairs(before) do users[#users + 1] = mentioned end
  forget_mentions(keys, target, user, users)
  local mentioned = permitted(mentions)
  note_mentions(target, mentioned)
  local list = over[1] and string.match(over[1], '\n(.*)$') .. ',' or ''
  redis.call('HSET', keys.overlay, 'e' .. id, string.format('%d\n%s%d', now, list, seq))
  local new = {}
  for _, one in ipairs(mentioned) do
    if not before[one] then new[#new + 1] = one end
  end
  return new
end

function effects.delete()
  forget_mentions(keys, target, fields[2], mentions_of(current_text(keys, fields, over[1])))
  -- From now on the length of the log does not give its first seq.
  redis.call('HSETNX', keys.meta, 'first', seq_text(log_first(redis.call('HGET', keys.meta, 'first'), keys.log, head + 1)))
  local root = thread_of(fields[10])
  local thread = root and string.format('"thread":%d,', root) or ''
  erase_entry(keys.log, keys.erased, target, fields, thread .. '"erased":true')
  for _, edit in ipairs(edits) do
    local entry = entry_at(keys.log, keys.erased, edit)
    if entry then
      erase_entry(keys.log, keys.erased, edit, entry, string.format('"data":{"seq":%d},"erased":true', target))
    end
  end
  redis.call('HDEL', keys.overlay, 'e' .. id, 'r' .. id, 'p' .. id)
  redis.call('HSET', keys.overlay, 'd' .. id, string.format('%d\n%s', now, user))
  redis.call('UNLINK', keys.reactions .. id)
  redis.call('ZREM', keys.pins, id)
  if root then
    redis.call('ZADD', keys.replies .. seq_text(root), 'XX', -target, id)
    if redis.call('HEXISTS', keys.overlay, 't' .. seq_text(root)) == 1 then set_thread(root) end
  end
  return {}
end

local function free_index()
  local used = {}
  for _, reaction in ipairs(reactions) do used[reaction[2]] = true end
  local index = 0
  while used[index] do index = index + 1 end
  return index
end

local function first_users(index)
  local low = index * REACTION_RANGE
  local members = redis.call('ZRANGEBYSCORE', keys.reactions .. id, string.format('%d', low),
    string.format('(%d', low + REACTION_RANGE), 'LIMIT', 0, ARGV[18])
  local users = {}
  for place, one in ipairs(members) do users[place] = string.match(one, '\n(.*)$') end
  return users
end

function effects.react(seq)
  local place = place_of_emoji()
  if ARGV[14] == '1' then
    if not place then
      place = #reactions + 1
      reactions[place] = {ARGV[13], free_index(), 0, {}}
    end
    local reaction = reactions[place]
    redis.call('ZADD', keys.reactions .. id, string.format('%d', reaction[2] * REACTION_RANGE + seq), member)
    reaction[3] = reaction[3] + 1
    if #reaction[4] < tonumber(ARGV[18]) then reaction[4][#reaction[4] + 1] = user end
  else
    local reaction = reactions[place]
    redis.call('ZREM', keys.reactions .. id, member)
    reaction[3] = reaction[3] - 1
    if reaction[3] == 0 then table.remove(reactions, place) else reaction[4] = first_users(reaction[2]) end
  end
  if #reactions == 0 then redis.call('HDEL', keys.overlay, 'r' .. id)
  else redis.call('HSET', keys.overlay, 'r' .. id, cjson.encode(reactions)) end
  return {}
end

function effects.pin()
  if ARGV[14] == '1' then
    redis.call('HSET', keys.overlay, 'p' .. id, '1')
    redis.call('ZADD', keys.pins, id, id)
  else
    redis.call('HDEL', keys.overlay, 'p' .. id)
    redis.call('ZREM', keys.pins, id)
  end
  return {}
end

local refusal = refusal_of_change()
if refusal then return refusal end
if ARGV[8] == '0' then return {'refused'} end

local seq, is_send = head + 1, change == 'send'
if is_send then n = n + 1 end
store_entry(keys, {
  epoch = epoch, seq = seq, n = n, ts = now, user = user, id = ARGV[2], head = ARGV[3], tail = ARGV[4],
  last = not is_send and last or nil,
})
return {'stored', epoch, seq, now, n, effects[change](seq), is_send and '' or fields[2]}
