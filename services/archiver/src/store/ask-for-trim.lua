#!lua flags=allow-oom
-- Asks gateways to trim rooms. It works in a full store, where only this makes place.
--
-- KEYS[1] trim
-- ARGV[1] rooms      JSON list
--
-- Returns the number of rooms that were not in the set.

local added = 0
for _, room in ipairs(cjson.decode(ARGV[1])) do
  added = added + redis.call('SADD', KEYS[1], room)
end
return added
