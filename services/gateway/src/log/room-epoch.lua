-- Functions that are prepended to each script of the room log.
--
-- An epoch names one incarnation of a log: "<number>.<random>". Later epochs have higher numbers,
-- so a node can tell a rolled back log from a newer one. For clients the whole string is opaque.

-- A day. Reads by members extend it.
local EMPTY_AGAIN_MS = 86400000

local function epoch_number(epoch)
  return tonumber(string.match(epoch, '^(%d+)%.')) or 0
end

-- The newest seq is the stream's last id. A separate counter could run ahead: a script is atomic
-- but not transactional, so an INCR would stay after a failed XADD.
local function log_head(log_key)
  local last = redis.call('XREVRANGE', log_key, '+', '-', 'COUNT', 1)
  if not last[1] then return 0 end
  return tonumber(string.match(last[1][1], '^%d+'))
end

-- Returns epoch, base (the head at which this epoch began) and head, or nil if the room does not
-- exist. Opens a new epoch if the log shows less than the caller has seen, because then the log was
-- rolled back.
local function room_epoch(meta_key, log_key, live_channel, seen_epoch, seen_seq, candidate)
  local meta = redis.call('HMGET', meta_key, 'epoch', 'base')
  local epoch, base = meta[1], tonumber(meta[2] or '0')
  local head = log_head(log_key)
  if seen_epoch == '' then
    if not epoch then return nil end
    return epoch, base, head
  end
  local lost = false
  if not epoch then
    if seen_seq == 0 and head == 0 then
      -- An empty room expired. No entry was lost, so it keeps its epoch. It expires again, unless a
      -- message is written.
      redis.call('HSET', meta_key, 'epoch', seen_epoch, 'base', 0, 'visibility', 'public')
      redis.call('PEXPIRE', meta_key, EMPTY_AGAIN_MS)
      return seen_epoch, 0, 0
    end
    lost = true
  elseif epoch == seen_epoch then
    lost = head < seen_seq
  else
    lost = epoch_number(seen_epoch) > epoch_number(epoch)
  end
  if not lost then return epoch, base, head end
  local next_number = math.max(epoch_number(seen_epoch), epoch and epoch_number(epoch) or 0) + 1
  epoch, base = next_number .. '.' .. candidate, head
  redis.call('HSET', meta_key, 'epoch', epoch, 'base', base)
  redis.call('PERSIST', meta_key)
  redis.call('SPUBLISH', live_channel, '1 E ' .. epoch .. ' ' .. base .. ' 0 0\n')
  return epoch, base, head
end
