-- Removes the oldest entries of a room that are kept for too long, and all that is known of them.
-- Invariant: the kept entries have no gap. The newest keepMin stay. It removes a limited number,
-- and is called while a room grows. With the archive on, what leaves is in the archive, and so is
-- all that concerns it.
--
-- KEYS[1] meta
-- KEYS[2] log
-- KEYS[3] ids
-- KEYS[4] erased
-- KEYS[5] overlay
-- KEYS[6] reactionsPrefix
-- KEYS[7] repliesPrefix
-- KEYS[8] pins
-- KEYS[9] mentions
-- KEYS[10] late
-- ARGV[1] keepMin       number of newest entries that are always kept
-- ARGV[2] keepMax       maximum number of entries
-- ARGV[3] keepAgeMs     beyond keepMin, older entries are removed
-- ARGV[4] batch         maximum number of entries that are removed
-- ARGV[5] archive       '1': the archive is on. Messages stay pinned there
--
-- Returns the number of removed entries.

local keys = {
  meta = KEYS[1], log = KEYS[2], ids = KEYS[3], erased = KEYS[4], overlay = KEYS[5], reactions = KEYS[6],
  replies = KEYS[7], pins = KEYS[8], mentions = KEYS[9], late = KEYS[10],
}
local head = log_head(keys.log)
local meta = redis.call('HMGET', keys.meta, 'first', 'archived')
local first = log_first(meta[1], keys.log, head)
local surplus = head - first + 1 - tonumber(ARGV[1])
local archived = ARGV[5] == '1' and tonumber(meta[2] or 0)
local last = first + math.min(surplus, tonumber(ARGV[4])) - 1
if archived then last = math.min(last, archived) end
if last < first then return 0 end

local over = head - tonumber(ARGV[2])
local too_old = store_clock() - tonumber(ARGV[3])
local has_overlay = redis.call('EXISTS', keys.overlay) == 1
local has_mentions = redis.call('EXISTS', keys.mentions) == 1

local function forget_message(seq, fields)
  local id = seq_text(seq)
  local values = redis.call('HMGET', keys.overlay, 'e' .. id, 'd' .. id)
  if has_mentions and not values[2] then
    forget_mentions(keys, seq, fields[2], mentions_of(current_text(keys, fields, values[1])))
  end
  if not has_overlay then return end
  redis.call('HDEL', keys.overlay, 'e' .. id, 'd' .. id, 'r' .. id, 't' .. id, 'p' .. id, 'l' .. id)
  redis.call('UNLINK', keys.reactions .. id, keys.replies .. id)
  if not archived then redis.call('ZREM', keys.pins, id) end
end

-- Removes late changes that the archive already has.
local function forget_late(up_to)
  local range = {'-inf', seq_text(up_to)}
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', keys.late, range[1], range[2])) do
    local target, change = string.match(member, '^(%d+)\n(%d+)$')
    local newest = redis.call('HGET', keys.overlay, 'l' .. target)
    if newest == change then redis.call('HDEL', keys.overlay, 'l' .. target) end
  end
  redis.call('ZREMRANGEBYSCORE', keys.late, range[1], range[2])
end

-- The newest concerns of first..last that the archive may lack; nil if there are none.
local function newest_concerns()
  if not archived or not has_overlay then return nil end
  local fields = {}
  for seq = first, last do fields[#fields + 1] = 'l' .. seq_text(seq) end
  return redis.call('HMGET', keys.overlay, unpack(fields))
end

local concerns = newest_concerns()
local first_kept = last + 1
local gone = {}
for _, entry in ipairs(entries_between(keys, first, last)) do
  local seq, fields = entry[1], entry[2]
  local concern = concerns and concerns[seq - first + 1]
  if (seq > over and tonumber(fields[6]) >= too_old) or (concern and tonumber(concern) > archived) then
    first_kept = seq
    break
  end
  gone[#gone + 1] = entry
end
if first_kept == first then return 0 end
for _, entry in ipairs(gone) do
  local seq, fields, erased = entry[1], entry[2], entry[3]
  -- After a rollback, the id may belong to a later entry. Then it stays.
  local field, id = fields[2] .. '\n' .. fields[4], seq_text(seq)
  if redis.call('HGET', keys.ids, field) == id then redis.call('HDEL', keys.ids, field) end
  if is_message(fields) and (has_overlay or has_mentions) then forget_message(seq, fields) end
  if erased then redis.call('HDEL', keys.erased, id) end
end
forget_late(first_kept - 1)
-- A full store refuses HSET, unless the script has already made a permitted write.
redis.call('XTRIM', keys.log, 'MINID', seq_text(first_kept) .. '-0')
redis.call('HSET', keys.meta, 'first', seq_text(first_kept))
return first_kept - first
