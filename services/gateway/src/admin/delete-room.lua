-- Deletes a room's log, members and title. An empty public room of a new epoch remains, so that
-- connected clients drop what they show. It expires.
-- Invariant: no entry survives, and no node takes the empty log for one that was rolled back.
--
-- KEYS[1] meta
-- KEYS[2] log
-- KEYS[3] ids
-- KEYS[4] roles
-- KEYS[5] liveChannel
-- ARGV[1] candidate     random part of the new epoch
-- ARGV[2] expiresInMs
--
-- Returns 'deleted' | 'gone'.

local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then return 'gone' end
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
epoch = string.format('%d.%s', epoch_number(epoch) + 1, ARGV[1])
redis.call('HSET', KEYS[1], 'epoch', epoch, 'base', 0, 'visibility', 'public')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('SPUBLISH', KEYS[5], string.format('1 E %s 0 0 0\n', epoch))
return 'deleted'
