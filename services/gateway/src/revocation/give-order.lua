-- Gives an order to all nodes, and remembers a revocation. Invariant: a revocation is in the sorted
-- set if and only if its order was given, and its time never goes back.
--
-- KEYS[1] revocations
-- KEYS[2] orders
-- KEYS[3] channel
-- ARGV[1] kind            'revoke', or a kind that is not remembered
-- ARGV[2] target          a user, a node or a text
-- ARGV[3] revocationsMax  the oldest revocations above this number are dropped
-- ARGV[4] ordersMax       about so many orders are kept
--
-- Returns the time of the order in milliseconds of the store's clock.

local time = redis.call('TIME')
local at = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[1] == 'revoke' then
  -- The clock may have been set back.
  at = math.max(at, tonumber(redis.call('ZSCORE', KEYS[1], ARGV[2]) or '0'))
  redis.call('ZADD', KEYS[1], string.format('%d', at), ARGV[2])
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -(tonumber(ARGV[3]) + 1))
end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', 'k', ARGV[1], 'u', ARGV[2], 't', string.format('%d', at))
redis.call('SPUBLISH', KEYS[3], '1')
return at
