-- Accepts a report if it is the next of its epoch, or repeats the last one. Records the entered
-- pairs before any room changes, so that a sweeper finds every entry. A report extends the lease.
-- KEYS[1] node
-- KEYS[2] pairs
-- ARGV[1] epoch
-- ARGV[2] seq
-- ARGV[3] leaseMs
-- ARGV[4] pair...    `room user` that the report enters
-- Returns {'ok', nowMs}, {'resync'} (unknown epoch, expired lease, or missing reports) or {'stale'}
-- (repeats an older report).
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HMGET', KEYS[1], 'epoch', 'seq', 'leaseUntil')
if known[1] ~= ARGV[1] or tonumber(known[3]) < nowMs then return {'resync'} end
local seq, last = tonumber(ARGV[2]), tonumber(known[2])
if seq < last then return {'stale'} end
if seq > last + 1 then return {'resync'} end
redis.call('HSET', KEYS[1], 'seq', seq, 'leaseUntil', nowMs + tonumber(ARGV[3]))
for i = 4, #ARGV do redis.call('ZADD', KEYS[2], 'GT', seq, ARGV[i]) end
return {'ok', nowMs}
