-- Stores one message and announces it: look up its id, check the user's right, number, store,
-- remember the id, publish. Invariant: one clientMsgId of one user is stored at most once. All
-- checks come before the first write. Messages with a thread or mentions: see append-change.lua.
--
-- KEYS[1] meta
-- KEYS[2] log
-- KEYS[3] ids
-- KEYS[4] roles
-- KEYS[5] liveChannel
-- KEYS[6] sanctions
-- KEYS[7] paces         sorted set: user by the time (ms) of the last message, in slow mode
-- KEYS[8] erased
-- ARGV[1] userId
-- ARGV[2] clientMsgId
-- ARGV[3] head          JSON members before the text: "type":…,"from":…,"clientMsgId":…
-- ARGV[4] tail          JSON member "text":…
-- ARGV[5] seenEpoch     '' if this node has seen nothing of the room
-- ARGV[6] seenSeq
-- ARGV[7] candidate     random part of a new epoch, if one has to be opened
-- ARGV[8] mayStore      '0': only look for a stored duplicate (the user's quota is used up)
-- ARGV[9] isPrivate     '1': only members may write
--
-- Returns {'stored' | 'duplicate', epoch, seq, ts, n} | {'conflict'} | {'not_found'} | {'deleted'}
-- | {'refused'} | {'forbidden', why, untilMs} with why closed | banned | muted | read_only
-- | {'slow', retryAfterMs}.

-- Check this first, so that a stranger cannot open an epoch of a private room.
local role = nil
if ARGV[9] == '1' then
  role = redis.call('HGET', KEYS[4], ARGV[1])
  if not role then return {'not_found'} end
end

local epoch, deleted, head, n, guarded = room_epoch(KEYS[1], KEYS[2], KEYS[5], ARGV[5], tonumber(ARGV[6]), ARGV[7])
if not epoch then return {deleted and 'deleted' or 'not_found'} end

local known_seq, known, erased = known_entry(KEYS[2], KEYS[3], KEYS[8], ARGV[1], ARGV[2])
if known_seq then
  -- The text of an erased entry is gone, so it cannot be compared.
  if not erased and known[10] ~= ARGV[4] then return {'conflict'} end
  return {'duplicate', epoch, known_seq, tonumber(known[6]), n_of(known, known_seq)}
end

local now = store_clock()
local pace_ms = 0
if guarded then
  local keys = {meta = KEYS[1], roles = KEYS[4], sanctions = KEYS[6], paces = KEYS[7]}
  local refusal
  refusal, pace_ms = refusal_of_writing(keys, ARGV[1], role, now, 'send')
  if refusal then return refusal end
end
if ARGV[8] == '0' then return {'refused'} end

store_entry({meta = KEYS[1], log = KEYS[2], ids = KEYS[3], live = KEYS[5]}, {
  epoch = epoch, seq = head + 1, n = n + 1, ts = now,
  user = ARGV[1], id = ARGV[2], head = ARGV[3], tail = ARGV[4],
})
note_pace(KEYS[7], ARGV[1], now, pace_ms)
return {'stored', epoch, head + 1, now, n + 1}
