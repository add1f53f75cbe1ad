-- Reports this node's connections and returns those of all nodes.
-- Invariant: a node that has been silent for staleMs is not in the answer.
--
-- KEYS[1] loads         hash: node → connections
-- KEYS[2] seen          sorted set: node → milliseconds of the store's clock
-- ARGV[1] node
-- ARGV[2] connections   '' removes this node
-- ARGV[3] staleMs       nodes silent for longer are removed
--
-- Returns {node, connections, …}.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[2] == '' then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('ZADD', KEYS[2], now, ARGV[1])
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
local silent = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - tonumber(ARGV[3]))
-- A report in the future came before the clock was set back. A living node reports again.
for _, node in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. now, '+inf')) do silent[#silent + 1] = node end
for _, node in ipairs(silent) do
  redis.call('ZREM', KEYS[2], node)
  redis.call('HDEL', KEYS[1], node)
end
return redis.call('HGETALL', KEYS[1])
