-- Deletes a room with all its data. A mark remains for a while, so that nodes with members remove
-- them, also if they miss the announcement. A public room may then be made again.
-- Invariant: no entry survives, and no node takes a new log for the deleted one. The archiver
-- removes from the archive what is from epochs before `cleared`.
--
-- KEYS[1] meta
-- KEYS[2] log
-- KEYS[3] ids
-- KEYS[4] roles
-- KEYS[5] liveChannel
-- KEYS[6] sanctions
-- KEYS[7] paces
-- KEYS[8] reports
-- KEYS[9] overlay
-- KEYS[10] reactionsPrefix
-- KEYS[11] repliesPrefix
-- KEYS[12] erased
-- KEYS[13] pins
-- KEYS[14] mentions
-- KEYS[15] reads
-- KEYS[16] late
-- ARGV[1] candidate     random part of the mark's epoch
-- ARGV[2] expiresInMs   of the mark
-- ARGV[3] userId        who deletes; '' for an admin
-- ARGV[4] isPrivate     '1': only members know of it
--
-- Returns 'deleted' | 'not_found' | 'forbidden' (a member, but no owner).

local meta = redis.call('HMGET', KEYS[1], 'epoch', 'deleted')
if not meta[1] or meta[2] then return 'not_found' end
if ARGV[3] ~= '' then
  local role = redis.call('HGET', KEYS[4], ARGV[3])
  if not role and ARGV[4] == '1' then return 'not_found' end
  if role ~= 'owner' then return 'forbidden' end
end
-- Not by the letters `r` and `t`: the set of a thread whose replies are all deleted has no `t`. But
-- each message that has one of these sets has some field.
local seen = {}
for _, field in ipairs(redis.call('HKEYS', KEYS[9])) do
  local seq = string.match(field, '%d+$')
  if not seen[seq] then
    seen[seq] = true
    redis.call('UNLINK', KEYS[10] .. seq, KEYS[11] .. seq)
  end
end
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[12], KEYS[13],
  KEYS[14], KEYS[15], KEYS[16])
local number = string.format('%d', epoch_number(meta[1]) + 1)
local epoch = number .. '.' .. ARGV[1]
redis.call('HSET', KEYS[1], 'epoch', epoch, 'base', 0, 'deleted', '1', 'cleared', number)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('SPUBLISH', KEYS[5], string.format('1 D %s 0 0 0\n', epoch))
return 'deleted'
