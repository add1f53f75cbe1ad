-- Notes a room that a user makes, if the user may make one more.
-- Invariant: a user has at most roomsMax public rooms and allRoomsMax rooms, and made at most
-- perHour of them within an hour.
--
-- KEYS[1] userRooms     sorted set: room by the time (ms) at which it was made
-- ARGV[1] room
-- ARGV[2] roomsMax
-- ARGV[3] perHour
-- ARGV[4] allRoomsMax
--
-- Returns {'new', time} | {'known'} | {'full'} | {'wait', retryAfterMs}.

local HOUR_MS = 3600000

local function is_public(room) return not string.match(room, '^[dp]%-') end

local function has_max(rooms)
  local count = redis.call('ZCARD', rooms)
  if count >= tonumber(ARGV[4]) then return true end
  local roomsMax = tonumber(ARGV[2])
  if count < roomsMax or not is_public(ARGV[1]) then return false end
  local public = 0
  for _, room in ipairs(redis.call('ZRANGE', rooms, 0, -1)) do
    if is_public(room) then public = public + 1 end
  end
  return public >= roomsMax
end

if redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  -- This request relies on the earlier claim, which release-room.lua now leaves alone.
  redis.call('ZINCRBY', KEYS[1], 1, ARGV[1])
  return {'known'}
end
if has_max(KEYS[1]) then return {'full'} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- The room that must be an hour old before another is made.
local limiting = redis.call('ZREVRANGE', KEYS[1], ARGV[3] - 1, ARGV[3] - 1, 'WITHSCORES')
local wait = limiting[2] and tonumber(limiting[2]) + HOUR_MS - now or 0
-- The clock may have been set back.
if wait > 0 then return {'wait', math.min(wait, HOUR_MS)} end
redis.call('ZADD', KEYS[1], now, ARGV[1])
return {'new', now}
