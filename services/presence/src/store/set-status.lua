-- Sets a user's status. Returns the rooms in which it has to be announced.
-- KEYS[1] rooms
-- KEYS[2] status
-- ARGV[1] status
-- ARGV[2] text       '' for none
-- ARGV[3] ifAbsent   1: only if none is set; the result is the current status
-- ARGV[4] keepMs     expiry without further calls, in case a crash left the keys behind
-- ARGV[5] notAfter   ms of the clock of Redis; after it nothing is done
-- Returns {status, text, version, room...}, or {} after `notAfter`.
local time = redis.call('TIME')
local nowUs = time[1] * 1000000 + time[2]
if nowUs / 1000 > tonumber(ARGV[5]) then return {} end
local known = redis.call('HGET', KEYS[2], 'version')
if ARGV[3] ~= '1' or not known then
  local version = math.max(nowUs, (tonumber(known or 0)) + 1)
  redis.call('HSET', KEYS[2], 'status', ARGV[1], 'text', ARGV[2], 'version', string.format('%.0f', version))
end
redis.call('PEXPIRE', KEYS[2], ARGV[4])
local answer = redis.call('HMGET', KEYS[2], 'status', 'text', 'version')
for _, room in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do answer[#answer + 1] = room end
return answer
