-- Ends a node's epoch on request of the node. A newer process with the same name is not affected.
-- KEYS[1] node
-- ARGV[1] epoch
-- Returns 1, or 0 if that epoch is not the current one.
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'epoch')
return 1
