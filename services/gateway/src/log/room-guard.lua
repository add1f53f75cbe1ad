-- Functions about who may read and write in a room. Prepended to the scripts that check it.
--
-- Sanctions of a room: a hash with the fields `ban LF user`, `kick LF user` and `mute LF user`. The
-- value is `untilMs LF by LF reason`; untilMs 0 has no end. Sanctions that have ended may remain.

local function until_of(sanction)
  return tonumber(string.match(sanction, '^%d+'))
end

local function is_active(sanction, now)
  if not sanction then return false end
  local until_ms = until_of(sanction)
  return until_ms == 0 or until_ms > now
end

-- The end (ms, 0 for none) of the user's ban or kick; nil if the user may enter.
local function shut_out_until(sanctions_key, user, now)
  local found = redis.call('HMGET', sanctions_key, 'ban\n' .. user, 'kick\n' .. user)
  for _, sanction in ipairs(found) do
    if is_active(sanction, now) then return until_of(sanction) end
  end
  return nil
end

-- The end of the user's mute; nil if the user is not muted.
local function muted_until(sanctions_key, user, now)
  local sanction = redis.call('HGET', sanctions_key, 'mute\n' .. user)
  if is_active(sanction, now) then return until_of(sanction) end
  return nil
end

-- A room is guarded while any of this can refuse a user.
local function update_guard(meta_key, sanctions_key)
  local meta = redis.call('HMGET', meta_key, 'closed', 'readOnly', 'slowModeS')
  if meta[1] or meta[2] or meta[3] or redis.call('EXISTS', sanctions_key) == 1 then
    redis.call('HSET', meta_key, 'guarded', '1')
  else
    redis.call('HDEL', meta_key, 'guarded')
  end
end

-- Why the user may not write in a guarded room: {'forbidden', why, untilMs} with why closed |
-- banned | muted | read_only, or {'slow', retryAfterMs}; else nil, and the pace in ms (0: none)
-- that the message must note. `kind`: `send` for messages. A read-only room lets members `delete`,
-- and only messages have a pace.
local function refusal_of_writing(keys, user, role, now, kind)
  local meta = redis.call('HMGET', keys.meta, 'closed', 'readOnly', 'slowModeS')
  if meta[1] then return {'forbidden', 'closed', 0} end
  local until_ms = shut_out_until(keys.sanctions, user, now)
  if until_ms then return {'forbidden', 'banned', until_ms} end
  until_ms = muted_until(keys.sanctions, user, now)
  if until_ms then return {'forbidden', 'muted', until_ms} end
  if not meta[2] and not meta[3] then return nil, 0 end
  role = role or redis.call('HGET', keys.roles, user)
  if role == 'owner' or role == 'moderator' then return nil, 0 end
  if meta[2] and kind ~= 'delete' then return {'forbidden', 'read_only', 0} end
  if not meta[3] or kind ~= 'send' then return nil, 0 end
  local pace_ms = tonumber(meta[3]) * 1000
  local last = redis.call('ZSCORE', keys.paces, user)
  local wait = last and math.min(tonumber(last) + pace_ms - now, pace_ms) or 0
  if wait > 0 then return {'slow', wait} end
  return nil, pace_ms
end

local function note_pace(paces_key, user, now, pace_ms)
  if pace_ms == 0 then return end
  redis.call('ZADD', paces_key, now, user)
  redis.call('ZREMRANGEBYSCORE', paces_key, '-inf', now - pace_ms)
  redis.call('PEXPIRE', paces_key, pace_ms)
end

-- Why the user may not read in a guarded room: {'forbidden', why, untilMs} with why closed |
-- banned.
local function refusal_of_reading(meta_key, sanctions_key, user, now)
  if redis.call('HEXISTS', meta_key, 'closed') == 1 then return {'forbidden', 'closed', 0} end
  local until_ms = shut_out_until(sanctions_key, user, now)
  return until_ms and {'forbidden', 'banned', until_ms} or nil
end
