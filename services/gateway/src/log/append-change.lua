-- Stores an entry that concerns messages: a message with a thread or mentions, an edit, a deletion,
-- a reaction, a pin; and changes the overlay of the messages, see room-overlay.lua.
-- Invariant: the entry and its effect are of one moment. After a deletion no key of the room holds
-- the text. All checks come before the first write, and the entry is the first write: nothing after
-- it can fail.
--
-- A message that has left the log is in the archive. Then the caller reads it, and calls again with
-- facts about it. `expected` tells whether a change came after that reading.
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
-- KEYS[14] late
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
-- ARGV[19] isErasure    '1': the user's data is erased, so only the right to the message counts
-- ARGV[20] facts        '' if the caller knows no archive, 'ask' if it has no facts; else about an
--                       archived message: JSON of {expected, author,
--                       thread, deleted, edits, mentions, emoji, hasEmoji, active, pinned}: the
--                       overlay's value `l` or '', author, root, whether it is deleted, seqs of the
--                       edits, mentioned users, number of different emoji, whether this emoji is
--                       there, whether the user reacted with it, whether it is pinned
--
-- Returns {'stored', epoch, seq, ts, n, mentioned, author}: mentioned is a list of users, or of
-- '@room'; author is that of the changed message, '' for a send
-- | {'duplicate' | 'unchanged', epoch, seq, ts, n}
-- | {'conflict', why} with why id | edits | emoji | pins
-- | {'forbidden', why, untilMs} with why closed | banned | muted | read_only | author | role
-- | {'slow', retryAfterMs} | {'not_found', 'room' | 'message'} | {'invalid'} (a reply to a reply)
-- | {'deleted'} | {'refused'} | {'archived'} (needs facts) | {'retry'} (the facts are old).

local user, change, target = ARGV[1], ARGV[10], tonumber(ARGV[11])
local private, erasure = ARGV[9] == '1', ARGV[19] == '1'
local keys = {
  meta = KEYS[1], log = KEYS[2], ids = KEYS[3], roles = KEYS[4], live = KEYS[5], sanctions = KEYS[6], paces = KEYS[7],
  erased = KEYS[8], overlay = KEYS[9], reactions = KEYS[10], replies = KEYS[11], pins = KEYS[12], mentions = KEYS[13], late = KEYS[14],
}

local role = redis.call('HGET', keys.roles, user)
-- Check this first, so that a stranger cannot open an epoch of a private room.
if private and not role and not erasure then return {'not_found', 'room'} end

local epoch, deleted, head, n, guarded, last =
  room_epoch(keys.meta, keys.log, keys.live, ARGV[5], tonumber(ARGV[6]), ARGV[7])
if not epoch then return {deleted and 'deleted' or 'not_found', 'room'} end

local known_seq, known, known_erased = known_entry(keys.log, keys.ids, keys.erased, user, ARGV[2])
if known_seq then
  -- The text of an erased entry is gone, so it cannot be compared.
  if not known_erased and known[10] ~= ARGV[4] then return {'conflict', 'id'} end
  return {'duplicate', epoch, known_seq, tonumber(known[6]), n_of(known, known_seq)}
end

local admin = ARGV[15] == '1' and not private
local now, pace_ms = store_clock(), 0
-- Administrators also delete in a closed room, and in one whose moderators banned them.
-- Not during an import, which replaces the log: there the room is closed to them, too.
local overrules = admin and change == 'delete' and redis.call('HEXISTS', keys.meta, 'importing') == 0
if guarded and not erasure and not overrules then
  local refusal
  refusal, pace_ms = refusal_of_writing(keys, user, role, now, change)
  if refusal then return refusal end
end

local is_moderator = role == 'owner' or role == 'moderator' or admin
local id = seq_text(target)

-- The facts about a message in the log that a change needs.
local function message_in_log()
  local fields, erased = entry_at(keys.log, keys.erased, target)
  if not fields or not is_message(fields) then return nil end
  local over = redis.call('HMGET', keys.overlay, 'e' .. id, 'r' .. id, 'p' .. id)
  local reactions, place = over[2] and cjson.decode(over[2]) or {}, nil
  for index, reaction in ipairs(reactions) do
    if reaction[1] == ARGV[13] then place = index end
  end
  return {
    fields = fields, author = fields[2], thread = thread_of(fields[10]), deleted = erased,
    edited = over[1], edits = over[1] and seqs_of_edits(over[1]) or {},
    reactions = reactions, place = place, emoji = #reactions, hasEmoji = place,
    active = change == 'react' and redis.call('ZSCORE', keys.reactions .. id, ARGV[13] .. '\n' .. user),
    pinned = over[3],
  }
end

-- The message to change, or the root of the thread.
local message, archived = nil, false
if target > 0 and target <= head then
  message = message_in_log()
  if not message and ARGV[20] ~= '' then
    local meta = redis.call('HMGET', keys.meta, 'first', 'archivedFrom')
    archived = meta[2] and target >= tonumber(meta[2]) and target < log_first(meta[1], keys.log, head)
  end
end
if archived then
  if ARGV[8] == '0' then return {'refused'} end
  if ARGV[20] == 'ask' then return {'archived'} end
  message = cjson.decode(ARGV[20])
  if (redis.call('HGET', keys.overlay, 'l' .. id) or '') ~= message.expected then return {'retry'} end
end
if message and message.deleted and change ~= 'delete' then message = nil end
if not message and not (change == 'send' and target == 0) then return {'not_found', 'message'} end

local mentions = (change == 'send' or change == 'edit') and cjson.decode(ARGV[12]) or {}
local unchanged = {'unchanged', epoch, head, now, n}

-- Why the change is not possible. The user's right to write has already been checked.
local function refusal_of_change()
  if mentions[1] == '@room' and not is_moderator then return {'forbidden', 'role', 0} end
  if change == 'send' and message and message.thread then return {'invalid'} end
  if change == 'edit' then
    if message.author ~= user then return {'forbidden', 'author', 0} end
    if #message.edits >= tonumber(ARGV[17]) then return {'conflict', 'edits'} end
  elseif change == 'delete' then
    if message.author ~= user and not is_moderator then return {'forbidden', 'author', 0} end
    if message.deleted then return unchanged end
  elseif change == 'react' then
    if (message.active and '1' or '0') == ARGV[14] then return unchanged end
    if ARGV[14] == '1' and not message.hasEmoji and message.emoji >= tonumber(ARGV[17]) then return {'conflict', 'emoji'} end
  elseif change == 'pin' then
    if not is_moderator and ARGV[16] ~= '1' then return {'forbidden', 'role', 0} end
    if (message.pinned and '1' or '0') == ARGV[14] then return unchanged end
    if ARGV[14] == '1' and redis.call('ZCARD', keys.pins) >= tonumber(ARGV[17]) then return {'conflict', 'pins'} end
  end
  return nil
end

-- The mentioned users who may read the room, except the author.
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

local refusal = refusal_of_change()
if refusal then return refusal end
if ARGV[8] == '0' then return {'refused'} end

local seq, is_send = head + 1, change == 'send'
if is_send then n = n + 1 end
store_entry(keys, {
  epoch = epoch, seq = seq, n = n, ts = now, user = user, id = ARGV[2], head = ARGV[3], tail = ARGV[4],
  last = not is_send and last or nil,
})
if is_send then note_pace(keys.paces, user, now, pace_ms) end
local effect = archived and effects.late or effects[change]
local new = effect(keys, {
  type = change, seq = seq, target = target, id = id, user = user, now = now, emoji = ARGV[13], active = ARGV[14],
  users_shown = ARGV[18], mentioned = permitted(mentions),
}, message)
return {'stored', epoch, seq, now, n, new, is_send and '' or message.author}
