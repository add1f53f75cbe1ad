-- A library that stands before each script of the room log.
--
-- An epoch names one life of the log: "<generation>.<random>". The generation lets a node that remembers tell a rolled back
-- store from a newer one; clients treat the whole as opaque.

local function generation(epoch)
  return tonumber(string.match(epoch, '^(%d+)%.')) or 0
end

-- The newest seq. There is no counter beside the stream: a script is atomic but not transactional, and a counter could
-- run ahead of a failed XADD.
local function log_head(log_key)
  local last = redis.call('XREVRANGE', log_key, '+', '-', 'COUNT', 1)
  if not last[1] then return 0 end
  return tonumber(string.match(last[1][1], '^%d+'))
end

-- Returns epoch, base (the head at which this epoch began) and head, or nil where the room does not exist. Opens a new epoch
-- where the store shows less than the caller has seen: that is how a rollback is noticed.
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
      -- An empty room that was forgotten: nothing is lost by giving it its name back.
      redis.call('HSET', meta_key, 'epoch', seen_epoch, 'base', 0, 'visibility', 'public')
      return seen_epoch, 0, 0
    end
    lost = true
  elseif epoch == seen_epoch then
    lost = head < seen_seq
  else
    lost = generation(seen_epoch) > generation(epoch)
  end
  if not lost then return epoch, base, head end
  local next_generation = math.max(generation(seen_epoch), epoch and generation(epoch) or 0) + 1
  epoch, base = next_generation .. '.' .. candidate, head
  redis.call('HSET', meta_key, 'epoch', epoch, 'base', base)
  redis.call('PERSIST', meta_key)
  redis.call('SPUBLISH', live_channel, '1 E ' .. epoch .. ' ' .. base .. ' 0 0\n')
  return epoch, base, head
end
