-- Lets a sign-in with a password be tried, or says how long to wait. An attempt counts as failed
-- until it is settled, so that many at once are no way around. Invariant: all keys have a bounded
-- size, and nothing is kept for longer than needed.
--
-- KEYS[1] failures           hash: account and address → failures in a row and the time of the last
-- KEYS[2] failureTimes       sorted set: the same by that time
-- KEYS[3] budgets            sorted set: an account or an address by when its budget is full again
-- KEYS[4] known              sorted set: addresses from which the account signed in, by time
-- ARGV[1] account
-- ARGV[2] address
-- ARGV[3] freeFailures       of the account at this address before it must wait
-- ARGV[4] waitMaxMs
-- ARGV[5] accountBurst       failures of the account at all addresses that are not known
-- ARGV[6] accountIntervalMs  one more after this time
-- ARGV[7] addressBurst       failures of the address with all accounts that it is not known to; 0:
--                            not counted
-- ARGV[8] addressIntervalMs
-- ARGV[9] entriesMax         of each key; the oldest are forgotten
--
-- Returns {waitMs, known}: waitMs is 0 if the attempt may begin.

local FORGET_MS = 900000
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local pair = ARGV[1] .. ' ' .. ARGV[2]
local max = tonumber(ARGV[9])

for _, old in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - FORGET_MS, 'LIMIT', 0, 100)) do
  redis.call('HDEL', KEYS[1], old)
  redis.call('ZREM', KEYS[2], old)
end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)

local count, at = string.match(redis.call('HGET', KEYS[1], pair) or '0 0', '^(%d+) (%d+)$')
local over = count - ARGV[3]
if over >= 0 then
  local wait = math.min(tonumber(ARGV[4]), 1000 * 2 ^ math.min(over, 20))
  -- The clock may have been set back.
  local left = math.min(wait, at + wait - now)
  if left > 0 then return {math.ceil(left), 0} end
end

local known = redis.call('ZSCORE', KEYS[4], ARGV[2]) and 1 or 0
local function full_at(member) return math.max(now, tonumber(redis.call('ZSCORE', KEYS[3], member) or '0')) end
local function wait_of(member, burst, interval) return full_at(member) - now - (burst - 1) * interval end
if known == 0 then
  local account, address = 'account ' .. ARGV[1], 'address ' .. ARGV[2]
  local wait = wait_of(account, ARGV[5], ARGV[6])
  local counts_address = tonumber(ARGV[7]) > 0
  if counts_address then wait = math.max(wait, wait_of(address, ARGV[7], ARGV[8])) end
  if wait > 0 then return {math.ceil(wait), 0} end
  redis.call('ZADD', KEYS[3], full_at(account) + ARGV[6], account)
  if counts_address then redis.call('ZADD', KEYS[3], full_at(address) + ARGV[8], address) end
  redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -(max + 1))
  local last = redis.call('ZRANGE', KEYS[3], -1, -1, 'WITHSCORES')
  redis.call('PEXPIREAT', KEYS[3], string.format('%d', last[2] + 1000))
end

redis.call('HSET', KEYS[1], pair, string.format('%d %d', count + 1, now))
redis.call('ZADD', KEYS[2], now, pair)
if redis.call('ZCARD', KEYS[2]) > max then
  redis.call('HDEL', KEYS[1], redis.call('ZPOPMIN', KEYS[2])[1])
end
redis.call('PEXPIRE', KEYS[1], FORGET_MS)
redis.call('PEXPIRE', KEYS[2], FORGET_MS)
return {0, known}
