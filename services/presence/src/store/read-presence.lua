-- Reads a user as another user who shares a room may see the user.
-- KEYS[1] rooms
-- KEYS[2] status
-- KEYS[3] seen
-- ARGV[1] room...    rooms of the reader
-- Returns {isPresent, isNear, status, text, seenMs}; '' for what is not set. An invisible user is
-- neither present nor near, as a user who is absent.
local status = redis.call('HMGET', KEYS[2], 'status', 'text')
local isPresent = status[1] ~= 'invisible' and redis.call('EXISTS', KEYS[1]) == 1
local isNear = false
if isPresent and #ARGV > 0 then
  for _, score in ipairs(redis.call('ZMSCORE', KEYS[1], unpack(ARGV))) do isNear = isNear or score ~= false end
end
return {isPresent and 1 or 0, isNear and 1 or 0, status[1] or '', status[2] or '', redis.call('GET', KEYS[3]) or ''}
