-- Carries out an act on a room or a member, and stores it as an entry: a role, a kick, a ban, a
-- mute, an invitation, new settings of the room.
-- Invariant: the act and its entry are of one moment, so no entry of a banned user follows the ban.
-- Only a higher role acts on a lower one. A room that has an owner keeps one, and who becomes an
-- owner is muted no more.
--
-- KEYS[1] meta
-- KEYS[2] log
-- KEYS[3] ids
-- KEYS[4] roles
-- KEYS[5] liveChannel
-- KEYS[6] sanctions
-- KEYS[7] erased
-- ARGV[1] userId        who acts
-- ARGV[2] clientMsgId   '' for none: then a retry acts again
-- ARGV[3] head          JSON members: "type":…,"from":… and perhaps "clientMsgId":…
-- ARGV[4] data          JSON members of `data`, without untilTs; may be ''
-- ARGV[5] seenEpoch     '' if this node has seen nothing of the room
-- ARGV[6] seenSeq
-- ARGV[7] candidate     random part of a new epoch, if one has to be opened
-- ARGV[8] mayStore      '0': only look for a stored duplicate (the user's quota is used up)
-- ARGV[9] isPrivate     '1': the room has members
-- ARGV[10] act          kick | ban | unban | mute | unmute | role | invite | leave | update | close
--                       | open
-- ARGV[11] user         on whom; '' for update, close and open
-- ARGV[12] forMs        0: no end. For kick, ban and mute
-- ARGV[13] role         for role
-- ARGV[14] reason       for kick, ban and mute
-- ARGV[15] isAdmin      '1': acts in public rooms above owners, and closes and opens every room
-- ARGV[16] request      what a retry with this clientMsgId must repeat
-- ARGV[17] peopleMax    maximum of members, and of sanctions
-- ARGV[18] fields       JSON list for update: meta field, value, meta field, value …; '' removes it
--
-- Returns {'stored' | 'duplicate', epoch, seq, ts, n, untilMs} | {'known'} (a member is invited) |
-- {'conflict', why} | {'forbidden', why} | {'not_found', what} | {'deleted'} |
-- {'refused'}.

local RANKS = {member = 1, moderator = 2, owner = 3}
local ADMIN_RANK, MODERATOR_RANK, OWNER_RANK = 4, 2, 3
-- Sanctions that one act checks for expiry. A room may have thousands.
local SWEEP_MAX = 16

local actor, target, act = ARGV[1], ARGV[11], ARGV[10]
local private, admin = ARGV[9] == '1', ARGV[15] == '1'
local operates = admin and (act == 'close' or act == 'open')
local actor_role = redis.call('HGET', KEYS[4], actor)
-- First, so that a stranger cannot open an epoch of a private room. Who has left may repeat that.
if private and not actor_role and not operates then
  local left = act == 'leave' and ARGV[2] ~= '' and {known_entry(KEYS[2], KEYS[3], KEYS[7], actor, ARGV[2])}
  if not left or not left[1] or left[2][12] ~= ARGV[16] then return {'not_found', 'room'} end
end

local epoch, deleted, head, n, _, last = room_epoch(KEYS[1], KEYS[2], KEYS[5], ARGV[5], tonumber(ARGV[6]), ARGV[7])
if not epoch then return {deleted and 'deleted' or 'not_found', 'room'} end
local known_seq, known = nil, nil
if ARGV[2] ~= '' then known_seq, known = known_entry(KEYS[2], KEYS[3], KEYS[7], actor, ARGV[2]) end
if known_seq then
  if known[12] ~= ARGV[16] then return {'conflict', 'id'} end
  local until_ms = tonumber(string.match(known[10], '"untilTs":(%d+)') or 0)
  return {'duplicate', epoch, known_seq, tonumber(known[6]), n_of(known, known_seq), until_ms}
end

local now = store_clock()
local target_role = target ~= '' and redis.call('HGET', KEYS[4], target)

local function rank_of(role)
  return RANKS[role] or (private and 0 or 1)
end

-- Why the actor may not act at all, independent of the act.
local function refusal_of_actor()
  if operates or (admin and not private) then
    -- The import replaces the log. For others, the room is closed.
    return redis.call('HEXISTS', KEYS[1], 'importing') == 1 and {'conflict', 'importing'} or nil
  end
  if redis.call('HEXISTS', KEYS[1], 'closed') == 1 then return {'forbidden', 'closed'} end
  if shut_out_until(KEYS[6], actor, now) then return {'forbidden', 'banned'} end
  -- An act is an entry too. Leaving stays possible, and so does what an owner of a private room
  -- does: in earlier releases an owner could still be muted, and no user could lift the mute.
  local acts_muted = act == 'leave' or (private and actor_role == 'owner')
  if not acts_muted and muted_until(KEYS[6], actor, now) then return {'forbidden', 'muted'} end
  return nil
end

local function owners()
  local count = 0
  for _, role in ipairs(redis.call('HVALS', KEYS[4])) do
    if role == 'owner' then count = count + 1 end
  end
  return count
end

local actor_rank = (admin and not private) and ADMIN_RANK or rank_of(actor_role)
local target_rank = rank_of(target_role)
local loses_owner = target_role == 'owner'
  and (act == 'ban' or act == 'leave' or (act == 'kick' and private) or (act == 'role' and ARGV[13] ~= 'owner'))

-- Why this act is not allowed.
local function refusal_of_act()
  if act == 'close' or act == 'open' then return not operates and {'forbidden', 'role'} or nil end
  if act == 'leave' then return loses_owner and owners() == 1 and {'conflict', 'last_owner'} or nil end
  local own_role = act == 'role' and target == actor and not (admin and not private)
  if own_role then
    -- Only a step down is allowed. Members cannot step down, so they cannot store entries this way.
    if RANKS[ARGV[13]] >= actor_rank then return {'forbidden', 'role'} end
    return loses_owner and owners() == 1 and {'conflict', 'last_owner'} or nil
  end
  if actor_rank < (act == 'role' and OWNER_RANK or MODERATOR_RANK) then return {'forbidden', 'role'} end
  if act == 'update' then return nil end
  if act == 'invite' then
    if shut_out_until(KEYS[6], target, now) then return {'conflict', 'banned'} end
    return nil
  end
  local frees_itself = act == 'unban' and actor_rank == ADMIN_RANK
  if target == actor and act ~= 'role' and not frees_itself then return {'forbidden', 'self'} end
  -- Bans and mutes outlive a membership, so they can be lifted without one.
  local needs_member = act == 'kick' or act == 'mute' or act == 'role'
  if private and not target_role and needs_member then return {'not_found', 'user'} end
  if target_rank >= actor_rank then return {'forbidden', 'rank'} end
  if loses_owner and owners() == 1 then return {'conflict', 'last_owner'} end
  if act == 'role' and shut_out_until(KEYS[6], target, now) then return {'conflict', 'banned'} end
  return nil
end

-- Removes expired sanctions among a few random ones. Returns whether one more fits.
local function has_place()
  local some = redis.call('HRANDFIELD', KEYS[6], SWEEP_MAX, 'WITHVALUES')
  for index = 1, #some, 2 do
    if not is_active(some[index + 1], now) then redis.call('HDEL', KEYS[6], some[index]) end
  end
  return redis.call('HLEN', KEYS[6]) < tonumber(ARGV[17])
end

local refusal = refusal_of_actor() or refusal_of_act()
if refusal then return refusal end
if ARGV[8] == '0' then return {'refused'} end

local adds_person = (act == 'invite' or act == 'role') and not target_role
if act == 'invite' and target_role then return {'known'} end
if adds_person and redis.call('HLEN', KEYS[4]) >= tonumber(ARGV[17]) then return {'conflict', 'full'} end
local sanction = (act == 'ban' or act == 'mute' or (act == 'kick' and not private)) and act
if sanction and not has_place() and redis.call('HEXISTS', KEYS[6], sanction .. '\n' .. target) == 0 then
  return {'conflict', 'full'}
end
if act == 'unban' and not shut_out_until(KEYS[6], target, now) then return {'conflict', 'not_banned'} end
if act == 'unmute' and not muted_until(KEYS[6], target, now) then return {'conflict', 'not_muted'} end

-- All checks have passed. The entry is written first, then the change: nothing below can fail.
local until_ms = 0
if sanction and tonumber(ARGV[12]) > 0 then until_ms = now + tonumber(ARGV[12]) end
local data = ARGV[4]
if until_ms > 0 then data = data .. string.format(',"untilTs":%d', until_ms) end
store_entry({meta = KEYS[1], log = KEYS[2], ids = KEYS[3], live = KEYS[5]}, {
  epoch = epoch, seq = head + 1, n = n, ts = now, user = actor, id = ARGV[2],
  head = ARGV[3], tail = '"data":{' .. data .. '}', request = ARGV[16], last = last,
})

if sanction then
  local value = string.format('%d\n%s\n%s', until_ms, actor, ARGV[14])
  redis.call('HSET', KEYS[6], sanction .. '\n' .. target, value)
end
if act == 'unban' then redis.call('HDEL', KEYS[6], 'ban\n' .. target, 'kick\n' .. target) end
if act == 'unmute' then redis.call('HDEL', KEYS[6], 'mute\n' .. target) end
if act == 'invite' then redis.call('HSET', KEYS[4], target, 'member') end
if act == 'leave' or act == 'ban' or (act == 'kick' and private) then redis.call('HDEL', KEYS[4], target) end
if act == 'role' then
  -- A mute would keep the owner from acting, and no other user could lift it.
  if ARGV[13] == 'owner' then redis.call('HDEL', KEYS[6], 'mute\n' .. target) end
  -- Everybody is a member of a public room, so only higher roles are stored.
  if not private and ARGV[13] == 'member' then redis.call('HDEL', KEYS[4], target)
  else redis.call('HSET', KEYS[4], target, ARGV[13]) end
end
if act == 'close' then redis.call('HSET', KEYS[1], 'closed', '1') end
if act == 'open' then redis.call('HDEL', KEYS[1], 'closed') end
if act == 'update' then
  local fields = cjson.decode(ARGV[18])
  for index = 1, #fields, 2 do
    if fields[index + 1] == '' then redis.call('HDEL', KEYS[1], fields[index])
    else redis.call('HSET', KEYS[1], fields[index], fields[index + 1]) end
  end
end
update_guard(KEYS[1], KEYS[6])
return {'stored', epoch, head + 1, now, n, until_ms}
