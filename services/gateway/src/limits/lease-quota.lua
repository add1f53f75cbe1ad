-- Leases a block of a user's message tokens to one node.
-- Invariant: all nodes together never get more tokens than the user's one bucket yields, by Redis'
-- clock.
--
-- KEYS[1] quota         hash: tokens, atMs
-- ARGV[1] wanted        tokens that the node asks for
-- ARGV[2] perSecond
-- ARGV[3] burst
--
-- Returns {granted, retryAfterMs}: granted is 0 to wanted; retryAfterMs is 0 unless granted is 0.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local per_second, burst = tonumber(ARGV[2]), tonumber(ARGV[3])
local state = redis.call('HMGET', KEYS[1], 'tokens', 'atMs')
local tokens = tonumber(state[1] or burst)
local elapsed = math.max(0, now - tonumber(state[2] or now))
tokens = math.min(burst, tokens + elapsed * per_second / 1000)
local granted = math.min(tonumber(ARGV[1]), math.floor(tokens))
local retry = 0
if granted < 1 then
  granted = 0
  retry = math.ceil((1 - tokens) * 1000 / per_second)
end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens - granted), 'atMs', string.format('%d', now))
-- A full bucket equals no bucket, so the key expires when it is full.
redis.call('PEXPIRE', KEYS[1], math.ceil(burst * 1000 / per_second) + 1000)
return {granted, retry}
