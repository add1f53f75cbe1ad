-- Replaces records of a room if none of them changed since they were read: all or none. Visible
-- changes wait for the room's next difference.
-- KEYS[1] records
-- KEYS[2] shown
-- KEYS[3] changed
-- KEYS[4] due
-- KEYS[5] meta
-- ARGV[1] notAfter   ms of the clock of Redis, 0 for no limit; after it nothing is done
-- ARGV[2] delayMs    pause between two differences; after a longer pause a change is due at once
-- ARGV[3] change...  user, record as read, next record, next shown ('' for none, each), due (ms, 0:
--                    never)
-- Returns {'ok', nowMs, nextAt}, {'conflict'} or {'late'}.
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local notAfter = tonumber(ARGV[1])
if notAfter > 0 and nowMs > notAfter then return {'late'} end
for i = 3, #ARGV, 5 do
  if (redis.call('HGET', KEYS[1], ARGV[i]) or '') ~= ARGV[i + 1] then return {'conflict'} end
end
for i = 3, #ARGV, 5 do
  local user, record, shown, due = ARGV[i], ARGV[i + 2], ARGV[i + 3], tonumber(ARGV[i + 4])
  if record == '' then redis.call('HDEL', KEYS[1], user) else redis.call('HSET', KEYS[1], user, record) end
  if due > 0 then redis.call('ZADD', KEYS[4], due, user) else redis.call('ZREM', KEYS[4], user) end
  -- A user who left and returned between two differences has not changed.
  if (redis.call('HGET', KEYS[2], user) or '') == shown then
    redis.call('HDEL', KEYS[3], user)
  else
    redis.call('HSET', KEYS[3], user, shown)
  end
end
if redis.call('EXISTS', KEYS[3]) == 0 then
  redis.call('HDEL', KEYS[5], 'flushAt')
  -- Forget an empty room. Later its versions start from the clock, so that none repeats.
  if redis.call('EXISTS', KEYS[1], KEYS[2]) == 0 then redis.call('DEL', KEYS[5]) end
else
  local delayMs = tonumber(ARGV[2])
  local flushedAt = tonumber(redis.call('HGET', KEYS[5], 'flushedAt')) or 0
  -- At most one pause from now, even if the clock was set back.
  redis.call('HSETNX', KEYS[5], 'flushAt', math.min(math.max(nowMs, flushedAt + delayMs), nowMs + delayMs))
end
local head = redis.call('ZRANGE', KEYS[4], 0, 0, 'WITHSCORES')
local nextAt = tonumber(head[2]) or 0
local flushAt = tonumber(redis.call('HGET', KEYS[5], 'flushAt')) or 0
if flushAt > 0 and (nextAt == 0 or flushAt < nextAt) then nextAt = flushAt end
return {'ok', nowMs, nextAt}
