-- Claims the members of a schedule that are due. Without a release they are due again after
-- `claimMs`.
-- KEYS[1] schedule
-- ARGV[1] limit
-- ARGV[2] claimMs
-- ARGV[3] horizonMs  nothing is scheduled further ahead. A later time was set before the clock was
--                    set back, and is due
-- Returns {claim, member...}.
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local claim = nowMs + tonumber(ARGV[2])
local members = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', nowMs, 'LIMIT', 0, ARGV[1])
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. (nowMs + tonumber(ARGV[3])), '+inf', 'LIMIT', 0, ARGV[1])) do
  members[#members + 1] = member
end
for _, member in ipairs(members) do redis.call('ZADD', KEYS[1], claim, member) end
table.insert(members, 1, claim)
return members
