-- Publishes the room's next difference if it is due. Numbering and publishing are one atomic step,
-- so differences of several instances appear in the order of their versions.
-- KEYS[1] records
-- KEYS[2] shown
-- KEYS[3] changed
-- KEYS[4] due
-- KEYS[5] meta
-- ARGV[1] room
-- ARGV[2] channel
-- ARGV[3] largeRoomUsers  above it a difference has only the count
-- ARGV[4] changesMax      further changes wait for the next one, so that Redis is not blocked
-- ARGV[5] delayMs         pause between two differences
-- Returns {published (0 or 1), nextAt (0 for never)}.
local time = redis.call('TIME')
local nowUs = time[1] * 1000000 + time[2]
local nowMs = math.floor(nowUs / 1000)
local head = redis.call('ZRANGE', KEYS[4], 0, 0, 'WITHSCORES')
local nextDue = tonumber(head[2]) or 0
local known = redis.call('HMGET', KEYS[5], 'version', 'flushAt')
local flushAt = tonumber(known[2]) or 0
if flushAt == 0 then return {0, nextDue} end
-- A time further ahead than one pause was set before the clock was set back.
if flushAt > nowMs and flushAt <= nowMs + tonumber(ARGV[5]) then
  return {0, (nextDue > 0 and nextDue < flushAt) and nextDue or flushAt}
end
local before = redis.call('HLEN', KEYS[2])
local changes = redis.call('HSCAN', KEYS[3], 0, 'COUNT', ARGV[4])[2]
local joins, leaves, updates = {}, {}, {}
for i = 1, #changes, 2 do
  local user, shown = changes[i], changes[i + 1]
  redis.call('HDEL', KEYS[3], user)
  if shown == '' then
    if redis.call('HDEL', KEYS[2], user) == 1 then leaves[#leaves + 1] = '{"id":' .. cjson.encode(user) .. '}' end
  elseif redis.call('HSET', KEYS[2], user, shown) == 1 then
    joins[#joins + 1] = shown
  else
    updates[#updates + 1] = shown
  end
end
local count, large = redis.call('HLEN', KEYS[2]), tonumber(ARGV[3])
local whole = false
if count > large then
  joins, leaves, updates = {}, {}, {}
elseif before > large then
  -- The room was too large for names until now: list all users.
  joins, leaves, updates, whole = redis.call('HVALS', KEYS[2]), {}, {}, true
end
local prev = tonumber(known[1]) or 0
local version = prev > 0 and prev + 1 or nowUs
if redis.call('EXISTS', KEYS[3]) == 1 then
  flushAt = nowMs + tonumber(ARGV[5])
  redis.call('HSET', KEYS[5], 'version', string.format('%.0f', version), 'flushedAt', nowMs, 'flushAt', flushAt)
else
  flushAt = 0
  redis.call('HSET', KEYS[5], 'version', string.format('%.0f', version), 'flushedAt', nowMs)
  redis.call('HDEL', KEYS[5], 'flushAt')
  if redis.call('EXISTS', KEYS[1], KEYS[2]) == 0 then redis.call('DEL', KEYS[5]) end
end
redis.call('SPUBLISH', ARGV[2], string.format(
  '{"room":%s,"prev":%.0f,"version":%.0f,"count":%d,"whole":%s,"joins":[%s],"leaves":[%s],"updates":[%s]}',
  cjson.encode(ARGV[1]), prev, version, count, tostring(whole),
  table.concat(joins, ','), table.concat(leaves, ','), table.concat(updates, ',')))
if flushAt > 0 and (nextDue == 0 or flushAt < nextDue) then return {1, flushAt} end
return {1, nextDue}
