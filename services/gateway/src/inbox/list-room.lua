-- Lists a room of a user, or lists it again.
-- Invariant: each value of a room is new, so a repair can tell whether the room was listed again
-- since it read the value.
--
-- KEYS[1] list          room → `ms as notify`; ms: when it was listed, by the store's clock
-- ARGV[1] room
-- ARGV[2] as            member | follow
-- ARGV[3] notify        '' keeps what is set; all if nothing is
-- ARGV[4] roomsMax
-- ARGV[5] ifMissing     '1': changes nothing if the room is listed
--
-- Returns {'new' | 'known', value} | {'full'}.

local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and ARGV[5] == '1' then return {'known', known} end
if not known and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then return {'full'} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local notify = ARGV[3]
if known then
  local listed, set = string.match(known, '^(%d+) %l+ (%l+)$')
  now = math.max(now, tonumber(listed) + 1)
  if notify == '' then notify = set end
end
if notify == '' then notify = 'all' end
local value = string.format('%d %s %s', now, ARGV[2], notify)
redis.call('HSET', KEYS[1], ARGV[1], value)
return {known and 'known' or 'new', value}
