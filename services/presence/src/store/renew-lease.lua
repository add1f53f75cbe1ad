-- Extends a node's lease. If Redis knows fewer reports than the node, it has lost acknowledged
-- writes.
-- The node then has to report its whole state.
-- KEYS[1] node
-- ARGV[1] epoch
-- ARGV[2] seq        the last report that the node knows as acknowledged
-- ARGV[3] leaseMs
-- Returns {'ok', leaseUntil} or {'resync'}.
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HMGET', KEYS[1], 'epoch', 'seq', 'leaseUntil')
if known[1] ~= ARGV[1] or tonumber(known[3]) < nowMs or tonumber(known[2]) < tonumber(ARGV[2]) then return {'resync'} end
local leaseUntil = nowMs + tonumber(ARGV[3])
redis.call('HSET', KEYS[1], 'leaseUntil', leaseUntil)
return {'ok', leaseUntil}
