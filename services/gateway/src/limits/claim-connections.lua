-- Notes how many connections of a user a node has, if the user may have so many.
-- Invariant: nodes are granted at most max together, unless they already held more.
--
-- KEYS[1] userConnections  hash: node → "count expiryMs", by Redis' clock
-- ARGV[1] node
-- ARGV[2] held          connections that the node has; they are never refused
-- ARGV[3] wanted        connections that it would have, at least held
-- ARGV[4] free          a node with at most so many is not noted
-- ARGV[5] max           connections of the user on all noted nodes
-- ARGV[6] ttlMs         a node that does not repeat its claim for so long is forgotten
--
-- Returns the connections that the node is granted, or 0 if it is not noted.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ttl = tonumber(ARGV[6])
local others = 0
local claims = redis.call('HGETALL', KEYS[1])
for i = 1, #claims, 2 do
  local count, expiry = string.match(claims[i + 1], '^(%d+) (%d+)$')
  -- An expiry later than a new one was set before the clock was set back.
  if tonumber(expiry) <= now or tonumber(expiry) > now + ttl then
    redis.call('HDEL', KEYS[1], claims[i])
  elseif claims[i] ~= ARGV[1] then
    others = others + tonumber(count)
  end
end
local granted = math.max(tonumber(ARGV[2]), math.min(tonumber(ARGV[3]), tonumber(ARGV[5]) - others))
if granted <= tonumber(ARGV[4]) then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d %d', granted, now + ttl))
redis.call('PEXPIRE', KEYS[1], ttl)
return granted
