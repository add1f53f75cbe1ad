-- Ends a report that is applied to all rooms: removes the pairs that it left, unless a newer report
-- entered them again.
-- KEYS[1] node
-- KEYS[2] pairs
-- ARGV[1] epoch
-- ARGV[2] seq
-- ARGV[3] commit     1: the epoch's full state is complete, so older epochs may be removed
-- ARGV[4] pair...    `room user` that the report left
-- Returns 1, or 0 if the epoch has ended.
for i = 4, #ARGV do
  local score = redis.call('ZSCORE', KEYS[2], ARGV[i])
  if score and tonumber(score) <= tonumber(ARGV[2]) then redis.call('ZREM', KEYS[2], ARGV[i]) end
end
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
if ARGV[3] == '1' then redis.call('HSET', KEYS[1], 'committed', ARGV[1]) end
return 1
