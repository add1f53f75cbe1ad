-- Takes rooms out of the list of a user that were not listed again since the caller read it.
--
-- KEYS[1] list          room → `ms as notify`
-- ARGV[1] rooms         JSON list: room, value, room, value …
--
-- Returns how many were taken out.

local rooms, dropped = cjson.decode(ARGV[1]), 0
for index = 1, #rooms, 2 do
  if redis.call('HGET', KEYS[1], rooms[index]) == rooms[index + 1] then
    dropped = dropped + redis.call('HDEL', KEYS[1], rooms[index])
  end
end
return dropped
