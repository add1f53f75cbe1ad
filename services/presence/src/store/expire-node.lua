-- Ends a node's epoch if its lease has expired. Returns the epochs that have to be removed.
-- KEYS[1] node
-- KEYS[2] epochs
-- ARGV[1] leaseMs
-- Returns {state, leaseUntil, epoch...}. state: 'alive', 'expired' (by this call) or 'gone'
-- (earlier).
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HMGET', KEYS[1], 'epoch', 'leaseUntil', 'committed')
local leaseUntil = tonumber(known[2]) or 0
-- A lease that reaches further was given before the clock was set back.
if known[1] and leaseUntil > nowMs + tonumber(ARGV[1]) then
  leaseUntil = nowMs + tonumber(ARGV[1])
  redis.call('HSET', KEYS[1], 'leaseUntil', leaseUntil)
end
local epochs = redis.call('SMEMBERS', KEYS[2])
local state = 'gone'
if known[1] and leaseUntil >= nowMs then
  state = 'alive'
elseif known[1] then
  redis.call('HDEL', KEYS[1], 'epoch')
  state = 'expired'
end
local answer = {state, leaseUntil}
for _, epoch in ipairs(epochs) do
  -- The older epochs of a living node are void when the current one is complete.
  if state ~= 'alive' or (known[3] == known[1] and tonumber(epoch) < tonumber(known[1])) then
    answer[#answer + 1] = epoch
  end
end
return answer
