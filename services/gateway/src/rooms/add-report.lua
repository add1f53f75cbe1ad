-- Keeps a report of a message for the room's moderators.
-- Invariant: one report of one user for one message, and never more than the limits.
--
-- KEYS[1] log
-- KEYS[2] reports
-- ARGV[1] seq           of the message
-- ARGV[2] userId        who reports
-- ARGV[3] reason        JSON string
-- ARGV[4] reportsMax    in the room
-- ARGV[5] memberMax     of one user in the room
-- ARGV[6] author        of a message that is in the archive only; '' if the log should have it
--
-- Returns 'ok' (also if this user reported it before) | 'not_found' | 'full'.

local id, author = ARGV[1] .. '-0', ARGV[6]
if author == '' then
  local entry = redis.call('XRANGE', KEYS[1], id, id)[1]
  if not entry or not string.find(entry[2][8], '"type":"text"', 1, true) then return 'not_found' end
  author = entry[2][2]
end
local field = ARGV[1] .. '\n' .. ARGV[2]
if redis.call('HEXISTS', KEYS[2], field) == 1 then return 'ok' end
local fields, own = redis.call('HKEYS', KEYS[2]), 0
for _, known in ipairs(fields) do
  if string.match(known, '\n(.*)$') == ARGV[2] then own = own + 1 end
end
if #fields >= tonumber(ARGV[4]) or own >= tonumber(ARGV[5]) then return 'full' end
local time = redis.call('TIME')
local ts = time[1] * 1000 + math.floor(time[2] / 1000)
local report = string.format('{"ts":%d,"from":%s,"reason":%s}', ts, cjson.encode(author), ARGV[3])
redis.call('HSET', KEYS[2], field, report)
return 'ok'
