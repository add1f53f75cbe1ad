-- Ends a node's epoch at its own wish. A younger process under the same name is not touched.
-- KEYS[1] node
-- ARGV[1] epoch
-- Returns 1, or 0 if that epoch is not the current one.
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'epoch')
return 1
