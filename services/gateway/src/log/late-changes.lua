-- What the log knows of messages that have left it: they are in the archive. Prepended, after
-- room-overlay.lua, to scripts that read the part of a page that is not in the archive.

local LATE_MAX, LATE_BYTES_MAX = 1000, 4194304

-- Changes that the archive lacks, in the log's order: {seq, ts, author, isMessage, head, tail, …};
-- or 'too_many'. wanted: `after`, the newest seq in the archive, and `targets`, the messages.
-- keys: log, erased, late.
local function late_changes(keys, wanted)
  local range = '(' .. seq_text(wanted.after)
  if redis.call('ZCOUNT', keys.late, range, '+inf') > LATE_MAX then return 'too_many' end
  local is_target = {}
  for _, target in ipairs(wanted.targets) do is_target[seq_text(target)] = true end
  local flat, bytes, previous = {}, 0, nil
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', keys.late, range, '+inf')) do
    local target, seq = string.match(member, '^(%d+)\n(%d+)$')
    -- The deletion of a reply concerns both the reply and its root.
    if is_target[target] and seq ~= previous then
      local fields = entry_at(keys.log, keys.erased, tonumber(seq))
      local count = #flat
      flat[count + 1], flat[count + 2], flat[count + 3] = tonumber(seq), tonumber(fields[6]), fields[2]
      flat[count + 4], flat[count + 5], flat[count + 6] = is_message(fields) and 1 or 0, fields[8], fields[10]
      bytes, previous = bytes + #fields[8] + #fields[10], seq
      if bytes > LATE_BYTES_MAX then return 'too_many' end
    end
  end
  return flat
end
