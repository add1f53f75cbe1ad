-- Reads what the log knows of one message that has left it, for a change of that message.
--
-- KEYS[1] meta
-- KEYS[2] log
-- KEYS[3] liveChannel
-- KEYS[4] overlay
-- KEYS[5] erased
-- KEYS[6] late
-- ARGV[1] seenEpoch     '' if this node has seen nothing of the room
-- ARGV[2] seenSeq
-- ARGV[3] candidate     random part of a new epoch, if one has to be opened
-- ARGV[4] seq           of the message
-- ARGV[5] after         the newest seq in the archive
--
-- Returns {'not_found'} | {'deleted'} | {'ok', epoch, head, first, newest, late}: newest is the
-- overlay's value `l` or '', late as in late-changes.lua.

local epoch, deleted, head = room_epoch(KEYS[1], KEYS[2], KEYS[3], ARGV[1], tonumber(ARGV[2]), ARGV[3])
if not epoch then return {deleted and 'deleted' or 'not_found'} end
local first = log_first(redis.call('HGET', KEYS[1], 'first'), KEYS[2], head)
local newest = redis.call('HGET', KEYS[4], 'l' .. ARGV[4]) or ''
local keys = {log = KEYS[2], erased = KEYS[5], late = KEYS[6]}
local late = late_changes(keys, {after = tonumber(ARGV[5]), targets = {tonumber(ARGV[4])}})
return {'ok', epoch, head, first, newest, late}
