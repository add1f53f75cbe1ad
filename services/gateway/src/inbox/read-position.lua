-- Moves the read position of a user, and announces it in rooms with receipts.
-- Invariant: a position never goes back, and its n is the number of messages up to its seq.
--
-- KEYS[1] meta
-- KEYS[2] log
-- KEYS[3] roles
-- KEYS[4] liveChannel
-- KEYS[5] sanctions
-- KEYS[6] erased
-- KEYS[7] reads
-- KEYS[8] mentions
-- ARGV[1] userId
-- ARGV[2] isPrivate     '1': only members may read
-- ARGV[3] seenEpoch     '' if this node has seen nothing of the room
-- ARGV[4] seenSeq
-- ARGV[5] candidate     random part of a new epoch, if one has to be opened
-- ARGV[6] seq           everything up to it is read
-- ARGV[7] mayStore      '0': only move a position that is stored (the user's quota is used up)
-- ARGV[8] receiptsMax   members (public rooms: positions) of a room with receipts
-- ARGV[9] positionsMax  positions of a room
-- ARGV[10] archived     '' if the caller knows no archive, 'ask' if it does not know the number of
--                       messages up to an archived seq; else `epoch n`
--
-- Returns {'not_found'} | {'deleted'} | {'forbidden', why, untilMs} with why closed | banned
-- | {'invalid', head} (seq is above the head) | {'full'} | {'refused'}
-- | {'archived', epoch, head, archived} (needs the number; archived: the newest seq in the archive)
-- | {'moved' | 'new' | 'same', epoch, head, n, seq, readN, mentions}: n up to the head, readN up to
-- seq, new: the first position of the user.

-- Positions of former members to look for when a private room gets a new position.
local SWEEP_MAX = 16

local user, private = ARGV[1], ARGV[2] == '1'
if private and redis.call('HEXISTS', KEYS[3], user) == 0 then return {'not_found'} end
local epoch, deleted, head, n, guarded = room_epoch(KEYS[1], KEYS[2], KEYS[4], ARGV[3], tonumber(ARGV[4]), ARGV[5])
if not epoch then return {deleted and 'deleted' or 'not_found'} end
if guarded then
  local refusal = refusal_of_reading(KEYS[1], KEYS[5], user, store_clock())
  if refusal then return refusal end
end

local seq = tonumber(ARGV[6])
if seq > head then return {'invalid', head} end
local read_seq, read_n, is_stored = position_of(KEYS[7], user, head, n)

-- The number of messages up to `seq`; nil and the newest archived seq if the archive has to tell.
local function number()
  local kept = redis.call('HMGET', KEYS[1], 'first', 'archived', 'archivedFrom')
  local first, archived_from = log_first(kept[1], KEYS[2], head), tonumber(kept[3] or 0)
  local is_archived = seq < first - 1 and archived_from > 0 and archived_from < first
  if ARGV[10] == '' or not is_archived then return n_at(KEYS[2], KEYS[6], seq, first, head, n) end
  local known_epoch, known_n = string.match(ARGV[10], '^(%S+) (%d+)$')
  if known_epoch == epoch then return tonumber(known_n) end
  return nil, tonumber(kept[2] or 0)
end

local outcome = 'same'
if seq > read_seq then
  if not is_stored then
    -- Former members keep their positions until there are too many. Then they are removed.
    if private and redis.call('HLEN', KEYS[7]) > 2 * redis.call('HLEN', KEYS[3]) + SWEEP_MAX then
      for _, reader in ipairs(redis.call('HRANDFIELD', KEYS[7], SWEEP_MAX)) do
        if redis.call('HEXISTS', KEYS[3], reader) == 0 then redis.call('HDEL', KEYS[7], reader) end
      end
    end
    if redis.call('HLEN', KEYS[7]) >= tonumber(ARGV[9]) then return {'full'} end
    if ARGV[7] == '0' then return {'refused'} end
  end
  local seq_n, archived = number()
  if archived then return {'archived', epoch, head, archived} end
  read_seq, read_n = seq, math.max(read_n, math.min(seq_n, n))
  redis.call('HSET', KEYS[7], user, string.format('%d %d', read_seq, read_n))
  forget_read_mentions(KEYS[8], user, read_seq)
  if redis.call('HLEN', private and KEYS[3] or KEYS[7]) <= tonumber(ARGV[8]) then
    local announcement = string.format('1 R %s %d %d %d\n', epoch, read_seq, store_clock(), #user)
    redis.call('SPUBLISH', KEYS[4], announcement .. user)
  end
  outcome = is_stored and 'moved' or 'new'
end
return {outcome, epoch, head, n, read_seq, read_n, mentions_above(KEYS[8], user, read_seq)}
