-- Functions about the epoch and the head of a room's log. Prepended to each script of the log.
--
-- An epoch names one incarnation of a log: "<number>.<random>". Later epochs have higher numbers,
-- so a node can tell a rolled back log from a newer one. For clients the whole string is opaque.

-- A day. Reads by members extend it.
local EMPTY_AGAIN_MS = 86400000

-- Milliseconds of Redis' clock.
local function store_clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function epoch_number(epoch)
  return tonumber(string.match(epoch, '^(%d+)%.')) or 0
end

-- The number of messages up to an entry. Entries without `n` are from a time when every entry was a
-- message.
local function n_of(fields, seq)
  return tonumber(string.match(fields[8], '^"n":(%d+),') or seq)
end

-- The seq of the newest message up to an entry. Acts of earlier releases do not have the field `l`:
-- then it is the seq before the entry, and the caller looks further down from there.
local function last_message_of(fields, seq)
  if not fields[11] then return seq end
  if fields[11] == 'l' then return tonumber(fields[12]) end
  return tonumber(fields[14] or seq - 1)
end

-- Returns the newest seq, the number of messages up to it, and `last_message_of` it. All come from
-- the newest entry. A separate counter could run ahead: a script is atomic but not transactional,
-- so an INCR would stay after a failed XADD.
local function log_head(log_key)
  local last = redis.call('XREVRANGE', log_key, '+', '-', 'COUNT', 1)[1]
  if not last then return 0, 0, 0 end
  local seq = tonumber(string.match(last[1], '^%d+'))
  return seq, n_of(last[2], seq), last_message_of(last[2], seq)
end

-- The oldest kept seq. `noted` is the meta field `first`, which exists once entries were trimmed or
-- erased. Before that the length of the log gives it.
local function log_first(noted, log_key, head)
  return tonumber(noted or head - redis.call('XLEN', log_key) + 1)
end

-- Returns epoch, base (the head at which this epoch began), head, n (messages up to the head),
-- whether the room is guarded, and last (see `last_message_of`). Returns nil if the room does not
-- exist, and nil, true if it was deleted. Opens a new epoch if the log shows less than the caller
-- has seen, because then the log was rolled back.
-- Guarded: not every user may write or read. Other rooms need no further check, so a message in
-- them costs nothing more.
local function room_epoch(meta_key, log_key, live_channel, seen_epoch, seen_seq, candidate)
  local meta = redis.call('HMGET', meta_key, 'epoch', 'base', 'guarded', 'deleted')
  local epoch, base, guarded = meta[1], tonumber(meta[2] or '0'), meta[3] and true or false
  if meta[4] then return nil, true end
  local head, n, last = log_head(log_key)
  if seen_epoch == '' then
    if not epoch then return nil end
    return epoch, base, head, n, guarded, last
  end
  local lost = false
  if not epoch then
    if seen_seq == 0 and head == 0 then
      -- An empty room expired. No entry was lost, so it keeps its epoch. It expires again, unless a
      -- message is written.
      redis.call('HSET', meta_key, 'epoch', seen_epoch, 'base', 0, 'visibility', 'public')
      redis.call('PEXPIRE', meta_key, EMPTY_AGAIN_MS)
      return seen_epoch, 0, 0, 0, false, 0
    end
    lost = true
  elseif epoch == seen_epoch then
    lost = head < seen_seq
  else
    lost = epoch_number(seen_epoch) > epoch_number(epoch)
  end
  if not lost then return epoch, base, head, n, guarded, last end
  local next_number = math.max(epoch_number(seen_epoch), epoch and epoch_number(epoch) or 0) + 1
  epoch, base = next_number .. '.' .. candidate, head
  redis.call('HSET', meta_key, 'epoch', epoch, 'base', base)
  redis.call('PERSIST', meta_key)
  redis.call('SPUBLISH', live_channel, '1 E ' .. epoch .. ' ' .. base .. ' 0 0\n')
  return epoch, base, head, n, guarded, last
end
