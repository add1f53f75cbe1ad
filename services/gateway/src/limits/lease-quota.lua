-- Leases a block of a user's messages and bytes to one node.
-- Invariant: all nodes together never get more than the user's two buckets yield, by Redis' clock.
--
-- KEYS[1] quota         hash: tokens (messages), bytes, atMs
-- ARGV[1] wanted        messages that the node asks for
-- ARGV[2] needed        0 or 1; if less is left, nothing is granted
-- ARGV[3] perSecond
-- ARGV[4] burst
-- ARGV[5] bytesWanted
-- ARGV[6] bytesNeeded   if less is left, nothing is granted
-- ARGV[7] bytesPerSecond
-- ARGV[8] bytesBurst
--
-- Returns {granted, bytesGranted, retryAfterMs}: retryAfterMs is 0 unless needed bytes are lacking,
-- or messages were asked for and none is left.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local state = redis.call('HMGET', KEYS[1], 'tokens', 'bytes', 'atMs')
local elapsed = math.max(0, now - tonumber(state[3] or now))

local function refilled(left, per_second, burst)
  return math.min(burst, tonumber(left or burst) + elapsed * per_second / 1000)
end
local per_second, burst = tonumber(ARGV[3]), tonumber(ARGV[4])
local bytes_per_second, bytes_burst = tonumber(ARGV[7]), tonumber(ARGV[8])
local tokens = refilled(state[1], per_second, burst)
local bytes = refilled(state[2], bytes_per_second, bytes_burst)

local granted = math.min(tonumber(ARGV[1]), math.floor(tokens))
local bytes_granted = math.min(tonumber(ARGV[5]), math.floor(bytes))
local bytes_lacking = tonumber(ARGV[6]) - bytes
local retry = 0
if granted < 1 and tonumber(ARGV[1]) > 0 then retry = math.ceil((1 - tokens) * 1000 / per_second) end
if bytes_lacking > 0 then retry = math.max(retry, math.ceil(bytes_lacking * 1000 / bytes_per_second)) end
if granted < tonumber(ARGV[2]) or bytes_lacking > 0 then granted, bytes_granted = 0, 0 end
tokens, bytes = tokens - granted, bytes - bytes_granted
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'bytes', string.format('%.3f', bytes), 'atMs',
  string.format('%d', now))
-- Full buckets equal no buckets, so the key expires when both are full.
local full_ms = math.max((burst - tokens) / per_second, (bytes_burst - bytes) / bytes_per_second) * 1000
redis.call('PEXPIRE', KEYS[1], math.ceil(full_ms) + 1000)
return {granted, bytes_granted, retry}
