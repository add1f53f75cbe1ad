-- Settles an attempt that did not fail: gives back what begin-attempt.lua took, and remembers where
-- the account signed in.
--
-- KEYS[1] failures           as in begin-attempt.lua
-- KEYS[2] failureTimes
-- KEYS[3] budgets
-- KEYS[4] known
-- ARGV[1] account
-- ARGV[2] address
-- ARGV[3] outcome            'ok': it signed in; 'undone': the password may be right or wrong
-- ARGV[4] known              whether the address was known at the beginning: 0 or 1
-- ARGV[5] accountIntervalMs
-- ARGV[6] addressIntervalMs  0: the address was not counted
-- ARGV[7] knownMax           addresses that an account has
-- ARGV[8] knownMs            they are forgotten after this time without a sign-in
--
-- Returns 1.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local pair = ARGV[1] .. ' ' .. ARGV[2]
local count, at = string.match(redis.call('HGET', KEYS[1], pair) or '0 0', '^(%d+) (%d+)$')
if ARGV[3] == 'ok' or tonumber(count) <= 1 then
  redis.call('HDEL', KEYS[1], pair)
  redis.call('ZREM', KEYS[2], pair)
else
  redis.call('HSET', KEYS[1], pair, string.format('%d %d', count - 1, at))
end

local function give_back(member, interval)
  local full = redis.call('ZSCORE', KEYS[3], member)
  if full then redis.call('ZADD', KEYS[3], full - interval, member) end
end
if ARGV[4] == '0' then
  give_back('account ' .. ARGV[1], ARGV[5])
  if tonumber(ARGV[6]) > 0 then give_back('address ' .. ARGV[2], ARGV[6]) end
end

if ARGV[3] == 'ok' then
  redis.call('ZADD', KEYS[4], now, ARGV[2])
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now - ARGV[8])
  redis.call('ZREMRANGEBYRANK', KEYS[4], 0, -(ARGV[7] + 1))
  redis.call('PEXPIRE', KEYS[4], ARGV[8])
end
return 1
