-- Begins a new epoch of a node, greater than all before. Refused while a newer process with the
-- same name holds a lease.
-- KEYS[1] node
-- KEYS[2] epochs
-- ARGV[1] process    random name of the process
-- ARGV[2] startedAt  the result of the first call of this process; 0 in the first call
-- ARGV[3] leaseMs
-- Returns {'ok', startedAt, epoch, leaseUntil} or {'superseded'}. startedAt and epoch are
-- microseconds of the clock of Redis.
local time = redis.call('TIME')
local nowUs = time[1] * 1000000 + time[2]
local nowMs = math.floor(nowUs / 1000)
local known = redis.call('HMGET', KEYS[1], 'process', 'startedAt', 'epoch', 'leaseUntil', 'lastEpoch')
local startedAt = tonumber(ARGV[2])
if known[1] and known[1] ~= ARGV[1] and startedAt > 0 and known[3]
    and tonumber(known[2]) > startedAt and tonumber(known[4]) >= nowMs then
  return {'superseded'}
end
if startedAt == 0 then startedAt = nowUs end
-- The clock may have been set back, but epochs must grow.
local epoch = math.max(nowUs, (tonumber(known[5]) or 0) + 1)
local leaseUntil = nowMs + tonumber(ARGV[3])
local text = string.format('%.0f', epoch)
redis.call('HSET', KEYS[1], 'process', ARGV[1], 'startedAt', string.format('%.0f', startedAt), 'epoch', text,
  'lastEpoch', text, 'seq', 0, 'leaseUntil', leaseUntil)
redis.call('HDEL', KEYS[1], 'committed')
redis.call('SADD', KEYS[2], text)
return {'ok', startedAt, epoch, leaseUntil}
