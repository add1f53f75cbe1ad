-- Forgets an epoch that has no pairs left, and the node with its last one.
-- KEYS[1] node
-- KEYS[2] epochs
-- KEYS[3] pairs
-- ARGV[1] epoch
-- Returns 1 if nothing of the node is left, 0 otherwise.
if redis.call('ZCARD', KEYS[3]) > 0 or redis.call('HGET', KEYS[1], 'epoch') == ARGV[1] then return 0 end
redis.call('SREM', KEYS[2], ARGV[1])
if redis.call('SCARD', KEYS[2]) > 0 or redis.call('HEXISTS', KEYS[1], 'epoch') == 1 then return 0 end
redis.call('DEL', KEYS[1])
return 1
