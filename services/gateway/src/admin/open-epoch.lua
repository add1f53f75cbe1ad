-- Opens a new epoch of a room whose log was restored from a copy, unless this run already did.
-- Invariant: one run opens at most one epoch of a room, and entries keep their seq.
--
-- KEYS[1] meta
-- KEYS[2] log
-- KEYS[3] liveChannel
-- ARGV[1] candidate  random part of the new epoch, the same for the whole run: it marks epochs that
--                    this run opened
-- ARGV[2] dryRun     '1': change nothing
--
-- Returns 'opened' | 'done' | 'gone'.

local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then return 'gone' end
if string.match(epoch, '%.(.*)$') == ARGV[1] then return 'done' end
if ARGV[2] == '1' then return 'opened' end

local head = log_head(KEYS[2])
epoch = string.format('%d.%s', epoch_number(epoch) + 1, ARGV[1])
redis.call('HSET', KEYS[1], 'epoch', epoch, 'base', head)
-- Running gateways announce the epoch to their members.
redis.call('SPUBLISH', KEYS[3], string.format('1 E %s %d 0 0\n', epoch, head))
return 'opened'
