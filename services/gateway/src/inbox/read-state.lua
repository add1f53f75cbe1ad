-- Functions about what users have read. Prepended, after the libraries of the log, to the scripts
-- about lists and read positions.
--
-- `reads` is a hash: user → `seq n`, the position up to which the user has read, and the number of
-- messages up to it. For `mentions` see room-overlay.lua.

-- The number of messages up to `at`. Of entries that the log does not keep all count as read.
local function n_at(log_key, erased_key, at, first, head, n)
  if at >= head then return n end
  local kept = math.max(at, first)
  local fields = entry_at(log_key, erased_key, kept)
  if not fields then return n end
  if kept == at then return n_of(fields, at) end
  return n_of(fields, kept) - (is_message(fields) and 1 or 0)
end

-- The user's position, which is never above the head: seq, n, and whether it is stored.
local function position_of(reads_key, user, head, n)
  local stored = redis.call('HGET', reads_key, user)
  if not stored then return 0, 0, false end
  local seq, read_n = string.match(stored, '^(%d+) (%d+)$')
  return math.min(tonumber(seq), head), math.min(tonumber(read_n), n), true
end

local SEQ_END = ':'

-- The number of messages above `seq` that mention the user, or the room unless the user wrote the
-- mention.
local function mentions_above(mentions_key, user, seq)
  local above = string.format('%016d', seq)
  local function count(start)
    return redis.call('ZLEXCOUNT', mentions_key, '(' .. start .. above, '(' .. start .. SEQ_END)
  end
  return count('m\n' .. user .. '\n') + count('r\n') - count('o\n' .. user .. '\n')
end

-- Removes mentions of the user up to `seq`. Mentions of the room stay, because they concern other
-- users too.
local function forget_read_mentions(mentions_key, user, seq)
  local up_to = string.format('%016d', seq)
  for _, start in ipairs({'m\n' .. user .. '\n', 'o\n' .. user .. '\n'}) do
    redis.call('ZREMRANGEBYLEX', mentions_key, '[' .. start, '[' .. start .. up_to)
  end
end
